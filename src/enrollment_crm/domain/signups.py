"""Signups: a person asks for information about a program, or registers for one of its sessions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from enrollment_crm.domain.canonical_rows import (
    YES,
    CanonicalRow,
    birth_date_in,
    entry_term_in,
    required,
    statement_in,
    submitted_at_in,
)
from enrollment_crm.domain.residency import ResidencyEvidence
from enrollment_crm.domain.terms import EntryTerm


@dataclass(frozen=True, kw_only=True, slots=True)
class Signup:
    """One signup, as the person made it. None where they said nothing."""

    source: str
    #: What the source calls the person; None: it does not.
    person_reference: str | None
    #: As given: mail is written to it like this, and compared by ``address_key``.
    email: str
    first_name: str | None
    last_name: str | None
    phone: str | None
    #: ISO 8601; only ever used for matching.
    birth_date: str | None
    #: ISO 3166 alpha-2 code of the current address.
    country: str | None
    #: IANA name, as the browser or the source says it; not checked (R4 falls back).
    time_zone: str | None
    #: Key of a program; None: the default one.
    program: str | None
    entry_term: EntryTerm | None
    residency_evidence: ResidencyEvidence
    #: Id of the prep session that the person registers for.
    prep_session: str | None
    consent: bool
    consent_text_version: str | None
    page: str | None
    campaign: str | None
    #: By the source's own clock.
    occurred_at: datetime
    #: When it reached us.
    received_at: datetime
    #: The name of this signup in its source: the same one delivered again is not a new consent.
    submission: str | None
    #: Canonical field -> value that nobody has given a meaning yet: to review.
    unrecognised: Mapping[str, str]


def signup_of(row: CanonicalRow, *, source: str, received_at: datetime) -> Signup:
    """The signup that an accepted row means.

    Raises:
        UnvalidatedRowError: validation would not have accepted the row.
    """
    occurred_at = submitted_at_in(row, received_at=received_at)
    # Never after it reached us: a clock that runs ahead must not outrank all that is said later.
    said_at = min(occurred_at, received_at)
    statement = statement_in(row, source=source, said_at=said_at, country_field="country")
    return Signup(
        source=source,
        person_reference=row.get("person_reference"),
        email=required(row, "email"),
        first_name=row.get("first_name"),
        last_name=row.get("last_name"),
        phone=row.get("phone"),
        birth_date=birth_date_in(row, received_at=received_at),
        country=statement.evidence.address_country,
        time_zone=row.get("time_zone"),
        program=row.get("program"),
        entry_term=entry_term_in(row),
        residency_evidence=statement.evidence,
        prep_session=row.get("prep_session"),
        consent=row.get("consent") == YES,
        consent_text_version=row.get("consent_text_version"),
        page=row.get("page"),
        campaign=row.get("campaign"),
        occurred_at=occurred_at,
        received_at=received_at,
        submission=row.get("submission"),
        unrecognised=statement.unrecognised,
    )
