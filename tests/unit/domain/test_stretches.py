"""Stretches: between two edges every turn has the same outcome, whatever the clock, the cadence and the calendar."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from enrollment_crm.domain.deadlines import Deadline, DeadlineGroup, DeadlineRecord, Round
from enrollment_crm.domain.points import Anchor, Cadence
from enrollment_crm.domain.reminders import DuePoint, Span, due_points
from enrollment_crm.domain.residency import STATED_GROUPS, Residency
from enrollment_crm.domain.stretches import TICK, edges_of_turns, joined
from enrollment_crm.domain.terms import EntryTerm
from enrollment_crm.domain.turns import LONGEST_WAIT, PersonalTurn

LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)
ZONES = ("America/New_York", "Asia/Kathmandu", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Australia/Lord_Howe")
TERM = EntryTerm.parse("spring 2026")

#: When the window opens, when it closes, and the hour of sending.
days = st.sampled_from(
    [(time(8), time(21), time(10)), (time(1, 40), time(21), time(2, 20)), (time(0), time(2, 10), time(0))]
)
cadences = st.builds(
    lambda day, offsets, anchor, close, late: Cadence(
        offsets_in_days=offsets,
        window_from=day[0],
        window_to=day[1],
        hour=day[2],
        anchor=anchor,
        too_close_in_hours=close,
        too_late_in_hours=late,
    ),
    days,
    st.sampled_from([(30, 14, 7, 1), (3, 2, 1), (1,)]),
    st.sampled_from(Anchor),
    st.sampled_from([48.1, 7.3, 0]),
    st.sampled_from([2, 0.7]),
)
#: Nights before and after points, cut-offs, and the two at which clocks change.
nights = st.integers(0, 60 * 24 * 60).map(
    lambda minutes: datetime(2025, 10, 5, tzinfo=UTC) + timedelta(minutes=minutes)
)


def record(residency: Residency, day: date, since: datetime, until: datetime | None = None) -> DeadlineRecord:
    return DeadlineRecord(Deadline(DeadlineGroup("aim", TERM, Round.FINAL, residency), day), since, until)


def records(now: datetime, days: tuple[int, int, int]) -> list[DeadlineRecord]:
    """Three dates near an instant; one is cancelled a few hours before it, and comes back later."""
    domestic, inside, outside = STATED_GROUPS
    first, second, third = (now.date() + timedelta(days=one) for one in days)
    cancelled, back = now - timedelta(hours=7, seconds=3), now - timedelta(hours=5, microseconds=8)
    return [
        record(domestic, first, LONG_AGO, cancelled),
        record(domestic, first, back),
        record(inside, second, LONG_AGO),
        record(outside, third, LONG_AGO),
    ]


def outcome(turn: PersonalTurn, known: list[DeadlineRecord], cadence: Cadence, span: Span) -> list[DuePoint]:
    """What becomes of a turn, without what tells it from others of its stretch."""
    nobodys: Any = LONG_AGO
    points = due_points(known, [turn.zone], lambda _: cadence, [turn], span).get(turn.zone, [])
    own = [one for one in points if one.changed_at is not None]
    return [
        replace(
            one,
            due_at=nobodys if one.due_at == turn.at else one.due_at,
            there_by=nobodys,
            changed_at=nobodys,
            changed_from=nobodys,
        )
        for one in own
    ]


near = st.integers(-2, 4)


def cadence(opens: time, closes: time, hour: time, late: float = 2) -> Cadence:
    return Cadence(window_from=opens, window_to=closes, hour=hour, too_late_in_hours=late)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@settings(max_examples=100, deadline=None, derandomize=True)
# A point falls into the span; a date was cancelled, and is back, in the night before it.
@example(at("2025-11-20T15:30Z"), (7, 7, 7), Cadence(), ZONES[0], STATED_GROUPS[1])
@example(at("2025-11-20T15:30Z"), (5, 5, 5), Cadence(), ZONES[0], Residency.DOMESTIC)
# The window opens within the span; a cut-off is near by daylight; the window closes in the hour that clocks leave out.
@example(at("2025-11-20T06:50Z"), (5, 5, 5), cadence(time(1, 40), time(21), time(2, 20)), ZONES[0], Residency.DOMESTIC)
@example(at("2025-11-21T04:45Z"), (3, -1, 3), cadence(time(8), time(21), time(10), 0.7), ZONES[1], STATED_GROUPS[1])
@example(at("2026-03-08T07:20Z"), (5, 5, 5), cadence(time(0), time(2, 10), time(0)), ZONES[0], Residency.DOMESTIC)
@given(
    now=nights,
    days=st.tuples(near, near, near),
    cadence=cadences,
    zone=st.sampled_from(ZONES),
    residency=st.sampled_from(Residency),
)
def test_all_turns_between_two_edges_have_one_outcome(
    now: datetime, days: tuple[int, int, int], cadence: Cadence, zone: str, residency: Residency
) -> None:
    known = records(now, days)
    span = Span(now - timedelta(hours=1), now)
    edges = edges_of_turns(known, [zone], lambda _: cadence, [cadence], span)[zone]
    first = span.after - LONGEST_WAIT + TICK
    for begin, end in zip([first, *edges], [*edges, now + TICK], strict=True):
        instants = [one for one in (begin, begin + (end - begin) / 3, end - TICK) if begin <= one < end]
        turns = [PersonalTurn(one, zone, residency.value, "aim", str(TERM)) for one in instants]
        found = [outcome(turn, known, cadence, span) for turn in turns]
        assert all(one == found[0] for one in found), (begin, end)
    assert len(edges) < 400


def test_stretches_that_only_edges_of_other_zones_part_are_joined() -> None:
    noon, minute = datetime(2025, 11, 20, 12, tzinfo=UTC), timedelta(minutes=1)
    edges = {ZONES[0]: [noon, noon + 4 * minute], ZONES[1]: [noon + 2 * minute]}

    def turn(zone: str, first: int, last: int) -> PersonalTurn:
        return PersonalTurn(noon + last * minute, zone, "domestic", "aim", str(TERM), began=noon + first * minute)

    new_york = [turn(ZONES[0], -2, -1), turn(ZONES[0], 0, 1), turn(ZONES[0], 2, 3), turn(ZONES[0], 4, 5)]
    kathmandu = [turn(ZONES[1], -1, 1), turn(ZONES[1], 2, 3)]
    other_cell = replace(new_york[1], residency="unknown")
    assert {*joined([*new_york, *kathmandu, other_cell], edges)} == {
        new_york[0],
        turn(ZONES[0], 0, 3),
        new_york[3],
        *kathmandu,
        other_cell,
    }
