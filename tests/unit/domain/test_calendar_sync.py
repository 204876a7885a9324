"""What pages say beside what is in force: differences become a proposal, doubts become questions."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from enrollment_crm.domain.calendar_readings import CalendarPart, CalendarReading, SourceProblem
from enrollment_crm.domain.calendar_sync import (
    Comparison,
    Question,
    compare_readings,
    problems_in_words,
    reference_program,
)
from enrollment_crm.domain.deadlines import Deadline, DeadlineGroup, Round
from enrollment_crm.domain.instants import NaiveDatetimeError
from enrollment_crm.domain.listings import HeldBack, HoldReason
from enrollment_crm.domain.prep_sessions import PrepSession
from enrollment_crm.domain.residency import Residency
from enrollment_crm.domain.terms import EntryTerm
from enrollment_crm.sources.programs import read_programs

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
(KEY,) = read_programs(Path(__file__).parents[3] / "config" / "programs")
PROGRAM = read_programs(Path(__file__).parents[3] / "config" / "programs")[KEY]
OTHER = replace(PROGRAM, key="ms-other", url="https://crm.example/ms-other/")
GROUP = DeadlineGroup(KEY, EntryTerm.parse("spring 2027"), Round.FINAL, Residency.DOMESTIC)
IN_FORCE = Deadline(GROUP, date(2026, 12, 1), version=3, cut_off_zone="America/Chicago")
MOVED = Deadline(GROUP, date(2026, 12, 15))
SESSION = PrepSession(
    "prep-7",
    "Prep",
    datetime(2026, 11, 6, 15, tzinfo=UTC),
    "America/New_York",
    60,
    "Online",
    "https://crm.example/events/7",
)


def compared(
    *readings: CalendarReading, in_force: tuple[Deadline, ...] = (IN_FORCE,), known: tuple[PrepSession, ...] = ()
) -> Comparison:
    """The comparison of one reading for each program."""
    return compare_readings(
        dict(zip((KEY, OTHER.key), readings, strict=False)),
        {KEY: PROGRAM, OTHER.key: OTHER},
        in_force=in_force,
        sessions=known,
        source="https://crm.example/events/",
        sources={KEY: "https://crm.example/"},
        now=NOW,
    )


def test_a_stated_date_ends_on_the_clock_that_is_in_force() -> None:
    proposal = compared(CalendarReading(deadlines=(MOVED,))).proposal
    assert proposal.deadlines == (replace(MOVED, cut_off_zone="America/Chicago"),)
    assert (proposal.cancelled_deadlines, proposal.source) == ((), "https://crm.example/events/")
    assert proposal.sources == {KEY: "https://crm.example/"}


def test_a_term_without_a_date_gets_none_from_a_page() -> None:
    """The page names no term: whether a term has dates is decided by `db upgrade` or a rollover."""
    assert compared(CalendarReading(deadlines=(MOVED,)), in_force=()).proposal.deadlines == ()


def test_a_date_that_is_not_stated_stays() -> None:
    assert compared(CalendarReading()).proposal.deadlines == ()


def test_two_dates_for_one_group_are_for_a_person() -> None:
    found = compared(CalendarReading(deadlines=(MOVED, replace(MOVED, stated_date=date(2026, 12, 16)), MOVED)))
    assert found.proposal.deadlines == ()
    words = "it is stated as 2026-12-15 and as 2026-12-16: which is meant?"
    held = HeldBack("spring 2027 final domestic", HoldReason.CONTRADICTION, words)
    assert found.questions == (Question(KEY, held),)


def test_a_list_that_two_programs_name_is_one_list() -> None:
    reading = CalendarReading(sessions=(SESSION,))
    assert compared(reading, reading).proposal.prep_sessions == (SESSION,)


def test_two_programs_that_contradict_each_other_are_for_a_person() -> None:
    later = replace(SESSION, starts=SESSION.starts + timedelta(hours=1))
    found = compared(CalendarReading(sessions=(SESSION,)), CalendarReading(sessions=(later,)))
    assert found.proposal.prep_sessions == ()
    assert [(one.program, one.held.listing, one.held.reason) for one in found.questions] == [
        (KEY, "prep-7", HoldReason.CONTRADICTION)
    ]


def test_the_address_of_a_program_is_not_that_of_a_session() -> None:
    """A feed's session without an address has its program's; two of them are two."""
    mine, theirs = replace(SESSION, url=PROGRAM.url), replace(SESSION, id="prep-8", url=PROGRAM.url)
    found = compared(CalendarReading(sessions=(mine,)), CalendarReading(sessions=(theirs,)), known=(mine,))
    assert found.proposal.prep_sessions == (mine, theirs)


def test_an_address_that_is_known_is_not_lost_to_the_programs() -> None:
    found = compared(CalendarReading(sessions=(replace(SESSION, url=PROGRAM.url),)), known=(SESSION,))
    assert found.proposal.prep_sessions == (SESSION,)


def test_what_is_held_back_becomes_a_question_unless_it_is_settled() -> None:
    doubts = (
        HeldBack("prep-7", HoldReason.LISTING_YEAR, "when?"),
        HeldBack("prep-8", HoldReason.LISTING_YEAR, "when?"),
    )
    over = replace(SESSION, starts=NOW - timedelta(hours=20))
    found = compared(CalendarReading(held_back=doubts, warnings=("a label",)), known=(over,))
    assert found.questions == (Question(KEY, doubts[1]),)
    assert found.remarks == ("a label",)


def test_what_a_feed_cancels_is_proposed() -> None:
    found = compared(CalendarReading(cancelled=(replace(SESSION, minutes=0),)), known=(SESSION,))
    assert found.proposal.cancelled_sessions == ("prep-7",)


def test_a_page_is_read_against_the_dates_in_force() -> None:
    program = reference_program(PROGRAM, [replace(IN_FORCE, stated_date=date(2027, 1, 20))])
    dates = {one.group: one.stated_date for one in program.deadlines}
    assert dates[GROUP] == date(2027, 1, 20)
    assert len(dates) == len(PROGRAM.deadlines)
    confirmed = replace(GROUP, entry_term=EntryTerm.parse("spring 2031"))
    assert confirmed in {
        one.group for one in reference_program(PROGRAM, [Deadline(confirmed, MOVED.stated_date)]).deadlines
    }
    assert OTHER.deadlines == reference_program(OTHER, [IN_FORCE]).deadlines


def test_problems_name_the_program_and_the_part() -> None:
    problem = SourceProblem("https://crm.example/", CalendarPart.DEADLINES, "https://crm.example/: no dates.", False)
    assert problems_in_words({KEY: CalendarReading(problems=(problem,))}) == [
        f"{KEY}, deadlines: https://crm.example/: no dates."
    ]


def test_an_instant_has_a_zone() -> None:
    with pytest.raises(NaiveDatetimeError):
        compare_readings({}, {}, in_force=[], sessions=[], source="", sources={}, now=datetime(2026, 11, 1))  # noqa: DTZ001
