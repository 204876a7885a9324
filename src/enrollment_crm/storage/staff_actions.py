"""The audit trail: who did what to which record. Ids only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, or_, select

from enrollment_crm.domain.staff_actions import StaffAction, StaffActionKind
from enrollment_crm.storage.models import StaffActionRow


@dataclass(frozen=True)
class RecordedAction:
    """One line of the trail."""

    at: datetime
    by: str
    action: str
    person_id: int
    other_person_id: int | None
    review_id: int | None
    reason: str


def record_action(
    connection: Connection,
    kind: StaffActionKind,
    action: StaffAction,
    *,
    person_id: int | None,
    other_person_id: int | None = None,
    review_id: int | None = None,
) -> None:
    """Write down what was done, in the transaction that does it; without a person: to raw rows of whom no record is."""
    about = {"person_id": person_id, "other_person_id": other_person_id, "review_id": review_id}
    connection.execute(
        insert(StaffActionRow).values(at=action.at, by=action.by, action=kind.value, reason=action.reason, **about)
    )


def actions_about(connection: Connection, ids: Sequence[int]) -> list[RecordedAction]:
    """What was done to these records, in order of time."""
    row = StaffActionRow.__table__.c
    statement = select(row.at, row.by, row.action, row.person_id, row.other_person_id, row.review_id, row.reason)
    ours = or_(row.person_id == func.any(list(ids)), row.other_person_id == func.any(list(ids)))
    return [RecordedAction(*one) for one in connection.execute(statement.where(ours).order_by(row.at, row.id))]
