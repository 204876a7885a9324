"""Value overrides in the database: meanings that operations gave the values of a source."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.postgresql import insert as insert_or_update

from enrollment_crm.domain.value_overrides import ValueOverride
from enrollment_crm.storage.models import ValueOverrideRow


@dataclass(frozen=True)
class DecidedOverride:
    """An override with who decided it, when and why. pii: a member of staff."""

    override: ValueOverride
    at: datetime
    by: str
    why: str


def value_overrides(connection: Connection) -> list[ValueOverride]:
    """Every override in force."""
    row = ValueOverrideRow
    return [ValueOverride(*one) for one in connection.execute(select(row.source, row.field, row.given, row.meaning))]


def decided_overrides(connection: Connection) -> list[DecidedOverride]:
    """Every override in force with its decision, by source, field and value."""
    row = ValueOverrideRow
    columns = (row.source, row.field, row.given, row.meaning, row.decided_at, row.decided_by, row.why)
    found = connection.execute(select(*columns).order_by(row.source, row.field, row.given))
    return [DecidedOverride(ValueOverride(*one[:4]), *one[4:]) for one in found]


def decide_override(connection: Connection, decided: DecidedOverride) -> None:
    """Give a value its meaning; a newer decision replaces the older."""
    statement = insert_or_update(ValueOverrideRow).values(
        **vars(decided.override), decided_at=decided.at, decided_by=decided.by, why=decided.why
    )
    new = {name: statement.excluded[name] for name in ("meaning", "decided_at", "decided_by", "why")}
    key = [ValueOverrideRow.source, ValueOverrideRow.field, ValueOverrideRow.given]
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=new))


def withdraw_override(connection: Connection, *, source: str, field: str, given: str) -> bool:
    """Take an override back; False: there is none."""
    row = ValueOverrideRow
    gone = delete(row).where(row.source == source, row.field == field, row.given == given).returning(row.given)
    return connection.execute(gone).first() is not None
