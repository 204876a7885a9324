"""The quarantine: rejected rows are looked at, corrected, judged again, discarded; each step is in the trail."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Engine

from enrollment_crm.domain.batches import InboxOutcome
from enrollment_crm.domain.canonical_rows import CANONICAL_FIELDS, DAMAGE, CanonicalRow, RecordKind
from enrollment_crm.domain.deadlines import Deadline
from enrollment_crm.domain.field_maps import LONGEST_VALUE_IN_CHARACTERS, FieldMap, translate
from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.programs import Cadences
from enrollment_crm.domain.quarantine import (
    MissedReminder,
    MissedReminders,
    QuarantineError,
    Step,
    damage_of,
    value_class,
)
from enrollment_crm.domain.raw_values import text_of
from enrollment_crm.domain.value_overrides import with_overrides
from enrollment_crm.domain.zones import choose_zone
from enrollment_crm.storage.deadlines import deadlines_in_force
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.quarantine import (
    Entry,
    Selection,
    TrailStep,
    add_steps,
    change_outcome,
    correct_field,
    entries,
    lock_entry,
    outcome_of,
    trail_of,
)
from enrollment_crm.storage.value_overrides import value_overrides

__all__ = ["Entry", "Selection", "TrailStep"]


@dataclass(frozen=True)
class Decision:
    """Who decides, when, and why in their own words. pii: a member of staff."""

    by: str
    at: datetime
    why: str = ""

    def step(self, step: Step) -> TrailStep:
        """The decision as a step of the trail, which says nothing yet of what it concerns."""
        return TrailStep(step, self.at, self.by, self.why)


@dataclass(frozen=True)
class QuarantinedPerson:
    """A rejected row, without a value of it: what is wrong, and what its person would miss."""

    inbox_id: int
    source: str
    kind: str
    rule: str
    #: Canonical field; empty: the whole row.
    column: str
    reason: str
    #: What sort of value is in the field, or how the row is damaged; empty where the whole row is meant.
    value_class: str
    received_at: datetime
    rejected_at: datetime
    #: Fields that somebody has corrected since.
    corrected: tuple[str, ...]
    #: None: no date is ahead of them any more.
    missed: MissedReminder | None


@dataclass(frozen=True)
class ShownRow:
    """One row of the quarantine, whole. pii: what the source delivered, what it means, and the corrections."""

    entry: Entry
    canonical: CanonicalRow
    person: QuarantinedPerson
    trail: tuple[TrailStep, ...]


@dataclass(frozen=True)
class AcceptedRow:
    """A row that was in the quarantine and is in the people's records now: what people did about it."""

    inbox_id: int
    trail: tuple[TrailStep, ...]


@dataclass(frozen=True)
class Configuration:
    """What tells the meaning of rows and the dates of people."""

    field_maps: Mapping[str, FieldMap]
    cadences: Cadences
    country_zones: Mapping[str, str]


def list_quarantine(
    engine: Engine, configuration: Configuration, selection: Selection, *, now: datetime
) -> list[QuarantinedPerson]:
    """The rows that fit, by the reminder that their people miss first; those without a date ahead come last."""
    check_aware(now)
    with transaction(engine) as connection:
        field_maps = with_overrides(configuration.field_maps, value_overrides(connection))
        found = entries(connection, selection)
        missed = _missed_reminders(configuration, deadlines_in_force(connection), now)
    people = [_person(one, _canonical(one, field_maps), missed) for one in found]
    return sorted(people, key=_by_urgency)


def _by_urgency(one: QuarantinedPerson) -> tuple[bool, float, int]:
    return one.missed is None, one.missed.at.timestamp() if one.missed else 0, one.inbox_id


def _missed_reminders(configuration: Configuration, deadlines: list[Deadline], now: datetime) -> MissedReminders:
    def zone_of(row: CanonicalRow) -> str:
        country = row.get("country") or row.get("address_country")
        return choose_zone(row.get("time_zone"), country, country_zones=configuration.country_zones).zone

    return MissedReminders(
        deadlines,
        cadence_of=configuration.cadences.of,
        default_program=configuration.cadences.default_program,
        zone_of=zone_of,
        now=now,
    )


def _canonical(entry: Entry, field_maps: Mapping[str, FieldMap]) -> CanonicalRow:
    """What the row means by now; nothing where its source is not configured."""
    if entry.row.source not in field_maps:
        return dict.fromkeys(CANONICAL_FIELDS[RecordKind(entry.kind)])
    return translate(entry.row.raw, field_maps[entry.row.source], entry.corrections)


def _person(entry: Entry, canonical: CanonicalRow, missed: MissedReminders) -> QuarantinedPerson:
    return QuarantinedPerson(
        inbox_id=entry.row.id,
        source=entry.row.source,
        kind=entry.kind,
        rule=entry.rule,
        column=entry.column,
        reason=entry.reason,
        value_class=_value_class(entry.column, canonical),
        received_at=entry.row.received_at,
        rejected_at=entry.rejected_at,
        corrected=tuple(sorted(entry.corrections)),
        missed=missed.of(canonical, source=entry.row.source),
    )


def _value_class(column: str, canonical: CanonicalRow) -> str:
    if column == DAMAGE:
        return damage_of(canonical.get(column))
    return value_class(canonical.get(column)) if column else ""


def show_row(engine: Engine, configuration: Configuration, inbox_id: int, *, now: datetime) -> ShownRow | AcceptedRow:
    """One row of the quarantine, one that was discarded, or what people did until it was accepted.

    Raises:
        QuarantineError: it is none of these.
    """
    check_aware(now)
    with transaction(engine) as connection:
        outcome = outcome_of(connection, inbox_id)
        kept = outcome is InboxOutcome.DISCARDED
        selection = Selection(ids=(inbox_id,), outcome=InboxOutcome.DISCARDED if kept else InboxOutcome.QUARANTINED)
        found, trail = entries(connection, selection), tuple(trail_of(connection, inbox_id))
        if outcome is InboxOutcome.ACCEPTED and trail:
            return AcceptedRow(inbox_id, trail)
        if not found:
            raise QuarantineError(_not_there(inbox_id, outcome))
        field_maps = with_overrides(configuration.field_maps, value_overrides(connection))
        missed = _missed_reminders(configuration, deadlines_in_force(connection), now)
    canonical = _canonical(found[0], field_maps)
    return ShownRow(found[0], canonical, _person(found[0], canonical, missed), trail)


def check_quarantined(engine: Engine, inbox_id: int) -> None:
    """Make sure that a row is in the quarantine.

    Raises:
        QuarantineError: it is not; the sentence says where it is.
    """
    with transaction(engine) as connection:
        outcome = outcome_of(connection, inbox_id)
    if outcome is not InboxOutcome.QUARANTINED:
        raise QuarantineError(_not_there(inbox_id, outcome))


def _not_there(inbox_id: int, outcome: InboxOutcome | None) -> str:
    said = {
        None: "there is no such row",
        InboxOutcome.PENDING: "it waits to be validated",
        InboxOutcome.ACCEPTED: "it has been accepted",
        InboxOutcome.QUARANTINED: "it is there, and was not discarded",
        InboxOutcome.DISCARDED: "it was discarded; restore it first",
        InboxOutcome.ERASED: "its person was erased, and it is empty",
    }[outcome]
    return f"Row {inbox_id} is not one that this can be done to: {said}. See `enrollment-crm quarantine list`."


def fix_fields(engine: Engine, inbox_id: int, values: Mapping[str, str], decision: Decision) -> None:
    """Keep what fields of a row shall say instead; the row stays as it came, and waits to be replayed.

    Args:
        values: canonical field -> value as its source would write it; empty: it says nothing.

    Raises:
        QuarantineError: the row is not in the quarantine, or has no such field.
    """
    check_aware(decision.at)
    with transaction(engine) as connection:
        entry = lock_entry(connection, inbox_id)
        if entry is None:
            raise QuarantineError(_not_there(inbox_id, outcome_of(connection, inbox_id)))
        for name, value in values.items():
            if name not in CANONICAL_FIELDS[RecordKind(entry.kind)]:
                fields = ", ".join(CANONICAL_FIELDS[RecordKind(entry.kind)])
                raise QuarantineError(f"A {entry.kind} has no field {name!r}: write one of {fields}.")
            if len(value) > LONGEST_VALUE_IN_CHARACTERS:
                raise QuarantineError(f"A value has {LONGEST_VALUE_IN_CHARACTERS} characters at most: shorten it.")
            step = replace(
                decision.step(Step.CORRECTED), inbox_id=inbox_id, batch_id=entry.batch_id, field=name, rule=entry.rule
            )
            correct_field(connection, step, text_of(value) or "")


def discard(engine: Engine, inbox_id: int, decision: Decision) -> None:
    """Decide that a row is not to be taken in; it is kept, counted, and can be restored.

    Raises:
        QuarantineError: it is not in the quarantine.
    """
    _move(engine, inbox_id, decision.step(Step.DISCARDED), InboxOutcome.QUARANTINED, InboxOutcome.DISCARDED)


def restore(engine: Engine, inbox_id: int, decision: Decision) -> None:
    """Put a discarded row back into the quarantine.

    Raises:
        QuarantineError: it was not discarded.
    """
    _move(engine, inbox_id, decision.step(Step.RESTORED), InboxOutcome.DISCARDED, InboxOutcome.QUARANTINED)


def _move(engine: Engine, inbox_id: int, step: TrailStep, before: InboxOutcome, after: InboxOutcome) -> None:
    check_aware(step.at)
    with transaction(engine) as connection:
        entry = lock_entry(connection, inbox_id, before)
        if entry is None:
            raise QuarantineError(_not_there(inbox_id, outcome_of(connection, inbox_id)))
        change_outcome(connection, [inbox_id], after)
        add_steps(connection, [replace(step, inbox_id=inbox_id, batch_id=entry.batch_id, rule=entry.rule)])
