"""Erasure: what is left of a person is an id, dates and what became of messages; nothing that names them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, func, literal, null, select, tuple_, update

from enrollment_crm.storage.models import (
    ApplicationReferenceRow,
    ApplicationRow,
    BounceRow,
    ChecklistItemRow,
    ConsentRow,
    EventRow,
    InboxRow,
    MessageRow,
    PersonRow,
    ResidencyEvidenceRow,
    ReviewRow,
    UnsubscriptionRow,
)

#: In the place of an address: no mail system can have such a domain (RFC 2606).
_NOBODY = "@erased.invalid"


def blank_person(connection: Connection, person_id: int, *, at: datetime) -> None:
    """Take out of every table what names this person or was said by them; raw rows keep their digest alone.

    That includes the records that were merged into this one: they are the same person. The digest recognises a row
    of an overlapping export that comes again: it does not bring the person back.
    """
    ids = _records_of(connection, person_id)
    rows = select(EventRow.inbox_id).where(EventRow.person_id.in_(ids), EventRow.inbox_id.is_not(None))
    connection.execute(update(InboxRow).where(InboxRow.id.in_(rows)).values(raw={}))
    _blank_checklists(connection, ids)
    for table in (ResidencyEvidenceRow, ConsentRow, UnsubscriptionRow, ReviewRow, BounceRow):
        connection.execute(delete(table).where(table.person_id.in_(ids)))
    connection.execute(update(MessageRow).where(MessageRow.person_id.in_(ids)).values(content=null()))
    nobody = func.concat(literal("erased-"), PersonRow.id, literal(_NOBODY))
    connection.execute(
        update(PersonRow)
        .where(PersonRow.id.in_(ids))
        .values(
            email=nobody,
            email_key=nobody,
            first_name="",
            last_name="",
            phone="",
            country=None,
            stated_time_zone=None,
            route_reason="",
            paused_until=None,
            erased_at=at,
        )
    )


def _blank_checklists(connection: Connection, ids: Sequence[int]) -> None:
    theirs = (
        select(ApplicationReferenceRow.source, ApplicationReferenceRow.reference)
        .join(ApplicationRow, ApplicationRow.id == ApplicationReferenceRow.application_id)
        .where(ApplicationRow.person_id.in_(ids))
    )
    named = tuple_(ChecklistItemRow.application_source, ChecklistItemRow.application_reference)
    gone = delete(ChecklistItemRow).where(named.in_(theirs)).returning(ChecklistItemRow.inbox_ids)
    rows = [row for ids in connection.execute(gone).scalars() for row in ids]
    connection.execute(update(InboxRow).where(InboxRow.id == func.any(rows)).values(raw={}))


def _records_of(connection: Connection, person_id: int) -> list[int]:
    """The person's own record, and those that were merged into it, one after another."""
    merged = select(PersonRow.id).where(PersonRow.id == person_id).cte("merged", recursive=True)
    into_them = select(PersonRow.id).join(merged, PersonRow.merged_into_id == merged.c.id)
    return list(connection.execute(select(merged.union(into_them).c.id)).scalars())
