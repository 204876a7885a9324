"""Tombstones: nobody who was erased comes back by an overlap, and whoever asks us to writes to us again."""

import json
from typing import Any

import pytest
from tests.factories import ANA, BEN, DAY, HOUR, SEPTEMBER, SIGNUP, T_14, Office

from enrollment_crm.bootstrap import field_maps_of
from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.domain.staff_actions import StaffAction
from enrollment_crm.settings import Settings
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.inbox import keep_raw_rows
from enrollment_crm.validation.batches import Validator
from enrollment_crm.workflows.batches import validate_pending
from enrollment_crm.workflows.erasure import Erased, erase
from enrollment_crm.workflows.people import UnknownPersonError

ERASED, LATER = T_14, T_14 + DAY
SLATE = {"aid": "a-1", "pid": "p-77", "YearTerm": "fall 2027", "AppStatus": "Awaiting Decision", "Program": "MS-AIM"}


def arrive(office: Office, row: dict[str, Any], *, at: Any, source: str = "slate", kind: str = "application") -> int:
    with transaction(office.engine) as connection:
        keep_raw_rows(connection, [row], source=source, kind=kind, received_at=at)
    return int(office.query("SELECT max(id) FROM inbox")[0])


def judge(office: Office, validator: Validator, *, at: Any = LATER) -> Any:
    """Judge what waits as the task does; accepted rows are loaded afterwards."""
    total = {
        kind: validate_pending(
            office.engine, validator, field_maps_of(Settings()), kind=kind, secret=office.outbox.secret, now=at
        )
        for kind in RecordKind
    }
    office.load(now=at)
    return total


def known(office: Office) -> list[str]:
    return office.query("SELECT email FROM person WHERE erased_at IS NULL ORDER BY id")


@pytest.fixture
def erased(office: Office) -> Office:
    """Ana signed up, applied, and was erased."""
    office.sign_up(ANA)
    office.report(ANA, at=SEPTEMBER + DAY, pid="p-77")
    office.erase(ANA, at=ERASED)
    return office


@pytest.mark.parametrize(
    "row",
    [
        {"Email": ANA},
        {"Email": "ANA@Example.EDU"},
        {"Email": "else@example.edu"},
        {"Email": ""},
        {"Email": "", "pid": ""},
    ],
    ids=["address", "in another case", "by its person", "without address", "by its application"],
)
def test_a_row_from_before_the_erasure_is_recognised_emptied_and_counted(
    erased: Office, validator: Validator, row: dict[str, str]
) -> None:
    inbox_id = arrive(erased, {**SLATE, "AppStatusDate": "2026-09-20T10:00:00-04:00", "x": "1", **row}, at=LATER)
    judged = judge(erased, validator)[RecordKind.APPLICATION]
    assert (judged.rows_in, judged.accepted, judged.quarantined, judged.erased) == (1, 0, 0, 1)
    assert erased.query("SELECT raw::text, outcome FROM inbox WHERE id = :id", id=inbox_id) == [("{}", "erased")]
    assert known(erased) == []
    counts = "SELECT rows_in, accepted, quarantined, erased FROM batch ORDER BY id DESC LIMIT 1"
    assert erased.query(counts) == [(1, 0, 0, 1)]


def test_also_one_that_happened_since_because_nobody_asked_us_to_write(erased: Office, validator: Validator) -> None:
    """A decision of the school moves the application's clock; it is no wish of the person."""
    arrive(erased, {**SLATE, "Email": ANA, "AppStatusDate": (LATER - HOUR).isoformat()}, at=LATER)
    assert judge(erased, validator)[RecordKind.APPLICATION].erased == 1
    assert known(erased) == []


def test_also_one_that_could_not_be_read(erased: Office, validator: Validator) -> None:
    inbox_id = arrive(erased, {**SLATE, "Email": ANA, "YearTerm": "999999", "AppStatusDate": "2026-09-20"}, at=LATER)
    assert judge(erased, validator)[RecordKind.APPLICATION].erased == 1
    assert erased.query("SELECT count(*) FROM quarantine") == [0]
    assert erased.query("SELECT raw::text FROM inbox WHERE id = :id", id=inbox_id) == ["{}"]


def test_also_an_item_of_their_checklist(erased: Office, validator: Validator) -> None:
    item = {"AppID": "a-1", "Code": "LOR", "Status": "Awaiting", "Date": "2026-09-20"}
    arrive(erased, item, at=LATER, source="slate_checklist", kind="checklist")
    assert judge(erased, validator)[RecordKind.CHECKLIST].erased == 1
    assert erased.query("SELECT count(*) FROM checklist_item") == [0]


def test_the_same_row_again_is_a_duplicate_and_no_new_row(erased: Office, validator: Validator) -> None:
    row = {**SLATE, "Email": ANA, "AppStatusDate": "2026-09-20T10:00:00-04:00"}
    arrive(erased, row, at=LATER)
    judge(erased, validator)
    before = erased.query("SELECT count(*) FROM inbox")
    arrive(erased, row, at=LATER + DAY)
    assert erased.query("SELECT count(*) FROM inbox") == before


def test_a_new_consent_brings_them_back_as_a_new_person_and_their_feeds_with_them(
    erased: Office, validator: Validator
) -> None:
    erased.fill_in(ANA, at=LATER)
    assert judge(erased, validator)[RecordKind.SIGNUP].accepted == 1
    assert known(erased) == [ANA]
    arrive(erased, {**SLATE, "Email": ANA, "AppStatusDate": "2026-09-20T10:00:00-04:00"}, at=LATER + HOUR)
    arrive(erased, {**SLATE, "Email": ANA, "AppStatusDate": (LATER + HOUR).isoformat()}, at=LATER + DAY)
    judged = judge(erased, validator, at=LATER + DAY)[RecordKind.APPLICATION]
    assert (judged.erased, judged.accepted) == (1, 1)
    assert erased.query("SELECT occurred_at FROM application WHERE person_id = :id", id=erased.person(ANA)) == [
        LATER + HOUR
    ]


def test_a_consent_from_before_the_erasure_that_arrives_after_it_does_not(erased: Office, validator: Validator) -> None:
    row = {"Email": ANA, "Email Consent": "yes", "Entry Term": "fall 2027", "Submitted At": "2026-09-20T10:00:00-04:00"}
    arrive(erased, row, at=LATER, source="signups_csv", kind="signup")
    assert judge(erased, validator)[RecordKind.SIGNUP].erased == 1
    assert known(erased) == []


@pytest.mark.parametrize("when", ["", "last Tuesday", "2030-01-01T10:00:00-05:00"])
def test_a_row_of_an_export_that_does_not_say_when_it_was_is_no_new_consent(
    erased: Office, validator: Validator, when: str
) -> None:
    row = {"Email": ANA, "Email Consent": "yes", "Entry Term": "fall 2027", "Submitted At": when}
    arrive(erased, row, at=LATER, source="signups_csv", kind="signup")
    assert judge(erased, validator)[RecordKind.SIGNUP].erased == 1
    assert known(erased) == []
    assert erased.query("SELECT count(*) FROM quarantine") == [0]


def test_a_post_reaches_us_as_it_happens(erased: Office, validator: Validator) -> None:
    row = {"email": ANA, "consent": "yes", "entry_term": "fall 2027", "registration_id": "r-1"}
    arrive(erased, row, at=LATER, source="events_webhook", kind="signup")
    assert judge(erased, validator)[RecordKind.SIGNUP].accepted == 1
    assert known(erased) == [ANA]


def test_somebody_else_is_nobody_who_was_erased(erased: Office, validator: Validator) -> None:
    arrive(erased, {**SLATE, "aid": "a-9", "pid": "p-9", "Email": BEN, "AppStatusDate": "2026-09-20"}, at=LATER)
    assert judge(erased, validator)[RecordKind.APPLICATION].accepted == 1
    assert known(erased) == [BEN]


def test_a_tombstone_names_nobody_and_says_nothing_without_the_key(erased: Office) -> None:
    keyed = erased.query("SELECT keyed FROM tombstone ORDER BY 1")
    assert len(keyed) == 3  # the address, the person and the application of Slate
    assert all(len(one) == 64 and set(one) <= set("0123456789abcdef") for one in keyed)


def test_rows_that_wait_and_rows_that_were_rejected_go_with_their_person(office: Office, validator: Validator) -> None:
    """By address or reference, in whatever words; the counts hold, and what is about others stays."""
    office.sign_up(ANA)
    office.report(ANA, at=SEPTEMBER + DAY, pid="p-77")
    rejected = arrive(office, {**SLATE, "Email": ANA.upper(), "YearTerm": "999999"}, at=SEPTEMBER)
    arrive(office, {**SLATE, "Email": BEN, "aid": "b", "pid": "p-2", "YearTerm": "999999"}, at=SEPTEMBER)
    validate_pending(
        office.engine, validator, field_maps_of(Settings()), kind=RecordKind.APPLICATION, secret=b"", now=SEPTEMBER
    )
    by_reference = arrive(office, {**SLATE, "Email": "", "aid": "a-5"}, at=SEPTEMBER)
    others = arrive(office, {**SLATE, "Email": BEN, "aid": "b-2", "pid": "p-2", "Sponsor": f"<{ANA}>"}, at=SEPTEMBER)
    unknown = arrive(office, {"contact": f"write to {ANA}, please"}, at=SEPTEMBER, source="nobody knows")
    office.erase(ANA, at=ERASED)
    raw = dict(office.query("SELECT id, raw::text FROM inbox"))
    assert {raw[one] for one in (rejected, by_reference, unknown)} == {"{}"}
    assert json.loads(raw[others])["Sponsor"] == "<erased>"
    assert json.loads(raw[others])["Email"] == BEN
    outcomes = dict(office.query("SELECT id, outcome FROM inbox"))
    assert [outcomes[one] for one in (rejected, by_reference, unknown, others)] == [*["erased"] * 3, "pending"]
    assert len(office.query("SELECT inbox_id FROM quarantine")) == 1
    batches = office.query("SELECT sum(rows_in), sum(accepted), sum(quarantined), sum(erased) FROM batch")
    assert batches == [(6, 2, 1, 3)]
    settled = office.query("SELECT outcome, count(*) FROM inbox WHERE batch_id IS NOT NULL GROUP BY 1 ORDER BY 1")
    assert settled == [("accepted", 2), ("erased", 3), ("quarantined", 1)]


def test_somebody_of_whom_there_are_rejected_rows_alone_is_erased_too(office: Office, validator: Validator) -> None:
    """And is known by what the rows with their address call them, when the source has corrected the row."""
    bad = {**SLATE, "Email": ANA.upper(), "YearTerm": "999999", "LastName": "Canary"}
    rejected = arrive(office, bad, at=SEPTEMBER)
    others = arrive(office, {**bad, "Email": BEN, "aid": "b", "pid": "p-2", "Agent": ANA}, at=SEPTEMBER)
    judge(office, validator, at=SEPTEMBER)
    assert office.query("SELECT count(*) FROM person") == [0]
    action = StaffAction("dean", "asked for it", ERASED)
    gone = erase(
        office.engine, f" {ANA}", action=action, secret=office.outbox.secret, field_maps=field_maps_of(Settings())
    )
    assert gone == Erased(None, records=0, rows_emptied=1, rows_not_taken_in=1, rows_redacted=1)
    raw = dict(office.query("SELECT id, raw::text FROM inbox"))
    assert raw[rejected] == "{}"
    assert json.loads(raw[others]) == {**bad, "Email": BEN, "aid": "b", "pid": "p-2", "Agent": "erased"}
    assert office.query("SELECT by, action, person_id FROM staff_action") == [("dean", "erased", None)]
    arrive(office, {**SLATE, "Email": ANA}, at=LATER)
    arrive(office, {**SLATE, "Email": "else@example.edu", "aid": "a-2"}, at=LATER)
    judge(office, validator)
    assert known(office) == []
    arrive(office, SIGNUP | {"email": ANA}, at=LATER, source="form", kind="signup")
    judge(office, validator)
    assert known(office) == [ANA]


@pytest.mark.parametrize("who", ["nobody@example.edu", "7", "@", "", "%"])
def test_whoever_no_row_names_is_nobody(office: Office, who: str) -> None:
    office.sign_up(ANA)
    action = StaffAction("dean", "asked for it", ERASED)
    with pytest.raises(UnknownPersonError):
        erase(office.engine, who, action=action, secret=b"x", field_maps=field_maps_of(Settings()))


def test_a_batch_that_was_judged_and_not_loaded_loses_their_row_before_it_is(
    office: Office, validator: Validator
) -> None:
    office.sign_up(ANA)
    office.fill_in(ANA, at=SEPTEMBER + HOUR, phone="617")
    office.fill_in(BEN, at=SEPTEMBER + HOUR)
    validate_pending(
        office.engine, validator, field_maps_of(Settings()), kind=RecordKind.SIGNUP, secret=b"", now=SEPTEMBER + HOUR
    )
    office.erase(ANA, at=ERASED)
    office.load(now=ERASED)
    assert known(office) == [BEN]
    assert office.query("SELECT rows_in, accepted, erased, step FROM batch ORDER BY id") == [
        (1, 1, 0, "loaded"),
        (2, 1, 1, "loaded"),
    ]


@pytest.mark.parametrize("address", ["josé@exämple.org", "JOSÉ@EXÄMPLE.ORG", "josé@xn--exmple-cua.org"])
def test_an_address_that_is_not_ascii_is_found_however_it_is_written(
    office: Office, validator: Validator, address: str
) -> None:
    office.sign_up("José@exämple.org")
    inbox_id = arrive(office, {**SLATE, "Email": address, "YearTerm": "999999"}, at=SEPTEMBER)
    office.erase("josé@exämple.org", at=ERASED)
    assert office.query("SELECT raw::text FROM inbox WHERE id = :id", id=inbox_id) == ["{}"]
    arrive(office, {**SLATE, "Email": address, "AppStatusDate": "2026-09-20", "n": "2"}, at=LATER)
    assert judge(office, validator)[RecordKind.APPLICATION].erased == 1
