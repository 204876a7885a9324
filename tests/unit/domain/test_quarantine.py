"""What a rejected row puts at risk, and how its values are spoken of."""

from datetime import date, datetime
from typing import Any

import pytest
from tests.factories import utc

from enrollment_crm.domain.canonical_rows import CANONICAL_FIELDS, RecordKind
from enrollment_crm.domain.deadlines import Deadline, DeadlineGroup, Round
from enrollment_crm.domain.points import Cadence
from enrollment_crm.domain.quarantine import MissedReminder, MissedReminders, damage_of, value_class
from enrollment_crm.domain.residency import STATED_GROUPS, Residency
from enrollment_crm.domain.terms import EntryTerm

DAYS = {
    ("fall 2027", Round.EARLY_ACTION, None): date(2026, 12, 1),
    ("fall 2027", Round.FINAL, Residency.INTERNATIONAL_OUTSIDE_US): date(2027, 6, 1),
    ("fall 2027", Round.FINAL, Residency.INTERNATIONAL_INSIDE_US): date(2027, 7, 1),
    ("fall 2027", Round.FINAL, Residency.DOMESTIC): date(2027, 8, 1),
    ("spring 2027", Round.FINAL, Residency.INTERNATIONAL_OUTSIDE_US): date(2026, 11, 1),
    ("spring 2027", Round.FINAL, Residency.INTERNATIONAL_INSIDE_US): date(2026, 12, 1),
    ("spring 2027", Round.FINAL, Residency.DOMESTIC): date(2026, 12, 1),
}
DEADLINES = [
    Deadline(DeadlineGroup("aim", EntryTerm.parse(term), a_round, group), day)
    for (term, a_round, one), day in DAYS.items()
    for group in (STATED_GROUPS if one is None else (one,))
]


def missed(now: datetime, *, kind: RecordKind = RecordKind.SIGNUP, values: dict[str, str]) -> MissedReminder | None:
    row: dict[str, Any] = {**dict.fromkeys(CANONICAL_FIELDS[kind]), **values}
    reminders = MissedReminders(
        DEADLINES,
        cadence_of=lambda _: Cadence(),
        default_program="aim",
        zone_of=lambda row: row.get("time_zone") or "America/New_York",
        now=now,
    )
    return reminders.of(row, source="form")


@pytest.mark.parametrize(
    ("values", "at", "words"),
    [
        ({"entry_term": "fall 2027"}, "2026-11-17T15:00", "early action fall 2027, 14d before 2026-12-01"),
        (
            {"entry_term": "fall 2027", "time_zone": "Asia/Shanghai"},
            "2026-11-17T02:00",
            "early action fall 2027, 14d before 2026-12-01",
        ),
        (
            {"entry_term": "spring 2027", "residency": "international_outside_us"},
            "2026-10-18T14:00",
            "final spring 2027, 14d before 2026-11-01",
        ),
        ({"entry_term": "999999"}, "2026-10-18T14:00", "final spring 2027, 14d before 2026-11-01"),
        ({"program": "alchemy"}, "2026-10-18T14:00", "final spring 2027, 14d before 2026-11-01"),
    ],
)
def test_the_next_point_of_the_row_s_own_dates(values: dict[str, str], at: str, words: str) -> None:
    now = utc("2026-11-16T12:00") if at.startswith("2026-11") else utc("2026-10-10T12:00")
    found = missed(now, values=values)
    assert found is not None
    assert found.at == utc(at)
    assert found.words.startswith(words)
    assert ("the row names no term" in found.words) is (values.get("entry_term") not in {"fall 2027", "spring 2027"})


def test_after_the_last_point_the_cut_off_is_what_counts() -> None:
    found = missed(utc("2026-12-01T16:00"), values={"entry_term": "spring 2027", "residency": "domestic"})
    assert found is not None
    assert (found.at, found.offset) == (utc("2026-12-02T05:00"), "")
    assert found.words == "final spring 2027, 2026-12-01"


def test_nothing_is_missed_where_every_date_is_over() -> None:
    assert missed(utc("2027-09-01T12:00"), values={"entry_term": "fall 2027"}) is None


def test_residency_is_concluded_from_the_evidence_of_an_application() -> None:
    said = {"entry_term": "spring 2027", "citizenship": "temporary_resident", "address_country": "US"}
    found = missed(utc("2026-11-02T12:00"), kind=RecordKind.APPLICATION, values=said)
    assert found is not None
    assert found.deadline.group.residency is Residency.INTERNATIONAL_INSIDE_US


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "blank"),
        ("", "blank"),
        ("Herbst siebenund", "text of 16 letters"),
        ("x", "text of 1 letter"),
        ("Šárka O'Neil", "text of 12 letters"),
        ("Herbst 27", "text of 9 characters"),
        ("999999", "number of 6 digits"),
        ("2019-05-01", "date before 2020"),
        ("2026-05-01T10:00:00-05:00", "date from 2020 on"),
        ("a@b@example.edu", "text of 15 characters with 2 at signs"),
        ("As\ufffdha", "text of 5 characters, unreadable in part"),
        ("\ufffd", "text of 1 character, unreadable in part"),
    ],
)
def test_the_class_of_a_value_never_holds_the_value(value: str | None, said: str) -> None:
    assert value_class(value) == said


@pytest.mark.parametrize(
    "note",
    [
        "2 cells under 3 headings",
        "a quotation mark is not closed or not doubled",
        "the entry is no row",
        "a name stands there twice",
        "first_name has 1100000 characters",
        "a formula has no saved result: open the workbook, save it, and drop it again",
    ],
)
def test_how_a_row_is_damaged_is_said(note: str) -> None:
    assert damage_of(note) == note


def test_a_column_of_a_file_cannot_pass_for_our_own_note() -> None:
    assert damage_of("Xerxes has 12 characters") == "text of 24 characters"
    assert damage_of(None) == "blank"
