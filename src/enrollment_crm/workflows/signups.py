"""Signups: an accepted row becomes a person, what they want, what they said, and the event that records it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, Engine

from enrollment_crm.domain.addresses import address_key
from enrollment_crm.domain.canonical_rows import RecordKind, UnvalidatedRowError
from enrollment_crm.domain.field_maps import FieldMap
from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.intake import Office, take_signup
from enrollment_crm.domain.people import Contact
from enrollment_crm.domain.signups import Signup, signup_of
from enrollment_crm.storage.batches import QuarantinedRow
from enrollment_crm.storage.intake import Arrival, open_dossiers, sessions_named
from enrollment_crm.storage.intake_changes import create_people, write_changes
from enrollment_crm.workflows.batches import AcceptedRows, Loaded, load_batches, unusable


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

    def load_rows(connection: Connection, rows: AcceptedRows) -> list[QuarantinedRow]:
        signups, cannot = _signups_of(rows)
        wanted = {signup.prep_session for _, signup in signups if signup.prep_session}
        office = Office(country_zones, default_program, sessions_named(connection, wanted) if wanted else {})
        while signups and not _take(connection, signups, office, now=now):
            pass  # somebody made one of the people meanwhile: decided again, knowing them
        return cannot

    return load_batches(engine, field_maps, load_rows, kind=RecordKind.SIGNUP, now=now, dry_run=dry_run)


def _signups_of(rows: AcceptedRows) -> tuple[list[tuple[int, Signup]], list[QuarantinedRow]]:
    """The signups, each with the id of its row; beside them the rows that are none."""
    signups, cannot = [], []
    for row, canonical in rows:
        try:
            signups.append((row.id, signup_of(canonical, source=row.source, received_at=row.received_at)))
        except UnvalidatedRowError as error:
            cannot.append(unusable(row, error))
    return signups, cannot


def _take(connection: Connection, signups: Sequence[tuple[int, Signup]], office: Office, *, now: datetime) -> bool:
    """Fetch who is known, decide signup by signup, write. False: nothing was written, it must be decided again."""
    with connection.begin_nested() as attempt:
        arrivals = [Arrival(_contact(signup), signup.received_at) for _, signup in signups]
        sources = {signup.source for _, signup in signups}
        dossiers, whose = open_dossiers(connection, arrivals, sources=sources)
        for (inbox_id, signup), arrival, dossier in zip(signups, arrivals, whose, strict=True):
            take_signup(dossier, signup, arrival.contact, inbox_id=inbox_id, office=office)
        if not create_people(connection, dossiers.newcomers):
            attempt.rollback()
            return False
        write_changes(connection, dossiers, now=now)
    return True


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
