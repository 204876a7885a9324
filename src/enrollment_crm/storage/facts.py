"""Facts that have been taken in: what is delivered again is recognised."""

from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert as insert_or_ignore

from enrollment_crm.domain.facts import Fact
from enrollment_crm.storage.models import ReceivedFactRow


def is_new(connection: Connection, fact: Fact) -> bool:
    """Whether the fact comes for the first time; from then on it is known, once the transaction has ended well."""
    values = {"source": fact.source, "fact_id": fact.fact_id, "received_at": fact.at}
    statement = insert_or_ignore(ReceivedFactRow).values(values).on_conflict_do_nothing()
    return connection.execute(statement.returning(ReceivedFactRow.fact_id)).first() is not None
