"""Scenarios: what happens in a rehearsed cycle, as facts with their instants."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.terms import EntryTerm


class ScenarioInvalid(ValueError):
    """A scenario says something that cannot be rehearsed: correct the file, the message says where."""


class FactKind(StrEnum):
    """What can happen in a rehearsal."""

    #: Somebody asks for information.
    SIGNUP = "signup"
    #: An application system reports where an application stands.
    APPLICATION = "application"
    #: Somebody says another residency than before.
    RESIDENCY = "residency"
    #: Somebody wants to begin in another term.
    ENTRY_TERM = "entry_term"
    #: Somebody lives by another clock.
    TIME_ZONE = "time_zone"
    #: Somebody wants nothing more of us.
    UNSUBSCRIBE = "unsubscribe"
    #: Somebody reports a message as spam.
    COMPLAINT = "complaint"
    #: Somebody's data is erased.
    ERASURE = "erasure"
    #: A message came back.
    BOUNCE = "bounce"
    #: A date comes into force or moves.
    DEADLINE = "deadline"
    #: A prep session is announced.
    SESSION = "session"
    #: Somebody takes a seat in a session.
    REGISTRATION = "registration"
    #: A session begins at another time.
    SESSION_MOVED = "session_moved"
    #: A session does not take place.
    SESSION_CANCELLED = "session_cancelled"
    #: Nothing runs for a while.
    OUTAGE = "outage"
    #: Everything that ran at an instant runs again, also side by side.
    RERUN = "rerun"
    #: A person decided that two addresses are one person's.
    MERGE = "merge"
    #: An earlier fact arrives once more.
    REDELIVER = "redeliver"


#: The fields that a fact of each kind must have, beside its instant.
_REQUIRED: Mapping[FactKind, tuple[str, ...]] = {
    FactKind.SIGNUP: ("email",),
    FactKind.APPLICATION: ("email", "entry_term", "status"),
    FactKind.RESIDENCY: ("email", "residency"),
    FactKind.ENTRY_TERM: ("email", "to"),
    FactKind.TIME_ZONE: ("email", "time_zone"),
    FactKind.UNSUBSCRIBE: ("email",),
    FactKind.COMPLAINT: ("email",),
    FactKind.ERASURE: ("email",),
    FactKind.BOUNCE: ("email", "status"),
    FactKind.DEADLINE: ("entry_term", "round", "date"),
    FactKind.SESSION: ("session", "starts"),
    FactKind.REGISTRATION: ("email", "session"),
    FactKind.SESSION_MOVED: ("session", "starts"),
    FactKind.SESSION_CANCELLED: ("session",),
    FactKind.OUTAGE: ("until",),
    FactKind.RERUN: (),
    FactKind.MERGE: ("email", "into"),
    FactKind.REDELIVER: ("of",),
}


@dataclass(frozen=True)
class ScenarioFact:
    """One thing that happens. ``index``: its place in the scenario, and so its name."""

    index: int
    at: datetime
    kind: FactKind
    #: pii: whatever the kind has, as written in the file.
    fields: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Scenario:
    """A cycle to rehearse: from one instant to another, with everything that happens between them."""

    id: str
    start: datetime
    end: datetime
    config: Mapping[str, Any]
    facts: tuple[ScenarioFact, ...]

    def entry_terms(self) -> list[EntryTerm]:
        """Every term that a fact names, earliest first."""
        named = {fact.fields.get(name) for fact in self.facts for name in ("entry_term", "from", "to")}
        return sorted({_term(text, self.id) for text in named if isinstance(text, str) and text})

    def programs(self) -> list[str]:
        """Every program that a fact names."""
        return sorted({str(fact.fields["program"]) for fact in self.facts if fact.fields.get("program")})


def _term(text: str, scenario: str) -> EntryTerm:
    try:
        return EntryTerm.parse(text)
    except ValueError as error:
        raise ScenarioInvalid(f"{scenario}: {error}") from None


def scenario_of(raw: Mapping[str, Any]) -> Scenario:
    """The scenario that a JSON object describes.

    Raises:
        ScenarioInvalid: a field is missing or cannot be, with the place of the fact.
    """
    if not isinstance(raw, Mapping):
        raise ScenarioInvalid("A scenario is a JSON object with id, start, end and facts.")
    name = str(raw.get("id", "scenario"))
    start, end = (_instant(raw, key, name) for key in ("start", "end"))
    if end < start:
        raise ScenarioInvalid(f"{name}: it ends before it starts.")
    facts = raw.get("facts", [])
    if not isinstance(facts, Sequence) or isinstance(facts, str):
        raise ScenarioInvalid(f"{name}: facts must be a list.")
    config = raw.get("config") or {}
    if not isinstance(config, Mapping):
        raise ScenarioInvalid(f'{name}: config must be an object, such as {{"anchor": "recipient_local"}}.')
    parsed = tuple(_fact(index, one, name) for index, one in enumerate(facts))
    _check_redelivered(parsed, name)
    return Scenario(name, start, end, config, parsed)


def _fact(index: int, raw: object, scenario: str) -> ScenarioFact:
    where = f"{scenario}, fact {index}"
    if not isinstance(raw, Mapping):
        raise ScenarioInvalid(f"{where}: it must be an object with at and kind.")
    try:
        kind = FactKind(str(raw.get("kind")))
    except ValueError:
        known = ", ".join(one.value for one in FactKind)
        raise ScenarioInvalid(f"{where}: there is no kind {raw.get('kind')!r}, the kinds are {known}.") from None
    missing = [name for name in _REQUIRED[kind] if name not in raw]
    if missing:
        raise ScenarioInvalid(f"{where}: a {kind.value} needs {', '.join(missing)}.")
    fact = ScenarioFact(index, _instant(raw, "at", where), kind, raw)
    _check_span(fact, where)
    return fact


def _check_span(fact: ScenarioFact, where: str) -> None:
    if fact.kind is FactKind.OUTAGE and _instant(fact.fields, "until", where) < fact.at:
        raise ScenarioInvalid(f"{where}: the outage ends before it begins.")
    times = fact.fields.get("times", 1)
    if fact.kind is FactKind.RERUN and not (isinstance(times, int) and times >= 0):
        raise ScenarioInvalid(f"{where}: times is {times!r}, write how often everything runs again.")


def _instant(raw: Mapping[str, Any], name: str, where: str) -> datetime:
    try:
        return check_aware(datetime.fromisoformat(str(raw[name])))
    except KeyError:
        raise ScenarioInvalid(f"{where}: {name} is missing.") from None
    except ValueError:
        raise ScenarioInvalid(
            f"{where}: {name} is {raw[name]!r}, write an instant with its offset such as 2026-11-24T15:00:00Z."
        ) from None


def _check_redelivered(facts: Iterable[ScenarioFact], scenario: str) -> None:
    known = list(facts)
    for fact in known:
        if fact.kind is FactKind.REDELIVER:
            of = fact.fields["of"]
            if not isinstance(of, int) or not 0 <= of < fact.index:
                raise ScenarioInvalid(f"{scenario}, fact {fact.index}: of must be the index of an earlier fact.")
