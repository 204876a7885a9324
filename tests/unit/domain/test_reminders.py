"""What is due in a span of time: the points that fall into it, and what turns catch up in it (R2, R3, R5, R6, R8)."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.domain.calendars import EARLY_FALL, NEW_YORK, PROGRAM, SHANGHAI, SPRING, at, deadline, in_force, moved

from enrollment_crm.domain.deadlines import Deadline, DeadlineRecord
from enrollment_crm.domain.invitations import DueInvitation
from enrollment_crm.domain.points import Anchor, Cadence, deadline_points
from enrollment_crm.domain.reminders import (
    DueCell,
    DuePoint,
    Span,
    due_cells,
    due_points,
    in_words,
    name_of_cell,
    still_due,
)
from enrollment_crm.domain.residency import Residency
from enrollment_crm.domain.turns import DateChange, Outage, PersonalTurn, Turn
from enrollment_crm.domain.withholding import WithholdReason

CADENCE = Cadence()
DOMESTIC, INSIDE, OUTSIDE, UNKNOWN = (one.value for one in Residency)
A_SECOND = timedelta(seconds=1)


def due(
    since: str | datetime,
    until: str | datetime,
    *zones: str,
    records: Sequence[DeadlineRecord] = (),
    turns: Iterable[Turn] = (),
    cadence: Cadence = CADENCE,
) -> dict[str, list[DuePoint]]:
    span = Span(*(at(one) if isinstance(one, str) else one for one in (since, until)))
    return due_points(records or in_force(SPRING), zones or (NEW_YORK,), lambda _: cadence, turns, span)


def of_group(
    points: dict[str, list[DuePoint]], residency: str = DOMESTIC, zone: str = NEW_YORK
) -> list[tuple[str, str, str | None]]:
    """When, what, and whether it is only recorded."""
    return [
        (f"{one.due_at:%m-%dT%H:%MZ}", one.offset, one.withheld)
        for one in points.get(zone, [])
        if one.residency == residency
    ]


def test_r5_the_end_of_the_span_is_in_it_and_its_beginning_is_not() -> None:
    point = at("2025-11-24T15:00Z")
    for since, until, found in [
        (point - A_SECOND, point, 1),
        (point, point + A_SECOND, 0),
        (point - A_SECOND, point - A_SECOND, 0),
        (point - A_SECOND * 2, point - A_SECOND, 0),
    ]:
        assert len(of_group(due(since, until))) == found


def test_r5_a_point_is_for_those_who_were_there_by_its_instant() -> None:
    found = due("2025-11-24T14:00Z", "2025-11-24T16:00Z")[NEW_YORK]
    assert {(one.instant, one.due_at, one.there_by) for one in found} == {(at("2025-11-24T15:00Z"),) * 3}
    assert not any(one.catch_up or one.changed_at or one.handed_over for one in found)


def test_people_of_each_zone_are_reminded_at_their_own_ten_oclock() -> None:
    found = due("2025-11-24T00:00Z", "2025-11-24T23:00Z", NEW_YORK, SHANGHAI, "Asia/Kolkata")
    assert {zone: of_group(found, zone=zone)[0][0] for zone in found} == {
        NEW_YORK: "11-24T15:00Z",
        SHANGHAI: "11-24T02:00Z",
        "Asia/Kolkata": "11-24T04:30Z",
    }


def test_r3_anchor_recipient_local_counts_from_the_date_that_the_cut_off_has_there() -> None:
    by_local_date = replace(CADENCE, anchor=Anchor.RECIPIENT_LOCAL)
    found = due("2025-11-01T00:00Z", "2025-11-01T12:00Z", SHANGHAI, cadence=by_local_date)
    assert ("11-01T02:00Z", "1d", None) in of_group(found, OUTSIDE, SHANGHAI)
    assert {one.stated_date for one in found[SHANGHAI] if one.residency == OUTSIDE} == {date(2025, 11, 1)}


def test_r8_points_of_several_deadlines_at_one_instant_are_one_cell() -> None:
    points = due("2025-11-24T14:00Z", "2025-11-24T16:00Z", records=in_force([*SPRING, *EARLY_FALL]))
    (cell,) = due_cells(points, {})
    of_domestic = [(one.entry_term, one.round, one.offset) for one in cell.points if one.residency == DOMESTIC]
    assert of_domestic == [("fall 2026", "early_action", "7d"), ("spring 2026", "final", "7d")]


def test_r8_invitations_belong_to_the_cell_of_their_zone_and_one_by_itself_comes_last() -> None:
    points = due("2025-11-24T14:00Z", "2025-11-24T16:00Z")
    invitation = DueInvitation(
        "prep-1", at("2025-12-01T15:00Z"), at("2025-12-01T16:00Z"), "7d", at("2025-11-24T15:00Z")
    )
    cells = due_cells(points, {NEW_YORK: [invitation], "Africa/Abidjan": [invitation]})
    assert [(cell.zone, bool(cell.points), len(cell.invitations)) for cell in cells] == [
        (NEW_YORK, True, 1),
        ("Africa/Abidjan", False, 1),
    ]


def test_the_cell_with_the_most_urgent_deadline_comes_first() -> None:
    soon = replace(T_7, stated_date=date(2025, 11, 1))
    cells = due_cells({NEW_YORK: [T_7], "Asia/Tokyo": [T_7, soon], "Africa/Cairo": [T_7]}, {})
    assert [cell.zone for cell in cells] == ["Asia/Tokyo", "Africa/Cairo", NEW_YORK]


def test_r2_unknown_residency_follows_the_earliest_date_and_the_hand_over_catches_nothing_up() -> None:
    """Swept every hour from October to December, as people of unknown residency would live through it."""
    found, now = [], at("2025-10-01T00:00Z")
    while now < at("2025-12-03T00:00Z"):
        found += of_group(due(now - timedelta(hours=1), now), UNKNOWN)
        now += timedelta(hours=1)
    assert [one[:2] for one in found] == [
        ("10-02T14:00Z", "30d"),
        ("10-18T14:00Z", "14d"),
        ("10-25T14:00Z", "7d"),
        ("10-31T14:00Z", "1d"),
        # the T-30 of 1 December fell while 1 November was still theirs
        ("11-17T15:00Z", "14d"),
        ("11-24T15:00Z", "7d"),
        ("11-30T15:00Z", "1d"),
    ]


def test_r2_unknown_residency_is_reminded_once_of_a_date_that_two_groups_share() -> None:
    points = due("2025-11-24T14:00Z", "2025-11-24T16:00Z", records=in_force(EARLY_FALL))[NEW_YORK]
    assert [one.residency for one in points].count(UNKNOWN) == 1
    assert {one.residency for one in points} == set(Residency)


def arrived(when: str, residency: str = DOMESTIC, zone: str = NEW_YORK) -> PersonalTurn:
    return PersonalTurn(at(when), zone, residency, PROGRAM, "spring 2026")


def test_r6_who_arrives_between_two_points_catches_up_with_the_newest() -> None:
    turn = arrived("2025-11-20T16:00Z")
    points = due(turn.at - A_SECOND, turn.at, turns=[turn])
    assert of_group(points) == [("11-20T16:00Z", "30d", "collapsed"), ("11-20T16:00Z", "14d", None)]
    assert {(one.catch_up, one.there_by, one.changed_at) for one in points[NEW_YORK]} == {(True, turn.at, turn.at)}


def test_r6_a_turn_concerns_people_of_its_own_zone_group_program_and_term() -> None:
    turn = arrived("2025-11-20T16:00Z", zone=SHANGHAI)
    points = due(turn.at - A_SECOND, turn.at, NEW_YORK, SHANGHAI, turns=[turn])
    assert list(points) == [SHANGHAI]
    assert {one.residency for one in points[SHANGHAI]} == {DOMESTIC}
    elsewhere = replace(turn, entry_term="spring 2031")
    assert due(turn.at - A_SECOND, turn.at, SHANGHAI, turns=[elsewhere]) == {}


def test_r6_by_night_what_collapses_is_due_at_the_turn_and_the_newest_at_ten() -> None:
    turn = arrived("2025-11-21T04:30Z")
    assert of_group(due(turn.at - A_SECOND, turn.at, turns=[turn])) == [("11-21T04:30Z", "30d", "collapsed")]
    assert of_group(due("2025-11-21T14:59:59Z", "2025-11-21T15:00Z", turns=[turn])) == [("11-21T15:00Z", "14d", None)]


def test_r6_at_the_end_of_an_outage_everybody_catches_up_and_a_point_then_is_on_time() -> None:
    outage = Outage(at("2025-11-16T00:00Z"), at("2025-11-24T15:00Z"))
    points = due(outage.ended - A_SECOND, outage.ended, turns=[outage])
    assert of_group(points) == [
        ("11-24T15:00Z", "7d", None),
        ("11-24T15:00Z", "30d", "collapsed"),
        ("11-24T15:00Z", "14d", "too_close_to_next"),
    ]
    assert {one.offset: one.catch_up for one in points[NEW_YORK]} == {"30d": True, "14d": True, "7d": False}


def test_r9_a_date_that_comes_into_force_is_caught_up_with_and_its_earlier_points_are_not_on_time() -> None:
    now = at("2025-11-19T16:00Z")
    records = moved(SPRING[:1], [deadline("2025-11-25", Residency.DOMESTIC, version=2)], now)
    assert of_group(due("2025-11-18T14:00Z", "2025-11-18T16:00Z", records=records)) == []
    assert of_group(due(now - A_SECOND, now, records=records, turns=[DateChange(now)])) == [
        ("11-19T16:00Z", "30d", "collapsed"),
        ("11-19T16:00Z", "14d", "collapsed"),
        ("11-19T16:00Z", "7d", None),
    ]


def test_r5_facts_of_an_instant_come_before_its_points() -> None:
    """A date that is moved at the very instant of its point is no longer due; the new one is, at its own."""
    point = at("2025-11-24T15:00Z")
    records = moved(SPRING[:1], [deadline("2025-12-08", Residency.DOMESTIC, version=2)], point)
    found = due(point - A_SECOND, point, records=records)
    assert [(one.stated_date, one.offset) for one in found[NEW_YORK]] == [(date(2025, 12, 8), "14d")] * 2
    assert {one.residency for one in found[NEW_YORK]} == {DOMESTIC, UNKNOWN}


zones = st.sampled_from([NEW_YORK, SHANGHAI, "Pacific/Kiritimati", "Pacific/Pago_Pago", "Australia/Lord_Howe"])


@given(
    stated=st.dates(date(2026, 1, 1), date(2030, 12, 31)),
    zone=zones,
    anchor=st.sampled_from(Anchor),
    days=st.sampled_from([365, 60, 30, 14, 7, 1]),
)
def test_every_point_on_earth_is_found_by_the_sweep_of_its_instant(
    stated: date, zone: str, anchor: Anchor, days: int
) -> None:
    """The shortcut that spares far deadlines the arithmetic leaves none out."""
    cadence = Cadence(offsets_in_days=(days,), anchor=anchor)
    one = deadline(stated.isoformat(), Residency.DOMESTIC)
    (point,) = deadline_points(one, ZoneInfo(zone), cadence)
    found = due(point.instant - A_SECOND, point.instant, zone, records=in_force([one]), cadence=cadence)
    assert {(point.instant, point.offset) for point in found[zone]} == {(point.instant, f"{days}d")}


def test_nothing_is_due_on_a_day_without_points() -> None:
    assert due("2025-11-26T00:00Z", "2025-11-28T00:00Z") == {}
    assert due_cells({}, {}) == []


T_7 = DuePoint(
    program=PROGRAM,
    entry_term="spring 2026",
    round="final",
    residency=DOMESTIC,
    stated_date=date(2025, 12, 1),
    offset="7d",
    instant=at("2025-11-24T15:00Z"),
    due_at=at("2025-11-24T15:00Z"),
    there_by=at("2025-11-24T15:00Z"),
)


def cell_of(*points: DuePoint) -> DueCell:
    return DueCell(NEW_YORK, points)


def still(cell: DueCell, now: str, deadlines: Iterable[Deadline] = SPRING) -> tuple[DuePoint, ...]:
    return still_due(cell, deadlines, now=at(now)).points


def test_a_cell_that_is_sent_at_once_stands_as_it_was_found() -> None:
    (cell,) = due_cells(due("2025-11-24T14:00Z", "2025-11-24T15:00Z"), {})
    assert still_due(cell, SPRING, now=at("2025-11-24T15:05Z")) == cell


def test_r9_a_point_of_a_date_that_nobody_has_any_more_is_not_sent() -> None:
    elsewhere = [deadline("2025-12-15", one) for one in (Residency.DOMESTIC, Residency.INTERNATIONAL_INSIDE_US)]
    assert still(cell_of(T_7), "2025-11-24T15:05Z", elsewhere) == ()


def test_a_point_whose_deadline_is_over_when_it_is_sent_is_too_late() -> None:
    (in_time,) = still(cell_of(T_7), "2025-12-02T04:59:59Z")
    (late,) = still(cell_of(T_7), "2025-12-02T05:00Z")
    assert (in_time.withheld, late.withheld) == (None, WithholdReason.TOO_LATE)


def test_what_was_only_to_be_recorded_keeps_its_reason() -> None:
    collapsed = replace(T_7, withheld=WithholdReason.COLLAPSED)
    assert still(cell_of(collapsed), "2025-12-02T05:00Z") == (collapsed,)


def test_people_of_unknown_residency_follow_a_date_of_any_group() -> None:
    theirs = replace(T_7, residency=UNKNOWN)
    assert still(cell_of(theirs), "2025-11-24T15:05Z") == (theirs,)


def early(residency: str, offset: str) -> DuePoint:
    return replace(T_7, entry_term="fall 2026", round="early_action", residency=residency, offset=offset)


def test_what_operations_read_in_the_grid() -> None:
    assert (
        name_of_cell(cell_of(early(OUTSIDE, "7d"))) == "early action fall 2026 · 7 days · outside US · America/New_York"
    )
    assert name_of_cell(cell_of(early(OUTSIDE, "7d"), T_7)) == (
        "early action fall 2026 + final spring 2026 · 7 days · domestic, outside US · America/New_York"
    )
    everyone = cell_of(*(early(one, "1d") for one in Residency))
    assert name_of_cell(everyone) == "early action fall 2026 · 1 day · everyone · America/New_York"
    collapsed = replace(early(OUTSIDE, "30d"), withheld=WithholdReason.COLLAPSED)
    assert name_of_cell(cell_of(collapsed, T_7)) == "final spring 2026 · 7 days · domestic · America/New_York"
    assert name_of_cell(cell_of(collapsed)) == "early action fall 2026 · 30 days · outside US · America/New_York"


def test_what_operations_read_of_an_invitation() -> None:
    starts = at("2025-12-01T15:00Z")
    alone = DueInvitation("prep-1", starts, starts, "7d", T_7.instant)
    folds = replace(alone, prep_session_id="prep-2", folds_only=True)
    assert name_of_cell(DueCell(NEW_YORK, (), (alone,))) == "invitation to prep-1 · America/New_York"
    assert name_of_cell(DueCell(NEW_YORK, (T_7,), (folds,))).startswith("final spring 2026 · 7 days · domestic")
    assert "prep-2" not in name_of_cell(DueCell(NEW_YORK, (T_7,), (folds,)))


@pytest.mark.parametrize(
    ("offset", "words"), [("7d", "7 days"), ("1d", "1 day"), ("1h", "1 hour"), ("2h", "2 hours"), ("30m", "30 minutes")]
)
def test_an_offset_in_words(offset: str, words: str) -> None:
    assert in_words(offset) == words
