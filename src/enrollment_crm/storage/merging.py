"""Merging: two records are one person, whose history, ledger, wishes and evidence are united.

The record that is merged away keeps its own rows, and whatever comes by its address later is kept with it as well: the
person that it was merged into has copies, each marked by where it comes from. So a merge can be undone.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, false, func, insert, literal, select, true, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as insert_or_update
from sqlalchemy.orm import aliased

from enrollment_crm.domain.applications import ApplicationStatus
from enrollment_crm.domain.withholding import WithholdReason
from enrollment_crm.storage.merged_consent import unite_consents, unite_withdrawals
from enrollment_crm.storage.merged_ledger import unite_ledger
from enrollment_crm.storage.models import (
    ApplicationReferenceRow,
    ApplicationRow,
    InterestRow,
    PersonMergeRow,
    PersonRow,
    RegistrationRow,
    ResidencyEvidenceRow,
    UnsubscriptionRow,
)
from enrollment_crm.storage.people import add_interest
from enrollment_crm.storage.person_facts import as_json, facts_in
from enrollment_crm.storage.unfinished import withdraw_unsent
from enrollment_crm.storage.united_facts import rows_of_records, unite_facts


def merged_records(connection: Connection) -> dict[int, int]:
    """Records that were merged away and to which something came since: record -> what it was merged into."""
    statement = select(PersonRow.id, PersonRow.merged_into_id).where(
        PersonRow.needs_routing, PersonRow.merged_into_id.is_not(None), PersonRow.erased_at.is_(None)
    )
    return {row.id: row.merged_into_id for row in connection.execute(statement.order_by(PersonRow.id))}


def unite_people(connection: Connection, *, gone: int, stays: int, at: datetime) -> None:
    """Everything of ``gone`` counts for ``stays`` from now on; the stricter consent holds. Both must be locked."""
    kept = _keep(connection, stays)
    merge = {"gone_id": gone, "stays_id": stays, "merged_at": at, "kept": kept}
    connection.execute(insert(PersonMergeRow).values(merge))
    withdraw_unsent(connection, [gone], WithholdReason.MERGED)
    unite_ledger(connection, gone=gone, stays=stays)
    _unite_interests(connection, gone, stays, since=None, at=at)
    _unite_facts_said(connection, gone, stays, at)
    unite_consents(connection, gone=gone, stays=stays, at=at, first=True)
    unite_withdrawals(connection, gone=gone, stays=stays, first=True)
    connection.execute(update(PersonRow).where(PersonRow.id == gone).values(merged_into_id=stays, needs_routing=False))


def unite_news(connection: Connection, *, gone: int, stays: int, at: datetime) -> None:
    """What came to a record since it was merged away reaches the person that it was merged into."""
    merged_at = connection.execute(
        select(PersonMergeRow.merged_at).where(PersonMergeRow.gone_id == gone, PersonMergeRow.undone_at.is_(None))
    ).scalar_one()
    _unite_interests(connection, gone, stays, since=merged_at, at=at)
    _unite_facts_said(connection, gone, stays, at)
    unite_withdrawals(connection, gone=gone, stays=stays, first=False)
    unite_consents(connection, gone=gone, stays=stays, at=at, first=False)
    connection.execute(update(PersonRow).where(PersonRow.id == gone).values(needs_routing=False))


def _unite_facts_said(connection: Connection, gone: int, stays: int, at: datetime) -> None:
    """What may be repeated: applications, seats, evidence, and what is newest of each field."""
    _unite_applications(connection, gone, stays)
    _unite_registrations(connection, gone, stays)
    _unite_evidence(connection, gone, stays)
    row = rows_of_records(connection, [stays])[0]
    unite_facts(connection, stays=stays, own=facts_in(row), own_zone=row.zone, records=[gone], at=at)
    theirs = select(PersonRow.complained_at).where(PersonRow.id == gone).scalar_subquery()
    values = {"complained_at": func.coalesce(PersonRow.complained_at, theirs), "needs_routing": True}
    connection.execute(update(PersonRow).where(PersonRow.id == stays).values(values))


def _keep(connection: Connection, stays: int) -> dict[str, Any]:
    """What the record that stays was before anything was merged into it. pii."""
    before = select(PersonMergeRow.kept).where(PersonMergeRow.stays_id == stays, PersonMergeRow.undone_at.is_(None))
    kept = connection.execute(before.order_by(PersonMergeRow.id).limit(1)).scalar_one_or_none()
    if kept is not None:
        return dict(kept)
    row = rows_of_records(connection, [stays])[0]
    interests = select(InterestRow.__table__).where(InterestRow.person_id == stays).order_by(InterestRow.id)
    withdrawals = select(UnsubscriptionRow.__table__).where(UnsubscriptionRow.person_id == stays)
    return {
        "facts": as_json(facts_in(row)),
        "zone": row.zone,
        "complained_at": in_text(row.complained_at),
        "paused_until": in_text(row.paused_until),
        "interests": [_interest_as_json(one) for one in connection.execute(interests)],
        "withdrawals": [
            [one.topic, in_text(one.at), in_text(one.lifted_at)] for one in connection.execute(withdrawals)
        ],
    }


def _interest_as_json(row: Row[Any]) -> list[Any]:
    return [row.program, row.entry_term, in_text(row.since), in_text(row.changed_at), row.asked_for_information]


def in_text(instant: datetime | None) -> str | None:
    """An instant as JSON has it."""
    return instant.isoformat() if instant else None


def _unite_interests(connection: Connection, gone: int, stays: int, *, since: datetime | None, at: datetime) -> None:
    """What either wants. What the person did not want before is a turn (R6): of the merge, or of its own arrival."""
    mine = select(InterestRow.program, InterestRow.entry_term).where(InterestRow.person_id == stays)
    known = {tuple(row) for row in connection.execute(mine)}
    statement = select(InterestRow.__table__).where(InterestRow.person_id == gone).order_by(InterestRow.id)
    if since is not None:
        statement = statement.where(InterestRow.since >= since)
    for row in connection.execute(statement).all():
        add_interest(
            connection,
            person_id=stays,
            program=row.program,
            entry_term=row.entry_term,
            since=row.since,
            asked_for_information=row.asked_for_information,
            copied_from=gone,
        )
        if (row.program, row.entry_term) not in known:
            turned = update(InterestRow).where(
                InterestRow.person_id == stays,
                InterestRow.program == row.program,
                InterestRow.entry_term.is_not_distinct_from(row.entry_term),
            )
            connection.execute(turned.values(changed_at=at if since is None else row.since))


_APPLICATION = ("program", "entry_term", "status", "occurred_at", "received_at", "source", "reference")


def _unite_applications(connection: Connection, gone: int, stays: int) -> None:
    """The applications of both stand side by side: what either has submitted is submitted (R7)."""
    theirs = (
        select(literal(stays), literal(gone), *(getattr(ApplicationRow, name) for name in _APPLICATION))
        .where(ApplicationRow.person_id == gone)
        .ext(distinct_on(ApplicationRow.program, ApplicationRow.entry_term))
        .order_by(
            ApplicationRow.program,
            ApplicationRow.entry_term,
            (ApplicationRow.status == ApplicationStatus.SUBMITTED.value).desc(),
            ApplicationRow.occurred_at.desc(),
        )
    )
    statement = insert_or_update(ApplicationRow).from_select(["person_id", "copied_from", *_APPLICATION], theirs)
    index = [ApplicationRow.person_id, ApplicationRow.program, ApplicationRow.entry_term, ApplicationRow.copied_from]
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=index, set_={name: statement.excluded[name] for name in _APPLICATION[2:]}
        )
    )
    move_references(connection, of=gone, to=stays, which=None, mark=gone)


def move_references(connection: Connection, *, of: int, to: int, which: int | None, mark: int | None) -> None:
    """What sources call the applications of one means those of the other from now on: so do their checklists.

    Of several for one term it is the one of the same program, then the one that a source calls so, then their own.

    Args:
        of: whose applications they meant.
        to: whose applications they mean from now on.
        which: the mark of the applications that they meant; None: any.
        mark: the mark of the applications that they mean from now on; None: any, as below a further merge.
    """
    named, theirs, now = ApplicationReferenceRow, aliased(ApplicationRow), aliased(ApplicationRow)
    called_so = and_(now.source == named.source, now.reference == named.reference)
    best = (
        select(now.id)
        .where(now.person_id == to, now.entry_term == theirs.entry_term)
        .where(true() if mark is None else now.copied_from == mark)
        .order_by(
            now.program.is_not_distinct_from(theirs.program).desc(),
            func.coalesce(called_so, false()).desc(),
            now.copied_from.is_(None).desc(),
            now.id,
        )
        .limit(1)
        .correlate(named, theirs)
        .scalar_subquery()
    )
    moved = update(named).where(
        named.application_id == theirs.id,
        theirs.person_id == of,
        true() if which is None else theirs.copied_from == which,
    )
    connection.execute(moved.values(application_id=func.coalesce(best, named.application_id)))


def _unite_registrations(connection: Connection, gone: int, stays: int) -> None:
    columns = ("prep_session_id", "registered_at")
    theirs = select(literal(stays), literal(gone), *(getattr(RegistrationRow, name) for name in columns))
    statement = insert_or_update(RegistrationRow).from_select(
        ["person_id", "copied_from", *columns], theirs.where(RegistrationRow.person_id == gone)
    )
    connection.execute(statement.on_conflict_do_nothing())


_EVIDENCE = ("source", "said_at", "stated", "citizenship", "holds_visa", "address_country")


def _unite_evidence(connection: Connection, gone: int, stays: int) -> None:
    copy = aliased(ResidencyEvidenceRow)
    same = (getattr(copy, name).is_not_distinct_from(getattr(ResidencyEvidenceRow, name)) for name in _EVIDENCE)
    known = select(1).where(copy.person_id == stays, copy.copied_from == gone, *same)
    columns = (*_EVIDENCE, "received_at")
    theirs = (
        select(literal(stays), literal(gone), *(getattr(ResidencyEvidenceRow, name) for name in columns))
        .where(ResidencyEvidenceRow.person_id == gone, ~known.correlate(ResidencyEvidenceRow).exists())
        .order_by(ResidencyEvidenceRow.id)
    )
    connection.execute(insert(ResidencyEvidenceRow).from_select(["person_id", "copied_from", *columns], theirs))
