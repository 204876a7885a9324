"""Applications on a real database: which report holds (R7), whose it is, and when it happened."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from threading import Barrier, BrokenBarrierError

from sqlalchemy import Connection
from tests.factories import ANA, BEN, HOUR, PROGRAM, SEPTEMBER, T_14, Office

from enrollment_crm.bootstrap import field_maps_of
from enrollment_crm.domain.canonical_rows import CanonicalRow, RecordKind
from enrollment_crm.settings import Settings
from enrollment_crm.storage.applications import person_of_application
from enrollment_crm.storage.batches import record_batch
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.inbox import RawRow, keep_raw_rows, pending_rows
from enrollment_crm.storage.people import await_routing
from enrollment_crm.workflows.loading import load_validated

STARTED, DECIDED = "Awaiting Submission", "Decided"


def statuses(office: Office) -> list[tuple[str, datetime]]:
    return office.query("SELECT status, occurred_at FROM application ORDER BY id")


def test_an_application_makes_a_person_with_a_term_and_an_event(office: Office) -> None:
    office.report(at=T_14, FirstName="Ana", LastName="Silva", CitizenshipStatus="US Citizen")
    assert office.query("SELECT first_name, last_name, residency FROM person") == [("Ana", "Silva", "domestic")]
    assert office.query("SELECT entry_term, asked_for_information FROM interest") == [("fall 2027", False)]
    assert office.query("SELECT kind FROM event") == ["ApplicationSubmitted"]


def test_r7_a_status_never_goes_back_from_submitted_whatever_the_clock_says(office: Office) -> None:
    office.report(at=T_14)
    office.report(at=T_14 + HOUR, AppStatus=STARTED)
    assert statuses(office) == [("submitted", T_14)]
    assert office.query("SELECT kind FROM event") == ["ApplicationSubmitted"]


def test_r7_submitted_holds_also_when_the_older_export_comes_later(office: Office) -> None:
    office.report(at=T_14, AppStatus=STARTED, SubmittedDateTime="2026-11-10T10:00:00-05:00")
    office.report(at=T_14 + HOUR, SubmittedDateTime="2026-11-09T10:00:00-05:00")
    assert [status for status, _ in statuses(office)] == ["submitted"]
    assert office.query("SELECT kind FROM event ORDER BY id") == ["ApplicationStarted", "ApplicationSubmitted"]


def test_r7_of_two_equal_reports_the_later_by_the_sources_clock_holds(office: Office) -> None:
    office.report(at=T_14, SubmittedDateTime="2026-11-15T10:00:00-05:00")
    office.report(at=T_14 + HOUR, AppStatus=DECIDED, SubmittedDateTime="2026-11-12T10:00:00-05:00")
    assert [at.isoformat() for _, at in statuses(office)] == ["2026-11-15T15:00:00+00:00"]


def test_the_same_report_from_overlapping_exports_changes_nothing(office: Office) -> None:
    for hours in range(3):
        office.report(at=T_14 + HOUR * hours, SubmittedDateTime="2026-11-15T10:00:00-05:00")
    assert len(statuses(office)) == 1
    assert office.query("SELECT kind FROM event") == ["ApplicationSubmitted"]


def test_each_term_has_an_application_of_its_own(office: Office) -> None:
    office.report(at=T_14)
    office.report(at=T_14, AppStatus=STARTED, YearTerm="spring 2028", aid="a-2")
    assert [status for status, _ in statuses(office)] == ["submitted", "started"]


def test_a_program_that_is_learnt_later_is_no_other_application_and_is_not_forgotten(office: Office) -> None:
    for hours, program in enumerate(["", "MS-AIM", ""]):
        office.report(at=T_14 + HOUR * hours, Program=program)
    assert office.query("SELECT program FROM application") == [PROGRAM]


def test_who_defers_has_still_submitted_for_the_term_that_they_leave(office: Office) -> None:
    """Else the deadlines of that term would be announced to them again."""
    office.report(at=T_14)
    office.report(at=T_14 + HOUR, YearTerm="spring 2028")
    assert [status for status, _ in statuses(office)] == ["submitted", "submitted"]


def test_reports_of_one_batch_are_taken_in_as_they_happened(office: Office) -> None:
    """Two clocks in one batch: the offsets differ, the instants decide."""
    earlier = {"Address1Country": "India", "SubmittedDateTime": "2026-11-15T11:00:00+05:30"}
    later = {"Address1Country": "Germany", "SubmittedDateTime": "2026-11-15T10:30:00-05:00"}
    rows = [
        {"aid": "a-1", "Email": ANA, "YearTerm": "fall 2027", "AppStatus": DECIDED} | one for one in (later, earlier)
    ]
    with transaction(office.engine) as connection:
        keep_raw_rows(connection, rows, source="slate", kind=RecordKind.APPLICATION.value, received_at=T_14)
    office.load(now=T_14)
    assert office.query("SELECT country FROM person") == ["DE"]


def test_a_row_without_an_address_belongs_to_whom_the_application_belongs(office: Office) -> None:
    office.report(ANA, at=SEPTEMBER, AppStatus=STARTED)
    office.report(None, at=T_14)
    assert [status for status, _ in statuses(office)] == ["submitted"]
    assert office.query("SELECT email FROM person") == [ANA]


def test_a_row_without_an_address_may_stand_before_the_one_that_tells_whose_it_is(office: Office) -> None:
    anonymous = {
        "aid": "a-1",
        "YearTerm": "fall 2027",
        "AppStatus": DECIDED,
        "SubmittedDateTime": SEPTEMBER.isoformat(),
    }
    rows = [anonymous, anonymous | {"Email": ANA, "AppStatus": STARTED, "SubmittedDateTime": T_14.isoformat()}]
    with transaction(office.engine) as connection:
        keep_raw_rows(connection, rows, source="slate", kind=RecordKind.APPLICATION.value, received_at=T_14)
    office.load(now=T_14)
    assert office.query("SELECT reason FROM quarantine") == []
    assert statuses(office) == [("submitted", SEPTEMBER)]


def test_loaders_that_meet_the_same_people_in_another_order_do_not_block_each_other(office: Office) -> None:
    """Ben's row has no address in one batch, and Ana's in the other: no order of the rows would do."""
    for email, application in ((ANA, "a-1"), (BEN, "a-2")):
        office.report(email, at=SEPTEMBER, aid=application, AppStatus=STARTED)
    for anonymous, named, email in (("a-1", "a-2", BEN), ("a-2", "a-1", ANA)):
        accept(office, {"aid": named, "Email": email}, {"aid": anonymous})
    both_met = Barrier(2)

    def load_with_a_pause(_: int) -> int:
        """Waits after the first row for the other loader to have its first row, if it ever comes that far."""
        rows: list[int] = []

        def load_row(connection: Connection, row: RawRow, canonical: CanonicalRow) -> None:
            lock_one(connection, canonical)
            if not rows:
                with suppress(BrokenBarrierError):
                    both_met.wait(timeout=0.5)
            rows.append(row.id)

        return load_validated(
            office.engine, field_maps_of(Settings()), load_row, kind=RecordKind.APPLICATION, now=T_14
        ).loaded

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(load_with_a_pause, range(2))) == 4


def accept(office: Office, *rows: dict[str, str]) -> None:
    """A batch of its own, accepted and not loaded."""
    with transaction(office.engine) as connection:
        keep_raw_rows(connection, rows, source="slate", kind=RecordKind.APPLICATION.value, received_at=T_14)
        ids = [row.id for row in pending_rows(connection, kind=RecordKind.APPLICATION.value, limit=10)]
        record_batch(connection, kind=RecordKind.APPLICATION.value, accepted=ids, rejected=[], tallies=[], now=T_14)


def lock_one(connection: Connection, canonical: CanonicalRow) -> None:
    """What loading a row does first: lock whose it is."""
    person_id = person_of_application(connection, source="slate", reference=canonical["application_id"] or "")
    assert person_id is not None
    await_routing(connection, person_id)


def test_what_a_row_without_an_address_says_of_residency_is_routed_too(office: Office) -> None:
    office.report(ANA, at=SEPTEMBER, AppStatus=STARTED)
    office.report(None, at=T_14, CitizenshipStatus="US Citizen")
    assert office.query("SELECT residency, needs_routing FROM person") == [("domestic", False)]


def test_a_row_without_an_address_of_an_unknown_application_is_quarantined_in_words(office: Office) -> None:
    office.report(None, at=T_14)
    assert office.query("SELECT count(*) FROM person") == [0]
    ((rule, reason),) = office.query("SELECT rule, reason FROM quarantine")
    assert rule == "usable"
    assert "no earlier row tells whose application it is" in reason
    assert office.query("SELECT rows_in, accepted, quarantined FROM batch") == [(1, 0, 1)]
    assert office.query("SELECT outcome FROM inbox") == ["quarantined"]


def test_one_unusable_row_does_not_keep_the_others(office: Office) -> None:
    rows = [
        {"aid": "a-9", "YearTerm": "fall 2027", "AppStatus": DECIDED},
        {"aid": "a-1", "Email": BEN, "YearTerm": "fall 2027", "AppStatus": DECIDED},
    ]
    with transaction(office.engine) as connection:
        keep_raw_rows(connection, rows, source="slate", kind=RecordKind.APPLICATION.value, received_at=T_14)
    office.load(now=T_14)
    assert office.query("SELECT email FROM person") == [BEN]
    assert office.query("SELECT accepted, quarantined FROM batch") == [(1, 1)]
