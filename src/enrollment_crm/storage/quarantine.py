"""The quarantine: rejected rows with their raw rows and corrections, and the trail of what people did about them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_update

from enrollment_crm.domain.batches import InboxOutcome
from enrollment_crm.domain.quarantine import Step
from enrollment_crm.storage.inbox import RawRow
from enrollment_crm.storage.models import CorrectionRow, InboxRow, QuarantineRow, QuarantineStepRow


@dataclass(frozen=True)
class Selection:
    """Which rows of the quarantine: all that fit everything that is said."""

    ids: tuple[int, ...] | None = None
    source: str | None = None
    rule: str | None = None
    #: Rejected at this instant or later.
    since: datetime | None = None
    outcome: InboxOutcome = InboxOutcome.QUARANTINED


@dataclass(frozen=True)
class Entry:
    """A row of the quarantine with its reason. pii: the raw row and the corrections."""

    kind: str
    row: RawRow
    batch_id: int
    rule: str
    #: Canonical field; empty: the whole row.
    column: str
    reason: str
    rejected_at: datetime
    #: Canonical field -> what it shall say instead.
    corrections: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TrailStep:
    """A step of the audit trail. pii: a member of staff, and what they wrote."""

    step: Step
    at: datetime
    by: str
    why: str
    inbox_id: int | None = None
    batch_id: int | None = None
    source: str = ""
    field: str = ""
    rule: str = ""


def entries(connection: Connection, selection: Selection) -> list[Entry]:
    """The rows of the quarantine that fit, oldest first."""
    found = connection.execute(_select_entries(selection)).all()
    fixed = _corrections(
        connection, CorrectionRow.inbox_id.in_(_select_entries(selection).with_only_columns(InboxRow.id))
    )
    return [_entry(row, fixed) for row in found]


def lock_entries(connection: Connection, selection: Selection, *, after: int, limit: int) -> list[Entry]:
    """The next rows that fit, after a row's id, locked for this transaction; what another one holds is left out."""
    statement = _select_entries(selection).where(InboxRow.id > after).limit(limit)
    found = connection.execute(statement.with_for_update(skip_locked=True, of=InboxRow)).all()
    fixed = _corrections(connection, CorrectionRow.inbox_id == func.any([row.id for row in found]))
    return [_entry(row, fixed) for row in found]


def lock_entry(connection: Connection, inbox_id: int, outcome: InboxOutcome = InboxOutcome.QUARANTINED) -> Entry | None:
    """One row, locked for this transaction; None: it is not there, or by now something else has become of it."""
    statement = _select_entries(Selection(ids=(inbox_id,), outcome=outcome)).with_for_update(of=InboxRow)
    found = connection.execute(statement).first()
    return _entry(found, _corrections(connection, CorrectionRow.inbox_id == inbox_id)) if found else None


def _select_entries(selection: Selection) -> Select[Any]:
    row = QuarantineRow
    statement = (
        select(
            InboxRow.id,
            InboxRow.kind,
            InboxRow.source,
            InboxRow.received_at,
            InboxRow.raw,
            row.batch_id,
            row.rule,
            row.column,
            row.reason,
            row.at,
        )
        .join(InboxRow, InboxRow.id == row.inbox_id)
        .where(InboxRow.outcome == selection.outcome.value)
        .order_by(InboxRow.id)
    )
    for condition in _conditions(selection):
        statement = statement.where(condition)
    return statement


def _conditions(selection: Selection) -> Iterable[ColumnElement[bool]]:
    if selection.ids is not None:
        yield InboxRow.id == func.any(list(selection.ids))
    if selection.source is not None:
        yield InboxRow.source == selection.source
    if selection.rule is not None:
        yield QuarantineRow.rule == selection.rule
    if selection.since is not None:
        yield QuarantineRow.at >= selection.since


def _entry(row: Any, fixed: Mapping[int, Mapping[str, str]]) -> Entry:
    return Entry(
        kind=row.kind,
        row=RawRow(row.id, row.source, row.received_at, row.raw),
        batch_id=row.batch_id,
        rule=row.rule,
        column=row.column,
        reason=row.reason,
        rejected_at=row.at,
        corrections=fixed.get(row.id, {}),
    )


def outcome_of(connection: Connection, inbox_id: int) -> InboxOutcome | None:
    """What became of a raw row; None: there is none with this id."""
    found = connection.execute(select(InboxRow.outcome).where(InboxRow.id == inbox_id)).scalar_one_or_none()
    return InboxOutcome(found) if found else None


def corrections_of(connection: Connection, batch_id: int) -> dict[int, dict[str, str]]:
    """What people corrected in the rows of a batch: canonical field -> value, by inbox id."""
    of_batch = select(InboxRow.id).where(InboxRow.batch_id == batch_id, InboxRow.id == CorrectionRow.inbox_id)
    return _corrections(connection, of_batch.exists())


def _corrections(connection: Connection, condition: ColumnElement[bool]) -> dict[int, dict[str, str]]:
    fixed = defaultdict[int, dict[str, str]](dict)
    statement = select(CorrectionRow.inbox_id, CorrectionRow.field, CorrectionRow.value).where(condition)
    for inbox_id, name, value in connection.execute(statement):
        fixed[inbox_id][name] = value
    return dict(fixed)


def correct_field(connection: Connection, step: TrailStep, value: str) -> None:
    """Keep what a field shall say instead, and who says so; a newer correction of the field replaces the older."""
    statement = insert_or_update(CorrectionRow).values(
        inbox_id=step.inbox_id, field=step.field, value=value, corrected_at=step.at, corrected_by=step.by, why=step.why
    )
    new = {name: statement.excluded[name] for name in ("value", "corrected_at", "corrected_by", "why")}
    key = [CorrectionRow.inbox_id, CorrectionRow.field]
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=new))
    add_steps(connection, [step])


def take_out(connection: Connection, ids: Sequence[int]) -> None:
    """These rows were accepted: they are in the quarantine no more, and the trail says that they were."""
    connection.execute(delete(QuarantineRow).where(QuarantineRow.inbox_id == func.any(list(ids))))


def change_outcome(connection: Connection, ids: Sequence[int], outcome: InboxOutcome) -> None:
    """Discard rows, or restore them; their batch and their reason stay."""
    connection.execute(update(InboxRow).where(InboxRow.id == func.any(list(ids))).values(outcome=outcome.value))


def add_steps(connection: Connection, steps: Sequence[TrailStep]) -> None:
    """Write into the audit trail."""
    if steps:
        connection.execute(insert(QuarantineStepRow), [{**vars(one), "step": one.step.value} for one in steps])


def trail_of(connection: Connection, inbox_id: int) -> list[TrailStep]:
    """What people did about a row, oldest first."""
    row = QuarantineStepRow
    columns = (row.step, row.at, row.by, row.why, row.inbox_id, row.batch_id, row.source, row.field, row.rule)
    found = connection.execute(select(*columns).where(row.inbox_id == inbox_id).order_by(row.id))
    return [TrailStep(Step(one.step), *one[1:]) for one in found]
