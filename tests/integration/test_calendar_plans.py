"""A plan says exactly what will happen: it is applied, the sweeps run to the end, and both are compared."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from tests.factories import DAY, HOUR, Office
from tests.integration.planned_calendar import (
    FIFTH,
    NOW,
    Happened,
    apply_late,
    final,
    live,
    populate,
    prepared,
    recording,
)

from enrollment_crm.domain.calendar_plans import CalendarPlan
from enrollment_crm.domain.impacts import Figures
from enrollment_crm.domain.proposals import Proposal
from enrollment_crm.workflows import cells
from enrollment_crm.workflows.calendar_changes import apply_calendar
from enrollment_crm.workflows.calendar_plans import plan_calendar

pytestmark = pytest.mark.slow

#: The first final date of spring 2027 was over at midnight of 2 November.
HANDED = datetime(2026, 11, 3, 16, tzinfo=UTC)
AFTER_ALL = FIFTH.starts + 300 * DAY
END, NEW_YEAR = datetime(2027, 9, 1, tzinfo=UTC), datetime(2027, 1, 2, tzinfo=UTC)


def dates(term: str, day: date, *groups: str) -> Proposal:
    return Proposal("a test", deadlines=tuple(final(term, day, *groups)))


def change(office: Office, proposal: Proposal, *, now: datetime = NOW) -> CalendarPlan:
    plan = plan_calendar(office.engine, office.outbox, proposal, now=now)
    apply_calendar(office.engine, office.outbox.cadences, plan, by="Ana", why="a test", now=now)
    return plan


def moved_a_week_before(office: Office) -> None:
    """The date was moved before, by a week, and swept since."""
    populate(office, until=NOW - 30 * HOUR)
    change(office, dates("spring 2027", date(2026, 12, 8)), now=NOW - 30 * HOUR)
    live(office, NOW - 30 * HOUR, NOW)


CHANGES = {
    "a week later": dates("spring 2027", date(2026, 12, 8)),
    "two weeks later": dates("spring 2027", date(2026, 12, 15)),
    "one group, two weeks later": dates("spring 2027", date(2026, 12, 15), "domestic"),
    "a month later": dates("spring 2027", date(2026, 12, 31)),
    "earlier": dates("spring 2027", date(2026, 11, 28)),
    "to tomorrow": dates("spring 2027", date(2026, 11, 25)),
    "to today": dates("spring 2027", date(2026, 11, 24)),
    "into the past": dates("spring 2027", date(2026, 11, 20)),
    "the first of three": dates("fall 2027", date(2027, 6, 15), "international_outside_us"),
    "the first of three to the last": dates("fall 2027", date(2027, 8, 20), "international_outside_us"),
    "the last of three to the first": dates("fall 2027", date(2026, 12, 20), "domestic"),
    "one is cancelled": Proposal(
        "a test", cancelled_deadlines=(final("fall 2027", END.date(), "international_outside_us")[0].group,)
    ),
    "another clock": Proposal(
        "a test",
        deadlines=tuple(replace(one, cut_off_zone="Asia/Tokyo") for one in final("fall 2027", date(2027, 7, 1))),
    ),
}


@pytest.mark.parametrize("proposal", CHANGES.values(), ids=CHANGES)
def test_what_was_planned_happens(office: Office, proposal: Proposal) -> None:
    assert_exact(recording(office), proposal, "populated", populate)


@pytest.mark.parametrize("day", [date(2026, 12, 1), date(2026, 12, 15), date(2026, 11, 30)])
def test_what_was_planned_happens_after_another_move(office: Office, day: date) -> None:
    assert_exact(recording(office), dates("spring 2027", day), "moved", moved_a_week_before)


def right_after_a_hand_over(office: Office) -> None:
    """The first of three dates was over the day before: people of unknown residency follow the next one (R2)."""
    populate(office, until=HANDED)


@pytest.mark.parametrize("day", [date(2026, 12, 2), date(2026, 12, 8)])
def test_what_was_planned_happens_right_after_a_hand_over(office: Office, day: date) -> None:
    ahead = dates("spring 2027", day, "domestic", "international_inside_us")
    assert_exact(recording(office), ahead, "handed", right_after_a_hand_over, HANDED)


def right_after_an_outage(office: Office) -> None:
    """Nobody looked for four days, in which points fell; to some the late reminder comes in their morning (R6)."""
    populate(office, until=NOW - 4 * DAY)
    office.sweep(NOW - 2 * HOUR)
    office.sweep(NOW - HOUR)
    apply_late(office, at=NOW - HOUR / 2)
    office.sweep(NOW)


def while_an_outage_ends(office: Office) -> None:
    """The same, and the sweep that ends it is still to come."""
    populate(office, until=NOW - 4 * DAY)


@pytest.mark.parametrize("prepare", [right_after_an_outage, while_an_outage_ends])
@pytest.mark.parametrize("day", [date(2026, 12, 2), date(2026, 12, 8)])
def test_what_was_planned_happens_after_an_outage(office: Office, day: date, prepare: Callable[[Office], None]) -> None:
    assert_exact(recording(office), dates("spring 2027", day), prepare.__name__, prepare)


@pytest.mark.parametrize("day", [date(2026, 12, 15), date(2026, 11, 28)])
def test_what_was_planned_happens_where_turns_are_put_together(
    office: Office, day: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What happens without the change was played turn by turn."""
    undisturbed(recording(office), "populated", populate, NEW_YEAR)
    monkeypatch.setattr(cells, "MOST_TURNS_ONE_BY_ONE", 0)
    assert_exact(recording(office), dates("spring 2027", day), "populated", populate)


def assert_exact(
    office: Office, proposal: Proposal, name: str, prepare: Callable[[Office], None], now: datetime = NOW
) -> None:
    of_fall = any("fall" in str(one.group.entry_term) for one in proposal.deadlines) or proposal.cancelled_deadlines
    end = END if of_fall else NEW_YEAR
    without = undisturbed(office, name, prepare, end, now)
    prepared(office, name, prepare)
    at_work = office.query("SELECT count(*) FROM message")
    plan = change(office, proposal, now=now)
    assert office.query("SELECT count(*) FROM message") == at_work, "applying sends nothing"
    live(office, now, end)
    happened = Happened.since(office, now)
    assert plan.deadlines
    planned = {(cell.program, cell.entry_term, cell.round, cell.residency): cell for cell in plan.cells}
    reminders = {cell: dynamic(one.figures) for cell, one in planned.items() if dynamic(one.figures) != Figures()}
    checklists = {
        cell: dynamic(one.checklists) for cell, one in planned.items() if dynamic(one.checklists) != Figures()
    }
    assert seen("deadline_reminder", without, happened, now) == reminders
    assert seen("checklist_reminder", without, happened, now) == checklists
    assert invitations(plan) == seen_invitations(without, happened)


#: What happens if nothing is changed: played once for each population.
_UNDISTURBED: dict[tuple[str, datetime], Happened] = {}


def undisturbed(
    office: Office, name: str, prepare: Callable[[Office], None], end: datetime, now: datetime = NOW
) -> Happened:
    if (name, end) not in _UNDISTURBED:
        prepared(office, name, prepare)
        live(office, now, end)
        _UNDISTURBED[name, end] = Happened.since(office, now)
    return _UNDISTURBED[name, end]


def invitations(plan: CalendarPlan) -> dict[tuple[object, ...], tuple[int, int]]:
    """What a plan says of invitations, by session and start."""
    return {(one.prep_session_id, one.starts): (one.invited, one.no_longer_invited) for one in plan.invitations}


def seen_invitations(without: Happened, happened: Happened) -> dict[tuple[object, ...], tuple[int, int]]:
    """The same, as it happened."""
    more, fewer = happened.invited() - without.invited(), without.invited() - happened.invited()
    keys = {one[:2] for one in more | fewer}
    return {key: (sum(one[:2] == key for one in more), sum(one[:2] == key for one in fewer)) for key in keys}


def dynamic(figures: Figures) -> Figures:
    """What of the figures is still to happen."""
    return replace(figures, people=0, withheld=0, reminded_people=0, reminders_sent=0)


def seen(kind: str, without: Happened, happened: Happened, now: datetime) -> dict[tuple[str, ...], Figures]:
    """What happened, and would not have happened without the change, by cell."""
    found: dict[tuple[str, ...], Figures] = {}

    def add(cell: tuple[str, ...], **figures: int) -> None:
        found[cell] = found.get(cell, Figures()) + Figures(**figures)

    sent, sent_without = happened.reminders(kind), without.reminders(kind)
    for key in sent.keys() - sent_without.keys():
        late, at = sent[key]
        name = "to_come" if not late else "catch_up_at_once" if at == now else "catch_up_in_the_morning"
        add(key[1:5], **{name: 1})
    for key in sent_without.keys() - sent.keys():
        add(key[1:5], withdrawn=1)
    for name, reason in (("too_close", "too_close_to_next"), ("too_late", "too_late")):
        for who in {row[:5] for row in happened.dropped(kind, reason) - without.dropped(kind, reason)}:
            add(who[:4], **{name: 1})
    for cell, count in happened.notices().items() if kind == "deadline_reminder" else ():
        add(cell, notices=count)
    return found


def with_registrations(office: Office) -> None:
    """Some are registered for the session of 5 December; one of them wants no mail."""
    populate(office)
    office.change(
        "INSERT INTO registration (person_id, prep_session_id, registered_at) SELECT id, 'prep-5', :at FROM person "
        "WHERE email LIKE 'domestic%' OR email LIKE 'unsub%' OR email LIKE 'shanghai%'",
        at=NOW - HOUR,
    )
    office.change(
        "INSERT INTO suppression (email_key, reason, at, added_by, why) "
        "SELECT email_key, 'hard_bounce', :at, 'a test', '5.1.1' FROM person WHERE email LIKE 'domestic-sp%'",
        at=NOW - HOUR,
    )
    live(office, NOW, NOW)


SESSIONS = {
    "moves to before the deadline": Proposal("a test", prep_sessions=(replace(FIFTH, starts=FIFTH.starts - 5 * DAY),)),
    "moves to after all deadlines": Proposal("a test", prep_sessions=(replace(FIFTH, starts=AFTER_ALL),)),
    "has another room": Proposal("a test", prep_sessions=(replace(FIFTH, location="Room 7", title="Prep, again"),)),
    "has another title": Proposal("a test", prep_sessions=(replace(FIFTH, title="Prep, again"),)),
    "is cancelled": Proposal("a test", cancelled_sessions=(FIFTH.id,)),
    "helps more people": dates("spring 2027", date(2026, 12, 15)),
    "helps more people, a day later": replace(
        dates("spring 2027", date(2026, 12, 15)), prep_sessions=(replace(FIFTH, starts=FIFTH.starts + DAY),)
    ),
    "is added": Proposal("a test", prep_sessions=(replace(FIFTH, id="prep-1", starts=FIFTH.starts - 4 * DAY),)),
}


@pytest.mark.parametrize("proposal", SESSIONS.values(), ids=SESSIONS)
def test_what_was_planned_of_a_session_happens(office: Office, proposal: Proposal) -> None:
    quiet = recording(office)
    without = undisturbed(quiet, "registered", with_registrations, NEW_YEAR)
    prepared(quiet, "registered", with_registrations)
    plan = change(quiet, proposal)
    live(quiet, NOW, NEW_YEAR)
    happened = Happened.since(quiet, NOW)
    told = happened.of_kind("session_moved") + happened.of_kind("session_cancelled")
    assert plan.sessions or plan.deadlines
    assert {one.change.session.id: one.told for one in plan.sessions if one.told} == dict(told)
    assert invitations(plan) == seen_invitations(without, happened)
