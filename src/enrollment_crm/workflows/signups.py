"""Signups: an accepted row becomes a person, what they want, what they said, and the event that records it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import Connection, Engine

from enrollment_crm.domain.addresses import address_key
from enrollment_crm.domain.canonical_rows import RecordKind, UnvalidatedRowError
from enrollment_crm.domain.field_maps import FieldMap
from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.intake import Office, take_signup
from enrollment_crm.domain.people import Contact
from enrollment_crm.domain.signups import Signup, signup_of
from enrollment_crm.storage.batches import QuarantinedRow
from enrollment_crm.storage.intake import Arrival, Dossiers, open_dossiers, sessions_named
from enrollment_crm.storage.intake_changes import create_people, write_changes
from enrollment_crm.workflows.loading import AcceptedRows, Alone, Loaded, TakeIn, load_batches, unusable

#: The id of the raw row, what it means, and who comes by it.
_Arrived: TypeAlias = tuple[int, Signup, Arrival]


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

    def load_rows(connection: Connection, rows: AcceptedRows, alone: Alone) -> TakeIn:
        arrived, cannot = _arrivals_of(rows)
        alone()
        wanted = {signup.prep_session for _, signup, _ in arrived if signup.prep_session}
        office = Office(country_zones, default_program, sessions_named(connection, wanted) if wanted else {})
        decided = _decide(connection, arrived, office)

        def take_in() -> list[QuarantinedRow]:
            dossiers = decided
            while not _create(connection, dossiers):
                # Somebody made one of the people meanwhile: decided again, knowing them.
                dossiers = _decide(connection, arrived, office)
            write_changes(connection, dossiers, now=now)
            return cannot

        return take_in

    return load_batches(engine, field_maps, load_rows, kind=RecordKind.SIGNUP, now=now, dry_run=dry_run)


def _arrivals_of(rows: AcceptedRows) -> tuple[list[_Arrived], list[QuarantinedRow]]:
    """The signups; beside them the rows that are none."""
    arrived, cannot = [], []
    for row, canonical in rows:
        try:
            signup = signup_of(canonical, source=row.source, received_at=row.received_at)
        except UnvalidatedRowError as error:
            cannot.append(unusable(row, error))
        else:
            arrived.append((row.id, signup, Arrival(_contact(signup), signup.received_at)))
    return arrived, cannot


def _decide(connection: Connection, arrived: Sequence[_Arrived], office: Office) -> Dossiers:
    """Fetch who is known, and decide signup by signup."""
    sources = {signup.source for _, signup, _ in arrived}
    dossiers, whose = open_dossiers(connection, [arrival for *_, arrival in arrived], sources=sources)
    for (inbox_id, signup, arrival), dossier in zip(arrived, whose, strict=True):
        take_signup(dossier, signup, arrival.contact, inbox_id=inbox_id, office=office)
    return dossiers


def _create(connection: Connection, dossiers: Dossiers) -> bool:
    """Make the records of who is new. False: none was made, it must be decided again."""
    with connection.begin_nested() as attempt:
        is_made = create_people(connection, dossiers.newcomers)
        if not is_made:
            attempt.rollback()
    return is_made


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
