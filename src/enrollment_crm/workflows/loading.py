"""Loading: the accepted rows of validated batches are taken into the people's records, a batch a transaction."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine

from enrollment_crm.domain.canonical_rows import CanonicalRow, RecordKind, UnvalidatedRowError, occurred_at_in
from enrollment_crm.domain.field_maps import FieldMap
from enrollment_crm.domain.quarantine import USABLE
from enrollment_crm.domain.value_overrides import with_overrides
from enrollment_crm.storage.batches import (
    QuarantinedRow,
    finish_batch,
    next_batch_to_load,
    quarantine_rows,
    wait_for_other_loaders,
)
from enrollment_crm.storage.inbox import RawRow, accepted_rows
from enrollment_crm.storage.late_loads import turn_late_people
from enrollment_crm.storage.quarantine import corrections_of
from enrollment_crm.storage.tombstones import nothing_is_erased_meanwhile
from enrollment_crm.storage.value_overrides import value_overrides
from enrollment_crm.workflows.batches import without_field_map
from enrollment_crm.workflows.draining import drained
from enrollment_crm.workflows.translation import meant_by


@dataclass(frozen=True)
class Loaded:
    """Batches whose accepted rows are in the people's records now."""

    batches: int = 0
    loaded: int = 0
    #: Accepted by the rules, but unusable all the same: in the quarantine with the reason.
    quarantined: int = 0

    def __add__(self, other: "Loaded") -> "Loaded":
        return Loaded(self.batches + other.batches, self.loaded + other.loaded, self.quarantined + other.quarantined)


#: Takes one accepted row into the people's records; raises ``UnvalidatedRowError`` with a sentence where it cannot.
LoadRow = Callable[[Connection, RawRow, CanonicalRow], None]

#: Accepted rows with what they mean, in the order in which they happened.
AcceptedRows = Sequence[tuple[RawRow, CanonicalRow]]
#: Takes the rows of a batch into the people's records; gives those that it cannot take, with a sentence.
TakeIn = Callable[[], Sequence[QuarantinedRow]]
#: Waits until the batches before this one are loaded, and no other loader is at work.
Alone = Callable[[], object]
#: Reads all accepted rows of a batch, calls ``Alone``, and decides by what is known of people.
LoadRows = Callable[[Connection, AcceptedRows, Alone], TakeIn]


def load_validated(
    engine: Engine,
    field_maps: Mapping[str, FieldMap],
    load_row: LoadRow,
    *,
    kind: RecordKind,
    now: datetime,
    dry_run: bool = False,
) -> Loaded:
    """Take the accepted rows of every validated batch into the people's records, one by one."""

    def load_rows(connection: Connection, rows: AcceptedRows, alone: Alone) -> TakeIn:
        def take_in() -> list[QuarantinedRow]:
            alone()
            cannot = []
            for row, canonical in rows:
                try:
                    load_row(connection, row, canonical)
                except UnvalidatedRowError as error:
                    cannot.append(unusable(row, error))
            return cannot

        return take_in

    return load_batches(engine, field_maps, load_rows, kind=kind, now=now, dry_run=dry_run)


def unusable(row: RawRow, error: UnvalidatedRowError) -> QuarantinedRow:
    """A row that the rules accepted and nobody can use, with the sentence that says why."""
    return QuarantinedRow(row.id, USABLE, error.column, str(error))


def load_batches(
    engine: Engine,
    field_maps: Mapping[str, FieldMap],
    load_rows: LoadRows,
    *,
    kind: RecordKind,
    now: datetime,
    dry_run: bool = False,
) -> Loaded:
    """Take the accepted rows of every validated batch into the people's records, a batch a transaction."""
    total = Loaded()

    def first_half(connection: Connection, committed: Callable[[], object]) -> Callable[[], Loaded] | None:
        def alone() -> None:
            committed()
            wait_for_other_loaders(connection)

        return _begin_batch(connection, field_maps, load_rows, alone, kind=kind, now=now)

    for one in drained(engine, first_half, dry_run=dry_run):
        total += one
    return total


def _begin_batch(
    connection: Connection,
    field_maps: Mapping[str, FieldMap],
    load_rows: LoadRows,
    alone: Alone,
    *,
    kind: RecordKind,
    now: datetime,
) -> Callable[[], Loaded] | None:
    """Read the oldest batch; what is given takes it into the people's records."""
    nothing_is_erased_meanwhile(connection)
    batch_id = next_batch_to_load(connection, kind=kind.value)
    if batch_id is None:
        return None
    rows = accepted_rows(connection, batch_id=batch_id)
    meant, fixed = with_overrides(field_maps, value_overrides(connection)), corrections_of(connection, batch_id)
    translated = meant_by(rows, meant, fixed)
    unreadable = [without_field_map(row) for row in rows if row.source not in meant]
    # As it happened, but rows without an address last: one with it may be what tells whose they are.
    translated.sort(key=lambda one: (not one[1].get("email"), _happened(*one), one[0].id))
    take_in, number = load_rows(connection, translated, alone), len(rows)

    def finish() -> Loaded:
        rejected = [*unreadable, *take_in()]
        quarantine_rows(connection, rejected, batch_id=batch_id, now=now)
        finish_batch(connection, batch_id, rejected_while_loading=len(rejected))
        turn_late_people(connection, batch_id, at=now)
        return Loaded(1, number - len(rejected), len(rejected))

    return finish


def _happened(row: RawRow, canonical: CanonicalRow) -> datetime:
    try:
        return occurred_at_in(canonical, received_at=row.received_at)
    except UnvalidatedRowError:
        return row.received_at
