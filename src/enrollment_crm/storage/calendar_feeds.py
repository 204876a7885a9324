"""Calendar feeds: what the dates of one person follow from, as the tables have it."""

from sqlalchemy import Connection, not_, select

from enrollment_crm.domain.calendar_feeds import FeedReader
from enrollment_crm.domain.residency import Residency
from enrollment_crm.domain.terms import EntryTerm
from enrollment_crm.storage.models import InterestRow, PersonRow
from enrollment_crm.storage.prep_sessions import prep_sessions_of_person
from enrollment_crm.storage.withholding import has_submitted


def feed_reader(connection: Connection, person_id: int) -> FeedReader:
    """What the dates of this person follow from."""
    residency = connection.execute(select(PersonRow.residency).where(PersonRow.id == person_id)).scalar_one()
    open_interests = (
        select(InterestRow.program, InterestRow.entry_term)
        .select_from(PersonRow)
        .join(InterestRow, InterestRow.person_id == PersonRow.id)
        .where(
            PersonRow.id == person_id,
            InterestRow.entry_term.is_not(None),
            not_(has_submitted(InterestRow.program, InterestRow.entry_term)),
        )
        .order_by(InterestRow.id)
    )
    return FeedReader(
        residency=Residency(residency),
        interests=tuple(
            (program, EntryTerm.parse(term)) for program, term in connection.execute(open_interests) if term
        ),
        sessions=tuple(prep_sessions_of_person(connection, person_id)),
    )
