"""What people see of batches, and what they decide about those that were stopped."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, literal, select, update

from enrollment_crm.domain.batches import BatchStep, InboxOutcome
from enrollment_crm.storage.literals import spelled_out
from enrollment_crm.storage.models import BatchRow, InboxRow, QuarantineRow


@dataclass(frozen=True)
class BatchFacts:
    """A batch by count: delivered = accepted + quarantined + duplicates + erased. pii: a member of staff."""

    id: int
    source: str
    kind: str
    validated_at: datetime
    step: BatchStep
    rows_in: int
    accepted: int
    quarantined: int
    #: Delivered again and recognised; not among the rows in.
    duplicates: int
    #: Rows of people who were erased, before they came or since: emptied.
    erased: int
    is_replay: bool
    #: Why it was stopped, or what was noticed, in sentences.
    remarks: str
    decided_at: datetime | None
    decided_by: str | None
    decided_why: str

    @property
    def delivered(self) -> int:
        """Every row that came, once or again."""
        return self.rows_in + self.duplicates


_COLUMNS = (
    BatchRow.id,
    BatchRow.source,
    BatchRow.kind,
    BatchRow.validated_at,
    BatchRow.step,
    BatchRow.rows_in,
    BatchRow.accepted,
    BatchRow.quarantined,
    BatchRow.duplicates,
    BatchRow.erased,
    BatchRow.is_replay,
    BatchRow.remarks,
    BatchRow.decided_at,
    BatchRow.decided_by,
    BatchRow.decided_why,
)


def newest_batches(
    connection: Connection, *, source: str | None, step: BatchStep | None, limit: int
) -> list[BatchFacts]:
    """The newest batches of a source and of a step, or of all, newest first."""
    statement = select(*_COLUMNS).order_by(BatchRow.id.desc()).limit(limit)
    if source is not None:
        statement = statement.where(BatchRow.source == source)
    if step is not None:
        statement = statement.where(BatchRow.step == step.value)
    return [_facts(row) for row in connection.execute(statement)]


def untold_stops(connection: Connection) -> list[BatchFacts]:
    """Stopped batches of which operations have not been told, locked: of two that ask at once one tells."""
    statement = (
        select(*_COLUMNS)
        .where(BatchRow.step == spelled_out(BatchStep.STOPPED), BatchRow.told_at.is_(None))
        .order_by(BatchRow.id)
        .with_for_update(skip_locked=True)
    )
    return [_facts(row) for row in connection.execute(statement)]


def mark_told(connection: Connection, ids: Sequence[int], *, at: datetime) -> None:
    """Operations know of these batches."""
    connection.execute(update(BatchRow).where(BatchRow.id.in_(ids)).values(told_at=at))


def lock_batch(connection: Connection, batch_id: int) -> BatchFacts | None:
    """A batch, locked for this transaction; None: there is none with this id."""
    row = connection.execute(select(*_COLUMNS).where(BatchRow.id == batch_id).with_for_update()).first()
    return _facts(row) if row is not None else None


def decide_batch(connection: Connection, batch_id: int, *, step: BatchStep, by: str, why: str, at: datetime) -> None:
    """Record what a person decided about a stopped batch."""
    decided = {"step": step.value, "decided_at": at, "decided_by": by, "decided_why": why}
    connection.execute(update(BatchRow).where(BatchRow.id == batch_id).values(decided))


def quarantine_whole_batch(connection: Connection, batch_id: int, *, rule: str, reason: str, at: datetime) -> None:
    """Put every accepted row of a batch into the quarantine for one reason, and count it there."""
    accepted = (InboxRow.batch_id == batch_id, InboxRow.outcome == InboxOutcome.ACCEPTED.value)
    columns = ("inbox_id", "batch_id", "rule", "column", "reason", "at")
    rows = select(InboxRow.id, literal(batch_id), literal(rule), literal(""), literal(reason), literal(at))
    connection.execute(insert(QuarantineRow).from_select(columns, rows.where(*accepted)))
    connection.execute(update(InboxRow).where(*accepted).values(outcome=InboxOutcome.QUARANTINED.value))
    counts = {"accepted": 0, "quarantined": BatchRow.rows_in - BatchRow.erased}
    connection.execute(update(BatchRow).where(BatchRow.id == batch_id).values(counts))


def _facts(row: Sequence[object]) -> BatchFacts:
    values = dict(zip(BatchFacts.__dataclass_fields__, row, strict=True))
    return BatchFacts(**{**values, "step": BatchStep(str(values["step"]))})  # type: ignore[arg-type]
