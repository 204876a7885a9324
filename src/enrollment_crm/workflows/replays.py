"""Replays: rows of the quarantine are judged again, with their corrections and what is configured by now."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine

from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.domain.field_maps import FieldMap
from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.quarantine import Step
from enrollment_crm.domain.value_overrides import with_overrides
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.quarantine import Entry, Selection, add_steps, lock_entries, take_out
from enrollment_crm.storage.tombstones import nothing_is_erased_meanwhile
from enrollment_crm.storage.traces import empty_rows
from enrollment_crm.storage.value_overrides import value_overrides
from enrollment_crm.workflows.batch_rulings import Run
from enrollment_crm.workflows.batches import Judged, judge_batch
from enrollment_crm.workflows.erasure import rows_of_the_erased
from enrollment_crm.workflows.quarantine import Decision

if TYPE_CHECKING:  # importing it for real costs seconds
    from enrollment_crm.validation.batches import Validator

#: Rows judged at once: bounds memory.
_ROWS_A_BATCH = 50_000


@dataclass(frozen=True)
class Replayed:
    """rows = accepted + quarantined + erased; what was accepted waits to be loaded."""

    rows: int = 0
    accepted: int = 0
    quarantined: int = 0
    #: As they were corrected, they turned out to be of somebody who was erased: emptied.
    erased: int = 0
    #: Rule -> rows that still fail it.
    still_failing: Mapping[str, int] = field(default_factory=dict)
    #: The kinds of rows that were accepted.
    kinds: tuple[RecordKind, ...] = ()


def replay(
    engine: Engine,
    validator: "Validator",
    field_maps: Mapping[str, FieldMap],
    selection: Selection,
    decision: Decision,
    *,
    secret: bytes,
    dry_run: bool = False,
) -> Replayed:
    """Judge the rows that fit once more: what passes waits to be loaded, as of the time when it came.

    What still fails stays with its new reason. Rules about whole batches are not asked: a person has decided. Nobody
    who was erased comes back by it.
    """
    check_aware(decision.at)
    accepted: Counter[RecordKind] = Counter()
    failing: Counter[str] = Counter()
    after = erased = 0
    while True:
        with transaction(engine, dry_run=dry_run) as connection:
            nothing_is_erased_meanwhile(connection)
            meant = with_overrides(field_maps, value_overrides(connection))
            chosen = lock_entries(connection, selection, after=after, limit=_ROWS_A_BATCH)
            if not chosen:
                break
            after = chosen[-1].row.id
            for batch in _by_source(chosen):
                kind = RecordKind(batch[0].kind)
                left = _without_the_erased(connection, meant, batch, kind, decision, secret=secret)
                erased += len(batch) - len(left)
                if not left:
                    continue
                judged = _judge_again(connection, validator, meant, left, decision)
                accepted[kind] += len(judged.accepted)
                failing.update(one.rule for one in judged.rejected)
    return Replayed(
        rows=accepted.total() + failing.total() + erased,
        accepted=accepted.total(),
        quarantined=failing.total(),
        erased=erased,
        still_failing=dict(failing),
        kinds=tuple(kind for kind, rows in accepted.items() if rows),
    )


def _by_source(chosen: Sequence[Entry]) -> list[list[Entry]]:
    batches = defaultdict[tuple[str, str], list[Entry]](list)
    for one in chosen:
        batches[one.kind, one.row.source].append(one)
    return list(batches.values())


def _without_the_erased(
    connection: Connection,
    field_maps: Mapping[str, FieldMap],
    batch: Sequence[Entry],
    kind: RecordKind,
    decision: Decision,
    *,
    secret: bytes,
) -> list[Entry]:
    rows, corrections = [one.row for one in batch], {one.row.id: one.corrections for one in batch}
    gone = rows_of_the_erased(connection, rows, field_maps, corrections, kind=kind, secret=secret)
    empty_rows(connection, sorted(gone), now=decision.at)
    return [one for one in batch if one.row.id not in gone]


def _judge_again(
    connection: Connection,
    validator: "Validator",
    field_maps: Mapping[str, FieldMap],
    batch: Sequence[Entry],
    decision: Decision,
) -> Judged:
    judged = judge_batch(
        connection,
        validator,
        field_maps,
        [one.row for one in batch],
        run=Run(RecordKind(batch[0].kind), decision.at),
        corrections={one.row.id: one.corrections for one in batch},
    )
    take_out(connection, judged.accepted)
    passed = set(judged.accepted)
    steps = {True: decision.step(Step.REPLAYED), False: decision.step(Step.REJECTED_AGAIN)}
    add_steps(
        connection,
        [
            replace(steps[one.row.id in passed], inbox_id=one.row.id, batch_id=judged.batch_id, rule=one.rule)
            for one in batch
        ],
    )
    return judged
