"""Random cycles, rehearsed by the real workflows on a real database: what property tests are made with."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from enrollment_crm.bootstrap import country_zones_of, field_maps_of, rehearsal_outbox_of
from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.domain.residency import STATED_GROUPS
from enrollment_crm.domain.scenarios import scenario_of
from enrollment_crm.settings import Settings
from enrollment_crm.storage.rehearsal import scratch_schema
from enrollment_crm.storage.schema import upgrade_schema
from enrollment_crm.validation.verdicts import CandidateRow, Verdict
from enrollment_crm.workflows.rehearsal import Rehearsal, RehearsalParts

Fact = dict[str, Any]

START = datetime(2025, 10, 29, tzinfo=UTC)
END = datetime(2025, 12, 14, tzinfo=UTC)
#: Half hours, quarter hours, both sides of the date line, clocks that change in the cycle and in the other half year.
ZONES = (
    "America/New_York",
    "America/Los_Angeles",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Shanghai",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
    "Australia/Lord_Howe",
    "Europe/London",
)
RESIDENCIES = (*(group.value for group in STATED_GROUPS), None)
TERMS = ("spring 2026", "fall 2026")
PROGRAMS = (None, "ms-robotics")
PEOPLE = ("ana@example.edu", "ben@example.edu", "cem@example.edu", "dia@example.edu")
SESSIONS = ("autumn", "winter")


class NoRulesOfBatches:
    """Asks nothing of a whole batch."""

    def measures(self, kind: RecordKind, *, rows: int) -> tuple[str, ...]:
        return ()


class TrustingValidator:
    """Accepts every row: these rows are made to be right, and Great Expectations would cost most of the time."""

    batches = NoRulesOfBatches()

    def validate(self, kind: RecordKind, rows: Sequence[CandidateRow]) -> Verdict:
        del kind
        return Verdict(accepted=tuple(row.id for row in rows), rejected=(), counts=())


@dataclass(frozen=True)
class Stage:
    """A schema of its own, in which one cycle after another is rehearsed."""

    engine: Engine

    def parts(self, raw: Mapping[str, Any]) -> RehearsalParts:
        outbox = rehearsal_outbox_of(Settings(), self.engine, scenario_of(raw))
        trusting: Any = TrustingValidator()
        return RehearsalParts(outbox, trusting, field_maps_of(Settings()), country_zones_of(Settings()))

    def rehearsal(self, facts: Sequence[Fact]) -> tuple[Rehearsal, RehearsalParts]:
        """A cycle with these facts, ready to begin."""
        raw = cycle(facts)
        parts = self.parts(raw)
        rehearsal = Rehearsal(scenario_of(raw), parts)
        rehearsal.prepare()
        return rehearsal, parts

    def sends(self, facts: Sequence[Fact]) -> list[dict[str, Any]]:
        """Everything that is sent in a cycle with these facts, in order."""
        rehearsal, _ = self.rehearsal(facts)
        for instant in rehearsal.instants():
            rehearsal.live(instant)
        return list(rehearsal.result().sends)


@contextmanager
def open_stage(engine: Engine, name: str) -> Iterator[Stage]:
    with scratch_schema(engine, name) as scratch:
        upgrade_schema(scratch)
        yield Stage(scratch)


def cycle(facts: Sequence[Fact]) -> dict[str, Any]:
    """The scenario of these facts; each instant is written as the format has it."""
    written = [{**fact, "at": fact["at"].isoformat()} for fact in facts]
    return {"id": "cycle", "start": START.isoformat(), "end": END.isoformat(), "facts": written}


#: Quarter hours: many facts fall on the instant of a point, of the window's edges, or of each other.
def instants(first: datetime = START, last: datetime = END - timedelta(days=7)) -> st.SearchStrategy[datetime]:
    quarters = int((last - first) / timedelta(minutes=15))
    return st.integers(0, quarters).map(lambda quarter: first + quarter * timedelta(minutes=15))


def _fact(kind: str, at: Any = None, **fields: Any) -> Any:
    return st.fixed_dictionaries({"kind": st.just(kind), "at": at or instants(), **fields})


_EMAIL = st.sampled_from(PEOPLE)


def signups(at: st.SearchStrategy[datetime] | None = None, email: st.SearchStrategy[str] = _EMAIL) -> Any:
    return _fact(
        "signup",
        at,
        email=email,
        entry_term=st.sampled_from((*TERMS, TERMS[0], None)),
        residency=st.sampled_from(RESIDENCIES),
        time_zone=st.sampled_from(ZONES),
        country=st.just("US"),
        program=st.sampled_from(PROGRAMS),
    )


def moved_dates() -> Any:
    near = st.integers(-20, 20).map(lambda days: (date(2025, 12, 1) + timedelta(days=days)).isoformat())
    groups = st.sampled_from((("spring 2026", "final"), ("fall 2026", "early_action")))
    residency = st.sampled_from(RESIDENCIES)
    return st.builds(
        lambda at, group, to, who: {
            "kind": "deadline",
            "at": at,
            "entry_term": group[0],
            "round": group[1],
            "date": to,
            "residency": who,
        },
        instants(),
        groups,
        near,
        residency,
    )


def _sessions() -> Any:
    """Both sessions, announced on the first day."""
    starts = st.integers(0, 35 * 48).map(
        lambda half: (datetime(2025, 11, 4) + half * timedelta(minutes=30)).isoformat()  # noqa: DTZ001 - a wall clock
    )
    session = {"kind": "session", "at": START, "zone": "ET", "minutes": 60}
    return st.tuples(starts, starts).map(
        lambda both: [{**session, "session": one, "starts": at} for one, at in zip(SESSIONS, both, strict=True)]
    )


withholding_facts = st.one_of(
    _fact("unsubscribe", email=_EMAIL),
    _fact("bounce", email=_EMAIL, status=st.sampled_from(("5.1.1", "4.2.2"))),
    _fact("complaint", email=_EMAIL),
)
submissions = st.builds(
    lambda fact: {**fact, "occurred_at": fact["at"].isoformat()},
    _fact(
        "application",
        email=_EMAIL,
        entry_term=st.sampled_from(TERMS),
        status=st.sampled_from(("started", "submitted", "submitted")),
        program=st.sampled_from(PROGRAMS),
    ),
)
corrections = st.one_of(
    _fact("residency", email=_EMAIL, residency=st.sampled_from(RESIDENCIES)),
    _fact("time_zone", email=_EMAIL, time_zone=st.sampled_from(ZONES)),
    _fact("entry_term", email=_EMAIL, **{"from": st.just(TERMS[0]), "to": st.just(TERMS[1])}),
)
registrations = _fact("registration", email=_EMAIL, session=st.sampled_from(SESSIONS))
#: What happens to people and dates, without the changes that unite or erase people.
events = st.one_of(signups(), submissions, withholding_facts, corrections, registrations, moved_dates())


def cohorts(*, most_events: int = 6) -> st.SearchStrategy[list[Fact]]:
    """Everybody signs up, two sessions are announced, and a few things happen."""
    arrivals = st.tuples(*(signups(email=st.just(email)) for email in PEOPLE))
    happened = st.lists(events, max_size=most_events)
    return st.builds(
        lambda sessions, people, more: sorted([*sessions, *people, *more], key=lambda fact: fact["at"]),
        _sessions(),
        arrivals,
        happened,
    )


def _at(day: int, hour: int) -> datetime:
    return datetime(2025, 11, day, hour, tzinfo=UTC)


def _signup(email: str, at: datetime, term: str, residency: str | None, zone: str) -> Fact:
    fields = {"entry_term": term, "residency": residency, "time_zone": zone, "country": "US", "program": None}
    return {"kind": "signup", "at": at, "email": email, **fields}


#: At one instant a date moves, to whose new points it is morning for one reader and night for another; an invitation
#: of that day goes along; somebody arrives at night; one has submitted, one is registered, one wants nothing.
EVENTFUL: list[Fact] = [
    {"kind": "session", "at": START, "session": "autumn", "starts": "2025-11-24T18:00:00", "zone": "ET"},
    {"kind": "session", "at": START, "session": "winter", "starts": "2025-11-25T20:00:00", "zone": "ET"},
    _signup(PEOPLE[0], _at(3, 12), "spring 2026", "domestic", "America/New_York"),
    _signup(PEOPLE[0], _at(3, 13), "fall 2026", "domestic", "America/New_York"),
    _signup(PEOPLE[2], _at(4, 12), "fall 2026", None, "Pacific/Kiritimati"),
    _signup(PEOPLE[3], _at(4, 12), "spring 2026", "international_inside_us", "Australia/Lord_Howe"),
    _signup("eva@example.edu", _at(5, 12), "spring 2026", "domestic", "Asia/Kathmandu"),
    {"kind": "registration", "at": _at(6, 12), "email": PEOPLE[3], "session": "autumn"},
    {"kind": "unsubscribe", "at": _at(7, 12), "email": "eva@example.edu"},
    {
        "kind": "application",
        "at": _at(8, 12),
        "email": PEOPLE[0],
        "entry_term": "spring 2026",
        "status": "submitted",
        "occurred_at": "2025-11-08T11:00:00Z",
    },
    _signup(PEOPLE[1], _at(17, 18), "spring 2026", "domestic", "Asia/Kolkata"),
    {
        "kind": "deadline",
        "at": _at(17, 18),
        "entry_term": "fall 2026",
        "round": "early_action",
        "residency": None,
        "date": "2025-12-10",
    },
]


def cut_off(stated_date: str) -> datetime:
    """The first instant that is too late for a stated date: midnight in Boston, in winter (R1)."""
    day = date.fromisoformat(stated_date) + timedelta(days=1)
    return datetime(day.year, day.month, day.day, 5, tzinfo=UTC)


def few(examples: int) -> settings:
    """Settings of a test that rehearses cycles: each costs a second or more, so few examples, each rich.

    ``CRM_CYCLES=20`` looks at twenty times as many, and at others each time: for a night.
    """
    times = int(os.environ.get("CRM_CYCLES", "1"))
    return settings(
        max_examples=examples * times,
        derandomize=times == 1,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
