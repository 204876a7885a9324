"""Calendar files, read back with another library than the one that wrote them."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import vobject

from enrollment_crm.domain.prep_sessions import PrepSession
from enrollment_crm.mail.bodies import CalendarFile, CalendarMethod
from enrollment_crm.mail.calendar_files import calendar_file_of, uid_of
from enrollment_crm.mail.messages import Sender

NOW = datetime(2026, 11, 18, 10, tzinfo=ZoneInfo("America/New_York"))
#: Ten in Boston.
STARTS = datetime(2026, 11, 25, 15, tzinfo=UTC)
SESSION = PrepSession("prep-1", "Prep Session", STARTS, "America/New_York", 60, "Online", "https://crm.example/1")
SENDER = Sender("Graduate Admissions", "admissions@crm.example", "answers@crm.example", "crm.example")
PUBLISH, CANCEL = CalendarMethod.PUBLISH, CalendarMethod.CANCEL
READINGS = count()


def file_of(
    session: PrepSession = SESSION, *, method: CalendarMethod = PUBLISH, now: datetime = NOW, sender: Sender = SENDER
) -> CalendarFile:
    return calendar_file_of(session, method=method, sender=sender, now=now)


def read(file: CalendarFile) -> Any:
    """The calendar as the other library understands it.

    It knows zones by name, and remembers what it has read: under a name that nobody has heard, an instant can only
    follow from the VTIMEZONE of this very file.
    """
    text = re.sub(r"TZID([=:])[\w/]+", rf"TZID\1Nowhere/{next(READINGS)}", file.text)
    (calendar,) = vobject.readComponents(text, validate=True)
    return calendar


def test_the_entry_of_a_session() -> None:
    calendar = read(file_of())
    entry = calendar.vevent
    assert calendar.version.value == "2.0"
    assert calendar.method.value == "PUBLISH"
    assert {name: lines[0].value for name, lines in entry.contents.items()} == {
        "uid": "prep-session-prep-1@crm.example",
        "sequence": "0",
        "dtstamp": NOW.astimezone(UTC),
        "dtstart": STARTS,
        "dtend": STARTS + timedelta(hours=1),
        "summary": "Prep Session",
        "location": "Online",
        "description": "About this session: https://crm.example/1",
        "url": "https://crm.example/1",
        "organizer": "mailto:admissions@crm.example",
        "status": "CONFIRMED",
    }
    assert entry.organizer.params["CN"] == ["Graduate Admissions"]


def test_it_is_stamped_in_utc() -> None:
    assert "\r\nDTSTAMP:20261118T150000Z\r\n" in file_of().text


def test_a_moved_session_is_the_same_entry_with_a_higher_sequence() -> None:
    moved = replace(SESSION, starts=STARTS + timedelta(days=2), sequence=1)
    before, after = read(file_of()).vevent, read(file_of(moved)).vevent
    assert before.uid.value == after.uid.value == uid_of(SESSION, mail_domain="crm.example")
    assert (before.sequence.value, after.sequence.value) == ("0", "1")
    assert after.dtstart.value == STARTS + timedelta(days=2)


def test_a_cancelled_session_takes_the_same_entry_away() -> None:
    calendar = read(file_of(replace(SESSION, sequence=2), method=CANCEL))
    assert calendar.method.value == "CANCEL"
    assert calendar.vevent.status.value == "CANCELLED"
    assert calendar.vevent.uid.value == uid_of(SESSION, mail_domain="crm.example")
    assert calendar.vevent.organizer.value == read(file_of()).vevent.organizer.value
    assert calendar.vevent.sequence.value == "2"


@pytest.mark.parametrize("zone", ["America/New_York", "America/Los_Angeles", "Europe/Berlin", "Asia/Kathmandu"])
@pytest.mark.parametrize("starts", [STARTS, datetime(2027, 6, 30, 15, tzinfo=UTC), datetime(2027, 1, 1, 3, tzinfo=UTC)])
def test_the_zone_that_it_names_is_described_in_it(zone: str, starts: datetime) -> None:
    file = file_of(replace(SESSION, zone=zone, starts=starts))
    assert file.text.count(f";TZID={zone}:") == 2
    assert file.text.count(f"\r\nTZID:{zone}\r\n") == file.text.count("BEGIN:VTIMEZONE") == 1
    assert read(file).vevent.dtstart.value == starts


def test_a_session_on_the_clock_of_utc_needs_no_description_of_it() -> None:
    file = file_of(replace(SESSION, zone="UTC"))
    assert "VTIMEZONE" not in file.text
    assert "\r\nDTSTART:20261125T150000Z\r\n" in file.text


@pytest.mark.parametrize("starts", [datetime(2026, 11, 1, 4, tzinfo=UTC), datetime(2027, 3, 14, 5, tzinfo=UTC)])
def test_it_ends_after_its_minutes_also_when_the_clocks_change_meanwhile(starts: datetime) -> None:
    entry = read(file_of(replace(SESSION, starts=starts, minutes=240))).vevent
    assert entry.dtend.value - starts == timedelta(minutes=240)


@pytest.mark.parametrize(
    "title",
    [
        "Café, über; 王小明 \\ “Prep”: everything about applying, from the form to the letters " * 4,
        "Prep\r\nATTENDEE:mailto:all@example.edu",
        "Prep\nEND:VEVENT",
        "جلسة",
    ],
)
def test_no_title_breaks_out_of_its_line(title: str) -> None:
    file = file_of(replace(SESSION, title=title, location=title))
    assert max(len(line.encode()) for line in file.text.split("\r\n")) <= 75
    entry = read(file).vevent
    assert entry.summary.value == title.replace("\r\n", "\n")
    assert set(entry.contents) == set(read(file_of()).vevent.contents)


def test_it_is_the_same_for_everyone_who_registered() -> None:
    assert file_of() == file_of(now=NOW.astimezone(UTC))


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no zone"):
        file_of(now=NOW.replace(tzinfo=None))
