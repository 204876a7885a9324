"""The facts of a rehearsal, each taken in by the workflow that takes it in every day."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

from sqlalchemy import Engine

from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.domain.deadlines import Deadline, DeadlineGroup, Round
from enrollment_crm.domain.facts import Fact
from enrollment_crm.domain.field_maps import FieldMap
from enrollment_crm.domain.listings import read_session
from enrollment_crm.domain.programs import Cadences
from enrollment_crm.domain.residency import STATED_GROUPS, Residency
from enrollment_crm.domain.scenario_sessions import listing_of, start_of
from enrollment_crm.domain.scenarios import FactKind, ScenarioFact, ScenarioInvalid
from enrollment_crm.domain.terms import EntryTerm
from enrollment_crm.domain.zones import choose_zone
from enrollment_crm.storage.deadlines import Approval
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.facts import is_new
from enrollment_crm.storage.inbox import keep_raw_rows
from enrollment_crm.storage.prep_sessions import (
    add_missing_prep_sessions,
    cancel_prep_session,
    move_prep_session,
    prep_session,
)
from enrollment_crm.workflows.corrections import correct_entry_term, correct_residency, correct_zone
from enrollment_crm.workflows.deadlines import bring_into_force
from enrollment_crm.workflows.erasure import erase_person
from enrollment_crm.workflows.feedback import take_bounce, take_complaint, take_unsubscription
from enrollment_crm.workflows.inbox import receive_form
from enrollment_crm.workflows.people import merge_people
from enrollment_crm.workflows.registrations import register_address

#: Name of the source in whose words applications are rehearsed.
_APPLICATIONS = "slate"
_STATUSES = {"started": "Awaiting Submission", "submitted": "Awaiting Decision"}
#: Whoever approves what a rehearsal changes.
_REHEARSAL = "rehearsal"


@dataclass(frozen=True)
class FactDesk:
    """Takes facts in. ``now`` of each is when it is read; ``fact.at`` when it happened: they differ in an outage."""

    engine: Engine
    cadences: Cadences
    country_zones: Mapping[str, str]
    field_maps: Mapping[str, FieldMap]
    #: The key of tombstones.
    secret: bytes
    warnings: list[dict[str, str]] = field(default_factory=list)
    #: What only a person can decide and is about nobody.
    reviews: list[dict[str, str]] = field(default_factory=list)

    def warn(self, now: datetime, words: Iterable[str], *, about: str, **whom: str) -> None:
        """Keep what is to be said of a fact."""
        self.warnings.extend({"at": in_text(now), **whom, "about": about, "detail": one} for one in words)

    def take(self, fact: ScenarioFact, *, now: datetime) -> None:
        """Take one fact in.

        Raises:
            ScenarioInvalid: a value of it cannot be.
        """
        try:
            _DESKS[fact.kind](self, fact, now)
        except ScenarioInvalid:
            raise
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise ScenarioInvalid(f"fact {fact.index}, {fact.kind.value}: {error}") from error


def _signup(desk: FactDesk, fact: ScenarioFact, now: datetime) -> None:
    said = fact.fields
    form = {name: said.get(name) for name in ("email", "entry_term", "residency", "time_zone", "country", "program")}
    form |= {name: said.get(name) for name in ("first_name", "last_name")}
    form |= {"consent": "yes", "consent_text_version": _REHEARSAL, "submission": f"fact {fact.index}"}
    choice = choose_zone(said.get("time_zone"), said.get("country"), country_zones=desk.country_zones)
    desk.warn(now, [choice.warning] if choice.warning else [], about="time_zone", email=said["email"])
    receive_form(desk.engine, {name: str(value) for name, value in form.items() if value is not None}, now=now)


def _application(desk: FactDesk, fact: ScenarioFact, now: datetime) -> None:
    said = fact.fields
    row = {
        "aid": f"{said['email']} {said['entry_term']}".lower(),
        "Email": said["email"],
        "YearTerm": said["entry_term"],
        "AppStatus": _STATUSES[said["status"]],
        "SubmittedDateTime": str(said.get("occurred_at") or fact.at.isoformat()),
        "Program": said.get("program") or "",
        "fact": fact.index,
    }
    with transaction(desk.engine) as connection:
        keep_raw_rows(connection, [row], source=_APPLICATIONS, kind=RecordKind.APPLICATION.value, received_at=now)


def _residency(desk: FactDesk, fact: ScenarioFact, now: datetime) -> None:
    if fact.fields["residency"] is not None:
        correct_residency(
            desk.engine, fact.fields["email"], Residency(fact.fields["residency"]), fact=_named(fact, now)
        )


def _entry_term(desk: FactDesk, fact: ScenarioFact, now: datetime) -> None:
    old, new = fact.fields.get("from"), fact.fields["to"]
    if new is None:
        return
    correct_entry_term(
        desk.engine,
        fact.fields["email"],
        EntryTerm.parse(old) if old else None,
        EntryTerm.parse(new),
        cadences=desk.cadences,
        fact=_named(fact, now),
    )


def _time_zone(desk: FactDesk, fact: ScenarioFact, now: datetime) -> None:
    if fact.fields["time_zone"] is None:
        return
    zones = desk.country_zones
    correct_zone(
        desk.engine, fact.fields["email"], fact.fields["time_zone"], country_zones=zones, fact=_named(fact, now)
    )


def _unsubscribe(desk: FactDesk, fact: ScenarioFact, now: datetime) -> None:
    del now  # withdrawn when it was said, whenever it is read
    take_unsubscription(desk.engine, fact.fields["email"], fact=_named(fact, fact.at))


def _complaint(desk: FactDesk, fact: ScenarioFact, now: datetime) -> None:
    take_complaint(desk.engine, fact.fields["email"], fact=_named(fact, now))


def _erasure(desk: FactDesk, fact: ScenarioFact, now: datetime) -> None:
    erase_person(
        desk.engine, fact.fields["email"], fact=_named(fact, now), secret=desk.secret, field_maps=desk.field_maps
    )


def _bounce(desk: FactDesk, fact: ScenarioFact, now: datetime) -> None:
    del now  # soft bounces are counted by when they happened
    take_bounce(desk.engine, fact.fields["email"], fact.fields["status"], fact=_named(fact, fact.at))


def _deadline(desk: FactDesk, fact: ScenarioFact, now: datetime) -> None:
    said = fact.fields
    stated = said.get("residency")
    deadlines = [
        Deadline(
            DeadlineGroup(program, EntryTerm.parse(said["entry_term"]), Round(said["round"]), residency),
            date.fromisoformat(said["date"]),
            cut_off_zone=desk.cadences.programs[program].cut_off_zone,
        )
        for program in ([said["program"]] if said.get("program") else desk.cadences.programs)
        for residency in ([Residency(stated)] if stated else STATED_GROUPS)
    ]
    with transaction(desk.engine) as connection:
        if is_new(connection, _named(fact, now)):
            approval = Approval(by=_REHEARSAL, at=now, source=_REHEARSAL)
            bring_into_force(connection, desk.cadences, deadlines, approval)


def _session(desk: FactDesk, fact: ScenarioFact, now: datetime) -> None:
    read = read_session(listing_of(fact.fields), now=now)
    desk.warn(now, read.warnings, about="zone_label", session=fact.fields["session"])
    for one in read.held_back:
        desk.reviews.append({"at": in_text(now), "email": "", "about": one.reason.value, "detail": one.words})
    with transaction(desk.engine) as connection:
        if is_new(connection, _named(fact, now)):
            add_missing_prep_sessions(connection, read.sessions, now=now)


def _registration(desk: FactDesk, fact: ScenarioFact, now: datetime) -> None:
    register_address(
        desk.engine,
        fact.fields["email"],
        fact.fields["session"],
        country_zones=desk.country_zones,
        fact=_named(fact, now),
    )


def _session_moved(desk: FactDesk, fact: ScenarioFact, now: datetime) -> None:
    with transaction(desk.engine) as connection:
        known = prep_session(connection, fact.fields["session"])
        if known and is_new(connection, _named(fact, now)):
            move_prep_session(connection, known.id, starts=start_of(fact.fields["starts"], known.zone), now=now)


def _session_cancelled(desk: FactDesk, fact: ScenarioFact, now: datetime) -> None:
    with transaction(desk.engine) as connection:
        if is_new(connection, _named(fact, now)):
            cancel_prep_session(connection, fact.fields["session"], now=now)


def _merge(desk: FactDesk, fact: ScenarioFact, now: datetime) -> None:
    merge_people(desk.engine, fact.fields["email"], fact.fields["into"], fact=_named(fact, now))


def _named(fact: ScenarioFact, at: datetime) -> Fact:
    return Fact(_REHEARSAL, str(fact.index), at)


def first_delivery(fact: ScenarioFact, facts: tuple[ScenarioFact, ...]) -> ScenarioFact:
    """The fact itself; of one that arrives once more, the one that it was."""
    while fact.kind is FactKind.REDELIVER:
        fact = replace(facts[fact.fields["of"]])
    return fact


def in_text(instant: datetime) -> str:
    """An instant as the format writes it, in UTC."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


_DESKS: Mapping[FactKind, Callable[[FactDesk, ScenarioFact, datetime], None]] = {
    FactKind.SIGNUP: _signup,
    FactKind.APPLICATION: _application,
    FactKind.RESIDENCY: _residency,
    FactKind.ENTRY_TERM: _entry_term,
    FactKind.TIME_ZONE: _time_zone,
    FactKind.UNSUBSCRIBE: _unsubscribe,
    FactKind.COMPLAINT: _complaint,
    FactKind.ERASURE: _erasure,
    FactKind.BOUNCE: _bounce,
    FactKind.DEADLINE: _deadline,
    FactKind.SESSION: _session,
    FactKind.REGISTRATION: _registration,
    FactKind.SESSION_MOVED: _session_moved,
    FactKind.SESSION_CANCELLED: _session_cancelled,
    FactKind.MERGE: _merge,
}
