"""What is usual for a source: the profiles and volumes of its batches before this run."""

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, select

from enrollment_crm.domain.batch_profiles import LONGEST_HISTORY, BatchProfile
from enrollment_crm.domain.batches import BatchStep
from enrollment_crm.storage.models import BatchRow

#: A batch that was stopped or rejected says nothing of what is usual.
_USUAL = (BatchStep.VALIDATED.value, BatchStep.LOADED.value)


def usual_profiles(connection: Connection, *, source: str, kind: str, before: datetime) -> list[BatchProfile]:
    """The newest batches of the source before an instant that were large enough to compare with."""
    statement = (
        select(BatchRow.profile)
        .where(*_of_source(source, kind, before))
        .order_by(BatchRow.id.desc())
        .limit(LONGEST_HISTORY)
    )
    return [BatchProfile.from_json(kept) for kept in connection.execute(statement).scalars() if kept]


def usual_volumes(connection: Connection, *, source: str, kind: str, before: datetime) -> list[int]:
    """Rows of the source in each run before an instant; a run judges a large feed in several batches."""
    statement = (
        select(func.sum(BatchRow.rows_in))
        .where(*_of_source(source, kind, before))
        .group_by(BatchRow.validated_at)
        .order_by(BatchRow.validated_at.desc())
        .limit(LONGEST_HISTORY)
    )
    return [int(rows) for rows in connection.execute(statement).scalars()]


def volume_of_run(connection: Connection, *, source: str, kind: str, at: datetime) -> int:
    """Rows of the source that the run of this instant has judged so far."""
    statement = select(func.coalesce(func.sum(BatchRow.rows_in), 0)).where(
        BatchRow.source == source, BatchRow.kind == kind, BatchRow.validated_at == at, ~BatchRow.is_replay
    )
    return int(connection.execute(statement).scalar_one())


def _of_source(source: str, kind: str, before: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        BatchRow.source == source,
        BatchRow.kind == kind,
        BatchRow.step.in_(_USUAL),
        BatchRow.profile.is_not(None),
        BatchRow.validated_at < before,
        ~BatchRow.is_replay,
    )
