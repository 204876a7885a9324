"""The suppression list: by address and not by person, so that a new address of somebody is writable (R7)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_ignore

from enrollment_crm.domain.suppressions import SuppressionReason
from enrollment_crm.storage.models import PersonRow, SuppressionRow


@dataclass(frozen=True)
class Suppression:
    """One entry of the list. pii: the address, and words of staff."""

    id: int
    email_key: str
    reason: SuppressionReason
    message_row_id: int | None
    at: datetime
    added_by: str
    why: str
    lifted_at: datetime | None
    lifted_by: str | None
    lifted_why: str | None


def suppress_address(
    connection: Connection,
    email_key: str,
    reason: SuppressionReason,
    *,
    at: datetime,
    by: str,
    why: str,
    message_row_id: int | None = None,
) -> bool:
    """Put an address on the list; False where it stands there for this reason already."""
    values = {"email_key": email_key, "reason": reason.value, "at": at, "added_by": by, "why": why}
    statement = insert_or_ignore(SuppressionRow).values(values | {"message_row_id": message_row_id})
    added = connection.execute(statement.on_conflict_do_nothing().returning(SuppressionRow.id)).first()
    return added is not None


def suppress_person(
    connection: Connection,
    person_id: int,
    reason: SuppressionReason,
    *,
    at: datetime,
    by: str,
    why: str,
    message_row_id: int | None = None,
) -> bool:
    """Put the address of this record on the list; an erased person has none any more."""
    email_key = address_of_record(connection, person_id)
    if email_key is None:
        return False
    return suppress_address(connection, email_key, reason, at=at, by=by, why=why, message_row_id=message_row_id)


def address_of_record(connection: Connection, person_id: int) -> str | None:
    """The address of this very record, also of one that was merged away; None: it was erased."""
    statement = select(PersonRow.email_key).where(PersonRow.id == person_id, PersonRow.erased_at.is_(None))
    return connection.execute(statement).scalar_one_or_none()


def people_of_address(connection: Connection, email_key: str) -> list[int]:
    """The record with this address, and those that it was merged into, one after another."""
    chain = select(PersonRow.id, PersonRow.merged_into_id).where(PersonRow.email_key == email_key).cte(recursive=True)
    following = select(PersonRow.id, PersonRow.merged_into_id).join(chain, PersonRow.id == chain.c.merged_into_id)
    return list(connection.execute(select(chain.union(following).c.id)).scalars())


def lift_suppressions(connection: Connection, email_key: str, *, at: datetime, by: str, why: str) -> list[Suppression]:
    """Take an address off the list, whatever the reasons; the entries stay, with who lifted them, when and why."""
    in_force = (SuppressionRow.email_key == email_key) & SuppressionRow.lifted_at.is_(None)
    statement = update(SuppressionRow).where(in_force).values(lifted_at=at, lifted_by=by, lifted_why=why)
    rows = connection.execute(statement.returning(*SuppressionRow.__table__.c)).all()
    return [_read(tuple(row)) for row in rows]


def last_lifted_at(connection: Connection, email_key: str) -> datetime | None:
    """When the address was last taken off the list: what came back before that has been dealt with."""
    statement = select(func.max(SuppressionRow.lifted_at)).where(SuppressionRow.email_key == email_key)
    return connection.execute(statement).scalar_one_or_none()


def list_suppressions(
    connection: Connection,
    *,
    email_key: str | None = None,
    reason: SuppressionReason | None = None,
    with_lifted: bool = False,
) -> list[Suppression]:
    """Entries of the list, the newest first."""
    statement = select(SuppressionRow.__table__).order_by(SuppressionRow.at.desc(), SuppressionRow.id.desc())
    if email_key is not None:
        statement = statement.where(SuppressionRow.email_key == email_key)
    if reason is not None:
        statement = statement.where(SuppressionRow.reason == reason.value)
    if not with_lifted:
        statement = statement.where(SuppressionRow.lifted_at.is_(None))
    return [_read(tuple(row)) for row in connection.execute(statement)]


def is_suppressed(reasons: Iterable[SuppressionReason]) -> ColumnElement[bool]:
    """SQL: the address of the person of the row is on the list for one of these reasons. An equality: one hash."""
    return exists(
        select(1)
        .where(
            SuppressionRow.email_key == PersonRow.email_key,
            SuppressionRow.reason.in_(sorted(one.value for one in reasons)),
            SuppressionRow.lifted_at.is_(None),
        )
        .correlate_except(SuppressionRow)
    )


def blank_suppressions(connection: Connection, person_ids: Iterable[int], *, nobody: ColumnElement[str]) -> None:
    """What the list says of these records stays as numbers: the address and the words are gone (R7: erasure).

    Args:
        nobody: SQL of what stands in the place of the address of the person of the row.
    """
    theirs = (SuppressionRow.email_key == PersonRow.email_key) & PersonRow.id.in_(list(person_ids))
    words = {"why": "", "lifted_why": None}
    connection.execute(update(SuppressionRow).where(theirs).values(email_key=nobody, **words))


def _read(row: tuple[object, ...]) -> Suppression:
    named = dict(zip(SuppressionRow.__table__.c.keys(), row, strict=True))
    return Suppression(**{**named, "reason": SuppressionReason(str(named["reason"]))})  # type: ignore[arg-type]
