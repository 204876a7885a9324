"""Signups: an accepted row becomes a person, what they want, what they said, and the event that records it."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, Engine

from enrollment_crm.domain.addresses import address_key
from enrollment_crm.domain.canonical_rows import CanonicalRow, RecordKind
from enrollment_crm.domain.field_maps import FieldMap
from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.people import Contact
from enrollment_crm.domain.routing import Review, unmapped_values
from enrollment_crm.domain.signups import Signup, signup_of
from enrollment_crm.storage.consent import record_consent
from enrollment_crm.storage.identity import NamedRecord, remember_references
from enrollment_crm.storage.inbox import RawRow
from enrollment_crm.storage.people import (
    add_evidence,
    add_interest,
    record_event,
    upsert_person,
)
from enrollment_crm.storage.prep_sessions import register
from enrollment_crm.storage.reviews import open_review
from enrollment_crm.workflows.batches import Loaded, load_validated


def load_signups(
    engine: Engine,
    field_maps: Mapping[str, FieldMap],
    *,
    country_zones: Mapping[str, str],
    default_program: str,
    now: datetime,
    dry_run: bool = False,
) -> Loaded:
    """Take every validated batch of signups into the people's records."""
    check_aware(now)

    def load_row(connection: Connection, row: RawRow, canonical: CanonicalRow) -> None:
        signup = signup_of(canonical, source=row.source, received_at=row.received_at)
        person_id = upsert_person(connection, _contact(signup), country_zones=country_zones, now=row.received_at)
        if signup.person_reference:
            said_at = min(signup.occurred_at, signup.received_at)
            named = NamedRecord(signup.source, signup.person_reference, person_id, said_at, signup.received_at)
            remember_references(connection, [named])
        _record_wishes(connection, signup, person_id, default_program=default_program, now=now)
        record_event(
            connection,
            person_id=person_id,
            kind="SignupReceived",
            occurred_at=signup.occurred_at,
            inbox_id=row.id,
            now=now,
        )

    return load_validated(engine, field_maps, load_row, kind=RecordKind.SIGNUP, now=now, dry_run=dry_run)


def _contact(signup: Signup) -> Contact:
    return Contact(
        email=signup.email,
        email_key=address_key(signup.email),
        first_name=signup.first_name,
        last_name=signup.last_name,
        phone=signup.phone,
        country=signup.country,
        time_zone=signup.time_zone,
        birth_date=signup.birth_date,
        source=signup.source,
        said_at=signup.occurred_at,
    )


def _record_wishes(
    connection: Connection, signup: Signup, person_id: int, *, default_program: str, now: datetime
) -> None:
    add_interest(
        connection,
        person_id=person_id,
        program=signup.program or default_program,
        entry_term=str(signup.entry_term) if signup.entry_term else None,
        since=signup.received_at,
        asked_for_information=True,
    )
    add_evidence(connection, person_id=person_id, evidence=signup.residency_evidence, received_at=signup.received_at)
    record_consent(
        connection,
        person_id=person_id,
        source=signup.source,
        submission=signup.submission,
        text_version=signup.consent_text_version or "",
        page=signup.page or "",
        # What was agreed to before an unsubscription does not lift it, however late the row reaches us.
        given_at=min(signup.occurred_at, signup.received_at),
        received_at=signup.received_at,
    )
    for review in _reviews_of(connection, signup, person_id):
        open_review(connection, review, person_id=person_id, now=now)


def _reviews_of(connection: Connection, signup: Signup, person_id: int) -> list[Review]:
    reviews = unmapped_values(signup.source, signup.unrecognised)
    wanted = signup.prep_session
    if wanted and not register(connection, person_id=person_id, prep_session_id=wanted, at=signup.received_at):
        reviews.append(Review("prep_session", f"asked for session {wanted!r}, which is unknown, over or cancelled"))
    return reviews
