"""Dossiers: what is known of one person and why, for staff; and all that is held of them, for themselves."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from enrollment_crm.domain.field_maps import FieldMap
from enrollment_crm.domain.person_facts import Said
from enrollment_crm.domain.residency import ResidencyConclusion, conclude_residency
from enrollment_crm.domain.staff_actions import StaffAction, StaffActionKind
from enrollment_crm.storage.dossiers import (
    ExactMessage,
    HeldRow,
    KnownRecord,
    KnownReference,
    exact_messages,
    facts_row,
    records_known,
    references_known,
    rows_held,
)
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.erasure import records_of
from enrollment_crm.storage.explanations import PersonRecord, person_record
from enrollment_crm.storage.person_facts import facts_in
from enrollment_crm.storage.review_decisions import KnownReview, reviews_where
from enrollment_crm.storage.routing import evidence_of
from enrollment_crm.storage.staff_actions import RecordedAction, actions_about, record_action
from enrollment_crm.workflows.people import surviving_person
from enrollment_crm.workflows.traces import all_about


@dataclass(frozen=True)
class Dossier:
    """One person as staff see them. pii: all of it; printed on purpose, and never logged."""

    record: PersonRecord
    #: Every address that they are known by; the first is written to.
    records: tuple[KnownRecord, ...]
    references: tuple[KnownReference, ...]
    #: Field -> value with both clocks and its source.
    facts: Mapping[str, Said]
    conclusion: ResidencyConclusion
    reviews: tuple[KnownReview, ...]
    trail: tuple[RecordedAction, ...]


def show_person(engine: Engine, who: str) -> Dossier:
    """The person with this id or address.

    Raises:
        UnknownPersonError: there is nobody.
    """
    with transaction(engine) as connection:
        person_id = surviving_person(connection, who)
        ids = records_of(connection, person_id)
        return Dossier(
            record=person_record(connection, person_id),
            records=tuple(records_known(connection, ids)),
            references=tuple(references_known(connection, ids)),
            facts=facts_in(facts_row(connection, person_id)),
            conclusion=conclude_residency(evidence_of(connection, [person_id])[person_id]),
            reviews=tuple(reviews_where(connection, person_id=person_id, closed=True)),
            trail=tuple(actions_about(connection, ids)),
        )


@dataclass(frozen=True)
class NamedIn:
    """A raw row about somebody else that names an address of the person; what it says is the other one's."""

    source: str
    received_at: datetime


@dataclass(frozen=True)
class Export:
    """All that is held of one person. pii: all of it."""

    #: None: there are raw rows of theirs, and no record.
    person_id: int | None
    at: datetime
    tables: Mapping[str, list[HeldRow]]
    messages: tuple[ExactMessage, ...]
    named_in: tuple[NamedIn, ...]


def export_person(engine: Engine, who: str, *, action: StaffAction, field_maps: Mapping[str, FieldMap]) -> Export:
    """Every row of every table that is about a person, with the exact messages; that it was handed out is recorded.

    Also of one of whom there are raw rows alone. What a row about somebody else says is not handed out.

    Raises:
        UnknownPersonError: nobody has the id or address, and no row names it.
    """
    with transaction(engine) as connection:
        held = all_about(connection, who, field_maps)
        record_action(connection, StaffActionKind.EXPORTED, action, person_id=held.person_id)
        tables = rows_held(connection, held.ids, inbox_ids=sorted(held.theirs))
        messages = tuple(exact_messages(connection, held.ids))
    named_in = tuple(NamedIn(row.source, row.received_at) for row in held.named)
    return Export(held.person_id, action.at, tables, messages, named_in)
