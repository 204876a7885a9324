"""Dossiers: what is known of one person and why, for staff; and all that is held of them, for themselves."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine

from enrollment_crm.domain.field_maps import FieldMap, translate
from enrollment_crm.domain.person_facts import Said
from enrollment_crm.domain.residency import ResidencyConclusion, conclude_residency
from enrollment_crm.domain.staff_actions import StaffAction, StaffActionKind
from enrollment_crm.domain.traces import mention_in
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
from enrollment_crm.storage.erasure import records_of, rows_of_events
from enrollment_crm.storage.explanations import PersonRecord, person_record
from enrollment_crm.storage.person_facts import facts_in
from enrollment_crm.storage.review_decisions import KnownReview, reviews_where
from enrollment_crm.storage.routing import evidence_of
from enrollment_crm.storage.staff_actions import RecordedAction, actions_about, record_action
from enrollment_crm.storage.traces import rows_with, traces_of
from enrollment_crm.workflows.people import surviving_person


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
class Export:
    """All that is held of one person. pii: all of it."""

    person_id: int
    at: datetime
    tables: Mapping[str, list[HeldRow]]
    messages: tuple[ExactMessage, ...]


def export_person(engine: Engine, who: str, *, action: StaffAction, field_maps: Mapping[str, FieldMap]) -> Export:
    """Every row of every table that is about a person, with the exact messages; that it was handed out is recorded.

    Raises:
        UnknownPersonError: there is nobody.
    """
    with transaction(engine) as connection:
        person_id = surviving_person(connection, who)
        ids = records_of(connection, person_id)
        inbox_ids = sorted(rows_of_events(connection, ids) | _rows_about(connection, ids, field_maps))
        record_action(connection, StaffActionKind.EXPORTED, action, person_id=person_id)
        tables = rows_held(connection, ids, inbox_ids=inbox_ids)
        return Export(person_id, action.at, tables, tuple(exact_messages(connection, ids)))


def _rows_about(connection: Connection, ids: list[int], field_maps: Mapping[str, FieldMap]) -> set[int]:
    traces = traces_of(connection, ids)
    found = set()
    for row in rows_with(connection, traces):
        canonical = translate(row.raw, field_maps[row.source]) if row.source in field_maps else None
        if mention_in(row.raw, canonical, source=row.source, traces=traces):
            found.add(row.id)
    return found
