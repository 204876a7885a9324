"""Erasure: what is left of a person is an id, dates and what became of messages; nothing that names them."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, delete, func, literal, null, or_, select, tuple_, update

from enrollment_crm.domain.withholding import WithholdReason
from enrollment_crm.storage.models import (
    ApplicationReferenceRow,
    ApplicationRow,
    BounceRow,
    ChecklistItemRow,
    ConsentRow,
    EventRow,
    MessageEventRow,
    MessageRow,
    PersonMergeRow,
    PersonReferenceRow,
    PersonRow,
    ResidencyEvidenceRow,
    ReviewRow,
    StaffActionRow,
    UnsubscriptionRow,
)
from enrollment_crm.storage.suppressions import blank_suppressions
from enrollment_crm.storage.unfinished import withdraw_unsent

#: In the place of an address: no mail system can have such a domain (RFC 2606).
_NOBODY = "@erased.invalid"


def blank_records(connection: Connection, ids: Sequence[int], *, at: datetime) -> None:
    """Take out of every table but the inbox what names the person of these records or was said by them."""
    _blank_trail(connection, ids)
    for table in (
        ResidencyEvidenceRow, ConsentRow, UnsubscriptionRow, BounceRow, PersonReferenceRow
    ):  # fmt: skip
        connection.execute(delete(table).where(table.person_id.in_(ids)))
    _blank_applications(connection, ids)
    _blank_events(connection, ids)
    # First: a worker that has claimed a message remembers the name, and would freeze it again.
    withdraw_unsent(connection, ids, WithholdReason.ERASED)
    connection.execute(update(MessageRow).where(MessageRow.person_id.in_(ids)).values(content=null()))
    nobody = func.concat(literal("erased-"), PersonRow.id, literal(_NOBODY))
    blank_suppressions(connection, ids, nobody=nobody)
    birth_date: date | None = None
    blank: dict[str, Any] = {
        "email": nobody,
        "email_key": nobody,
        "first_name": "",
        "last_name": "",
        "phone": "",
        "birth_date": birth_date,
        "country": None,
        "stated_time_zone": None,
        "clocks": {},
        "route_reason": "",
        "paused_until": None,
        "needs_routing": False,
        "erased_at": at,
    }
    connection.execute(update(PersonRow).where(PersonRow.id.in_(ids)).values(blank))


def _blank_events(connection: Connection, ids: Sequence[int]) -> None:
    """The timeline of their messages stays; the words of mail systems may repeat a part of the address."""
    theirs = select(MessageRow.id).where(MessageRow.person_id.in_(ids))
    events = update(MessageEventRow).where(MessageEventRow.message_row_id.in_(theirs))
    connection.execute(events.values(detail=""))


def _blank_trail(connection: Connection, ids: Sequence[int]) -> None:
    """What was asked and why it was done goes; that it was done, by whom and when, stays."""
    asked = or_(ReviewRow.person_id.in_(ids), ReviewRow.other_person_id.in_(ids))
    theirs = select(ReviewRow.id).where(asked)
    done = or_(StaffActionRow.person_id.in_(ids), StaffActionRow.other_person_id.in_(ids))
    connection.execute(update(StaffActionRow).where(done).values(reason="", review_id=None))
    connection.execute(update(StaffActionRow).where(StaffActionRow.review_id.in_(theirs)).values(review_id=None))
    connection.execute(delete(ReviewRow).where(asked))
    merged = or_(PersonMergeRow.gone_id.in_(ids), PersonMergeRow.stays_id.in_(ids))
    connection.execute(update(PersonMergeRow).where(merged).values(kept={}))


def _blank_applications(connection: Connection, ids: Sequence[int]) -> None:
    """That somebody applied is counted; what their source calls it, and what it lacks, is not kept."""
    named = tuple_(ChecklistItemRow.application_source, ChecklistItemRow.application_reference)
    connection.execute(delete(ChecklistItemRow).where(named.in_(_references(ids))))
    applications = select(ApplicationRow.id).where(ApplicationRow.person_id.in_(ids))
    connection.execute(delete(ApplicationReferenceRow).where(ApplicationReferenceRow.application_id.in_(applications)))
    connection.execute(update(ApplicationRow).where(ApplicationRow.person_id.in_(ids)).values(reference=None))


def _references(ids: Sequence[int]) -> Any:
    return (
        select(ApplicationReferenceRow.source, ApplicationReferenceRow.reference)
        .join(ApplicationRow, ApplicationRow.id == ApplicationReferenceRow.application_id)
        .where(ApplicationRow.person_id.in_(ids))
    )


def records_of(connection: Connection, person_id: int) -> list[int]:
    """The person's own record, and those that were merged into it, one after another."""
    merged = select(PersonRow.id).where(PersonRow.id == person_id).cte("merged", recursive=True)
    into_them = select(PersonRow.id).join(merged, PersonRow.merged_into_id == merged.c.id)
    return sorted(connection.execute(select(merged.union(into_them).c.id)).scalars())


def rows_of_events(connection: Connection, ids: Sequence[int]) -> set[int]:
    """The raw rows that events and checklists of these records name."""
    events = select(EventRow.inbox_id).where(EventRow.person_id.in_(ids), EventRow.inbox_id.is_not(None))
    found = {one for one in connection.execute(events).scalars() if one is not None}
    named = tuple_(ChecklistItemRow.application_source, ChecklistItemRow.application_reference)
    items = select(ChecklistItemRow.inbox_ids).where(named.in_(_references(ids)))
    return found | {one for several in connection.execute(items).scalars() for one in several}
