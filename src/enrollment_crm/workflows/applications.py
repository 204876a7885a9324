"""Applications: an accepted report becomes a status, and what it says of the person."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, Engine

from enrollment_crm.domain.addresses import address_key
from enrollment_crm.domain.applications import Application, application_of
from enrollment_crm.domain.canonical_rows import CanonicalRow, RecordKind, UnvalidatedRowError
from enrollment_crm.domain.consent import ConsentBasis
from enrollment_crm.domain.field_maps import FieldMap
from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.people import Contact
from enrollment_crm.domain.routing import unmapped_values
from enrollment_crm.storage.applications import person_of_application, report_status
from enrollment_crm.storage.consent import has_proof, keep_proof
from enrollment_crm.storage.identity import NamedRecord, records_of_references, remember_references
from enrollment_crm.storage.inbox import RawRow
from enrollment_crm.storage.people import (
    add_evidence,
    add_interest,
    await_routing,
    has_interest,
    record_event,
    upsert_person,
)
from enrollment_crm.storage.reviews import open_review
from enrollment_crm.workflows.loading import Loaded, load_validated


def load_applications(
    engine: Engine,
    field_maps: Mapping[str, FieldMap],
    *,
    country_zones: Mapping[str, str],
    default_program: str,
    now: datetime,
    dry_run: bool = False,
) -> Loaded:
    """Take every validated batch of applications into the people's records."""
    check_aware(now)

    def load_row(connection: Connection, row: RawRow, canonical: CanonicalRow) -> None:
        application = application_of(canonical, source=row.source, received_at=row.received_at)
        person_id = _applicant(connection, application, country_zones)
        if application.person_reference:
            reference, said_at = application.person_reference, application.said_at
            named = NamedRecord(row.source, reference, person_id, said_at, application.received_at)
            remember_references(connection, [named])
        _keep_consent(connection, application, person_id)
        add_evidence(
            connection, person_id=person_id, evidence=application.residency_evidence, received_at=row.received_at
        )
        if application.program or not has_interest(connection, person_id, entry_term=str(application.entry_term)):
            add_interest(
                connection,
                person_id=person_id,
                program=application.program or default_program,
                entry_term=str(application.entry_term),
                since=row.received_at,
                asked_for_information=False,
            )
        for review in unmapped_values(application.source, application.unrecognised):
            open_review(connection, review, person_id=person_id, now=now)
        if report_status(connection, application, person_id=person_id):
            record_event(
                connection,
                person_id=person_id,
                kind=f"Application{application.report.status.value.title()}",
                occurred_at=application.report.occurred_at,
                inbox_id=row.id,
                now=now,
            )

    return load_validated(engine, field_maps, load_row, kind=RecordKind.APPLICATION, now=now, dry_run=dry_run)


def _keep_consent(connection: Connection, application: Application, person_id: int) -> None:
    """Who applies inquires, which allows to write to them for a while (CASL); an application implies it once."""
    reference = f"application {application.application_id or application.entry_term}"
    if not has_proof(connection, person_id=person_id, source=application.source, submission=reference):
        keep_proof(
            connection,
            person_id=person_id,
            source=application.source,
            submission=reference,
            text_version="",
            page="",
            given_at=application.said_at,
            basis=ConsentBasis.INQUIRY,
        )


def _applicant(connection: Connection, application: Application, country_zones: Mapping[str, str]) -> int:
    """Who applied: by address, else by an earlier report of the same application or person."""
    if application.email:
        contact = _contact(application, application.email)
        return upsert_person(connection, contact, country_zones=country_zones, now=application.received_at)
    reference = application.application_id or ""
    known = person_of_application(connection, source=application.source, reference=reference)
    if known is None and application.person_reference:
        called = (application.source, application.person_reference)
        known = records_of_references(connection, [called]).get(called)
    if known is None:
        raise UnvalidatedRowError(
            "The row has no email address, and no earlier row tells whose application it is. "
            "Export it with the address, or correct the row and replay it."
        )
    await_routing(connection, known)
    return known


def _contact(application: Application, email: str) -> Contact:
    return Contact(
        email=email,
        email_key=address_key(email),
        first_name=application.first_name,
        last_name=application.last_name,
        phone=application.phone,
        country=application.residency_evidence.address_country,
        time_zone=application.time_zone,
        birth_date=application.birth_date,
        source=application.source,
        said_at=application.report.occurred_at,
    )
