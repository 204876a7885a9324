"""Canonical rows: what a row of any source says, under our own names. Strings only; None: says nothing."""

from collections.abc import Container, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.person_facts import birth_date_of
from enrollment_crm.domain.residency import Citizenship, Residency, ResidencyEvidence
from enrollment_crm.domain.terms import EntryTerm

CanonicalRow: TypeAlias = Mapping[str, str | None]


class RecordKind(StrEnum):
    """What a row of a source is about; each kind has its own suite in ``expectations/``."""

    #: A person asks for information, or registers for a session.
    SIGNUP = "signup"
    #: An application system reports where an application stands.
    APPLICATION = "application"
    #: An application system reports where one item of the checklist of an application stands.
    CHECKLIST = "checklist"


#: No zone is farther ahead of another, and no clock that somebody looks at is wrong by as much.
_FARTHEST_AHEAD = timedelta(days=1)
#: Where a source notes that it could not read a row properly (too few cells, broken quotes).
DAMAGE = "damage"

_SIGNUP_FIELDS = (
    "email", "person_reference", "first_name", "last_name", "phone", "birth_date", "country", "time_zone",
    "program", "entry_term", "residency", "citizenship", "holds_visa", "prep_session", "consent",
    "consent_text_version", "page", "campaign", "website", "suspicion", "occurred_at", "submission",
    DAMAGE,
)  # fmt: skip
_APPLICATION_FIELDS = (
    "application_id", "person_reference", "email", "first_name", "last_name", "phone", "birth_date",
    "program", "entry_term", "status", "source_status", "occurred_at", "citizenship", "holds_visa",
    "address_country", "time_zone", DAMAGE,
)  # fmt: skip
_CHECKLIST_FIELDS = (
    "application_source", "application_id", "item", "code", "item_reference", "status", "source_status",
    "occurred_at", DAMAGE,
)  # fmt: skip

#: The fields of a canonical row of each kind, in the order in which people read them.
CANONICAL_FIELDS: Mapping[RecordKind, tuple[str, ...]] = {
    RecordKind.SIGNUP: _SIGNUP_FIELDS,
    RecordKind.APPLICATION: _APPLICATION_FIELDS,
    RecordKind.CHECKLIST: _CHECKLIST_FIELDS,
}

YES = "yes"
NO = "no"
_COUNTRY_CODE_LENGTH = 2
# Listing an enumeration takes longer than looking something up in it.
_RESIDENCIES, _CITIZENSHIPS = frozenset(Residency), frozenset(Citizenship)


class UnvalidatedRowError(ValueError):
    """A row came to a place that takes validated rows only: validate the batch first."""

    def __init__(self, sentence: str, *, column: str = "") -> None:
        super().__init__(sentence)
        #: The canonical field that it is about; empty: the whole row.
        self.column = column


class Statement(NamedTuple):
    """What a row says about residency, and the values in it that nobody has given a meaning yet.

    Unrecognised values are no reason to reject a person: the evidence leaves them out, so the conclusion is
    unknown and goes to review, where a person reads the value and adds it to the value map of the source.
    """

    evidence: ResidencyEvidence
    #: Canonical field -> the value as given.
    unrecognised: Mapping[str, str]


def required(row: CanonicalRow, field: str) -> str:
    """The value of a field that every accepted row has."""
    value = row.get(field)
    if not value:
        raise UnvalidatedRowError(f"The row has no {field}: validate it before it is loaded.", column=field)
    return value


def entry_term_in(row: CanonicalRow) -> EntryTerm | None:
    """The entry term; None where the row leaves it blank."""
    text = row.get("entry_term")
    try:
        return EntryTerm.parse(text) if text else None
    except ValueError as error:
        raise UnvalidatedRowError(str(error)) from None


def occurred_at_in(row: CanonicalRow, *, received_at: datetime) -> datetime:
    """When it happened by the source's own clock; a row without a time happened when it reached us."""
    check_aware(received_at)
    text = row.get("occurred_at")
    if not text:
        return received_at
    try:
        return check_aware(datetime.fromisoformat(text))
    except ValueError:
        raise UnvalidatedRowError(
            "The time is none that a calendar has: correct it, or export the file again with dates as 2026-11-24.",
            column="occurred_at",
        ) from None


def submitted_at_in(row: CanonicalRow, *, received_at: datetime) -> datetime:
    """When somebody said it by the source's own clock, for what must be proven (a consent) or outranks (a tombstone).

    A clock may run ahead, or be of another zone than was said. More than that is a slip, and a consent of a day that
    has not come is no proof: delivered again, it would outrank every withdrawal until then.
    """
    at = occurred_at_in(row, received_at=received_at)
    if at - received_at > _FARTHEST_AHEAD:
        raise UnvalidatedRowError(
            "The time lies after the row reached us, so it is no proof of a consent: correct it, or add the format of "
            "its date to date_formats of the source in config/sources/.",
            column="occurred_at",
        )
    return at


def statement_in(row: CanonicalRow, *, source: str, said_at: datetime, country_field: str) -> Statement:
    """The evidence about residency in the row."""
    unrecognised: dict[str, str] = {}

    def recognised(field: str, known: Container[str]) -> str | None:
        value = row.get(field)
        if value is None or value in known:
            return value
        unrecognised[field] = value
        return None

    stated = recognised("residency", _RESIDENCIES)
    citizenship = recognised("citizenship", _CITIZENSHIPS)
    visa = recognised("holds_visa", (YES, NO))
    country = row.get(country_field)
    if country is not None and not _is_country_code(country):
        unrecognised[country_field] = country
        country = None
    evidence = ResidencyEvidence(
        source=source,
        said_at=said_at,
        stated=Residency(stated) if stated else None,
        citizenship=Citizenship(citizenship) if citizenship else None,
        holds_visa=visa == YES if visa else None,
        address_country=country,
    )
    return Statement(evidence, unrecognised)


def birth_date_in(row: CanonicalRow, *, received_at: datetime) -> str | None:
    """The day of birth, ISO 8601; None: the row says nothing, or what cannot be. Only ever used for matching."""
    day = birth_date_of(row.get("birth_date"), received_at=received_at)
    return day.isoformat() if day else None


def _is_country_code(text: str) -> bool:
    return len(text) == _COUNTRY_CODE_LENGTH and text.isascii() and text.isalpha() and text.isupper()
