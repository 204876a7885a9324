"""The calendar of one person: their dates as they are now, read with another library than the one that wrote them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import vobject
from tests.factories import ANA, HOUR, SEPTEMBER, SHANGHAI, STARTS, T_7, T_14, T_30, Office

from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.prep_sessions import cancel_prep_session, move_prep_session
from enrollment_crm.workflows.calendar_feeds import read_calendar_feed

EARLY = "deadline-ms-advanced-intelligent-manufacturing-fall-2027-early_action@"


def feed(office: Office, person: int, now: datetime = T_14) -> str:
    outbox = office.outbox
    text = read_calendar_feed(office.engine, outbox.programs, outbox.sender, person, now=now)
    assert text is not None
    return text


def entries(text: str) -> dict[str, Any]:
    """The entries by the part of their UID before the domain."""
    (calendar,) = vobject.readComponents(text, validate=True)
    found: Iterator[Any] = iter(calendar.contents.get("vevent", []))
    return {f"{one.uid.value.partition('@')[0]}@": one for one in found}


def test_a_reader_has_their_own_deadlines_at_the_last_hour(office: Office) -> None:
    person = office.sign_up(ANA, time_zone=SHANGHAI, residency="international_outside_us")
    found = entries(feed(office, person))
    assert sorted(one.rpartition("-")[2] for one in found) == ["early_action@", "final@"]
    early = found[EARLY]
    assert early.dtend.value.astimezone(UTC) == datetime(2026, 12, 2, 4, 59, tzinfo=UTC)
    assert early.summary.value == (
        "Early action deadline, fall 2027: Master of Science in Advanced and Intelligent Manufacturing"
    )
    assert early.transp.value == "TRANSPARENT"
    assert early.valarm.trigger.value.days == -1


def test_a_feed_is_the_same_until_a_date_moves_and_then_it_says_so(office: Office) -> None:
    person = office.sign_up(ANA)
    before = feed(office, person)
    assert feed(office, person, T_14 + HOUR) == before
    office.move_date("2026-12-15", at=T_14 + HOUR)
    old, new = entries(before)[EARLY], entries(feed(office, person, T_7))[EARLY]
    assert new.dtend.value.astimezone(UTC) == datetime(2026, 12, 16, 4, 59, tzinfo=UTC)
    assert int(new.sequence.value) > int(old.sequence.value)
    assert new.dtstamp.value > old.dtstamp.value


def test_a_term_that_was_submitted_has_no_deadline_any_more(office: Office) -> None:
    person = office.sign_up(ANA)
    office.report(at=T_14)
    assert entries(feed(office, person, T_7)) == {}


def test_a_session_moves_and_is_cancelled(office: Office, session: str) -> None:
    person = office.sign_up(ANA, at=SEPTEMBER)
    office.register(session, at=T_30)
    uid = f"prep-session-{session}@"
    assert entries(feed(office, person))[uid].status.value == "CONFIRMED"
    with transaction(office.engine) as connection:
        move_prep_session(connection, session, starts=STARTS + HOUR, now=T_14)
    moved = entries(feed(office, person))[uid]
    assert (moved.sequence.value, moved.dtstart.value.astimezone(UTC)) == ("1", STARTS + HOUR)
    with transaction(office.engine) as connection:
        cancel_prep_session(connection, session, now=T_14 + HOUR)
    cancelled = entries(feed(office, person, T_7))[uid]
    assert (cancelled.sequence.value, cancelled.status.value) == ("2", "CANCELLED")


def test_an_unknown_or_erased_person_has_no_calendar(office: Office) -> None:
    person = office.sign_up(ANA)
    office.erase(at=T_14)
    for nobody in (person, 4711):
        assert read_calendar_feed(office.engine, office.outbox.programs, office.outbox.sender, nobody, now=T_7) is None


def test_a_reminder_carries_the_entry_and_a_later_one_replaces_it(office: Office) -> None:
    office.sign_up(ANA)
    office.sweep(T_14)
    office.move_date("2026-12-15", at=T_14 + HOUR)
    office.sweep(T_14 + HOUR)
    parts = [one.decode().replace("=\r\n", "").replace("\r\n ", "") for one in office.frozen()]
    first, second = (one[one.index("BEGIN:VCALENDAR") : one.index("END:VCALENDAR") + 13] for one in parts)
    assert [one.count("BEGIN:VEVENT") for one in (first, second)] == [1, 1]
    assert "20261201T235900" in first
    assert "20261215T235900" in second
    assert _sequence(second) > _sequence(first)


def _sequence(text: str) -> int:
    return int(text.partition("SEQUENCE:")[2].split()[0])
