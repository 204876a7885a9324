"""Invitations: people who have not submitted and are not registered, before their next deadline (R8, R10)."""

from typing import Any

from sqlalchemy import (
    CTE,
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    Integer,
    ScalarSelect,
    Select,
    TableValuedAlias,
    Text,
    and_,
    exists,
    false,
    func,
    literal,
    not_,
    null,
    or_,
    select,
)

from enrollment_crm.domain.invitations import NextCutOff
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.storage.cells import DuePeople, in_zone_of, lives_in
from enrollment_crm.storage.claims import not_yet_covered
from enrollment_crm.storage.models import InterestRow, PersonRow, RegistrationRow
from enrollment_crm.storage.relations import Columns, relation
from enrollment_crm.storage.withholding import has_submitted, withheld_then

_INSTANT = DateTime(timezone=True)


def due_invitations(people: DuePeople, *, going: CTE | None) -> Select[*tuple[Any, ...]]:
    """One row a person and invitation that has no cover yet, with the columns of a deadline's cover.

    Args:
        going: the deadline covers of the same cell: an invitation of that day goes ``along`` with them.
    """
    invited = _invited(people)
    along = _has_deadline_message(going, invited) if going is not None else false()
    by_person = withheld_then(invited.c.due_at, MessageKind.SESSION_INVITATION, topic=people.invitation_topic)
    return (
        select(
            PersonRow.id.label("person_id"),
            literal(MessageKind.SESSION_INVITATION.value).label("kind"),
            *(null().cast(Text).label(name) for name in ("program", "entry_term", "round")),
            null().cast(Date).label("stated_date"),
            invited.c.offset,
            invited.c.prep_session_id,
            invited.c.session_starts,
            invited.c.due_at,
            false().label("catch_up"),
            by_person.label("withheld"),
            along.label("along"),
            null().cast(Text).label("residency"),
            invited.c.look,
            false().label("contended"),
        )
        .select_from(PersonRow)
        .join(invited, and_(in_zone_of(people, invited), invited.c.session_ends <= _next_cut_off(people, invited)))
        .where(*lives_in(people), _not_registered(invited), _open(invited), or_(not_(invited.c.folds_only), along))
    )


_INVITED: Columns = {
    "look": Integer,
    "zone": Text,
    "followed": Integer,
    "prep_session_id": Text,
    "session_starts": _INSTANT,
    "session_ends": _INSTANT,
    "offset": Text,
    "due_at": _INSTANT,
    "folds_only": Boolean,
}
_FOLLOWING: Columns = {
    "followed": Integer,
    "program": Text,
    "entry_term": Text,
    "residency": Text,
    "ends_at": _INSTANT,
}


def _invited(people: DuePeople) -> TableValuedAlias:
    followed = {cut_offs: place for place, cut_offs in enumerate(_next_deadlines(people))}
    rows = [
        (
            look,
            cell.zone,
            followed[cut_offs],
            *(one.prep_session_id, one.starts, one.ends, one.offset, one.instant, one.folds_only),
        )
        for look, (cell, cut_offs) in enumerate(zip(people.cells, _cut_offs(people), strict=True))
        for one in cell.invitations
    ]
    return relation("invited", _INVITED, rows)


def _cut_offs(people: DuePeople) -> list[tuple[NextCutOff, ...]]:
    """The next deadlines of each look."""
    return [tuple(people.cut_offs), *(later.cut_offs for later in people.later)]


def _next_deadlines(people: DuePeople) -> list[tuple[NextCutOff, ...]]:
    """The same, each set once: most looks have the same, and a reader's are sought in one set alone."""
    return list(dict.fromkeys(_cut_offs(people)))


def _next_cut_off(people: DuePeople, invited: TableValuedAlias) -> ScalarSelect[Any]:
    """SQL: the reader's next deadline, over all that they wanted by then and have not submitted for."""
    rows = [
        (place, one.program, one.entry_term, one.residency, one.ends_at)
        for place, cut_offs in enumerate(_next_deadlines(people))
        for one in cut_offs
    ]
    following = relation("following", _FOLLOWING, rows)
    return (
        select(func.min(following.c.ends_at))
        .select_from(InterestRow)
        .join(
            following,
            and_(following.c.program == InterestRow.program, following.c.entry_term == InterestRow.entry_term),
        )
        .where(
            InterestRow.person_id == PersonRow.id,
            following.c.followed == invited.c.followed,
            following.c.residency == PersonRow.residency,
            InterestRow.since <= invited.c.due_at,
            not_(has_submitted(InterestRow.program, InterestRow.entry_term)),
        )
        .correlate(PersonRow, invited)
        .scalar_subquery()
    )


def _not_registered(invited: TableValuedAlias) -> ColumnElement[bool]:
    registered = select(1).where(
        RegistrationRow.person_id == PersonRow.id, RegistrationRow.prep_session_id == invited.c.prep_session_id
    )
    return not_(exists(registered.correlate_except(RegistrationRow)))


def _open(invited: TableValuedAlias) -> ColumnElement[bool]:
    key = {name: invited.c[name] for name in ("prep_session_id", "session_starts", "offset")}
    return not_yet_covered(MessageKind.SESSION_INVITATION, PersonRow.id, **key)


def _has_deadline_message(going: CTE, invited: TableValuedAlias) -> ColumnElement[bool]:
    theirs = select(1).where(going.c.person_id == PersonRow.id, going.c.look == invited.c.look)
    return exists(theirs.where(going.c.withheld.is_(None)).correlate_except(going))
