"""Applications, as an application system reports them, and which of two reports holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from enrollment_crm.domain.canonical_rows import (
    CanonicalRow,
    UnvalidatedRowError,
    birth_date_in,
    entry_term_in,
    occurred_at_in,
    required,
    statement_in,
)
from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.residency import ResidencyEvidence
from enrollment_crm.domain.terms import EntryTerm


class ApplicationStatus(StrEnum):
    """Where an application stands: started -> submitted, and never back (R7)."""

    #: Begun and not handed in: every reminder still goes out.
    STARTED = "started"
    #: Handed in, whatever is still to be processed: reminders of its term are withheld.
    SUBMITTED = "submitted"


@dataclass(frozen=True)
class StatusReport:
    """A status and when it was reached, by the source's own clock."""

    status: ApplicationStatus
    occurred_at: datetime

    def __post_init__(self) -> None:
        check_aware(self.occurred_at)


@dataclass(frozen=True, kw_only=True)
class Application:
    """One report of one application. Without a program it counts for all programs of its term (R7)."""

    source: str
    #: The application's name in its source; None where the source gives only an address.
    application_id: str | None
    #: The person's name in the source.
    person_reference: str | None
    #: As given; None where the source identifies the application alone.
    email: str | None
    first_name: str | None
    last_name: str | None
    phone: str | None
    #: ISO 8601; only ever used for matching.
    birth_date: str | None
    program: str | None
    entry_term: EntryTerm
    report: StatusReport
    #: The status in the source's own words.
    source_status: str | None
    residency_evidence: ResidencyEvidence
    time_zone: str | None
    received_at: datetime
    #: Canonical field -> value that nobody has given a meaning yet: to review.
    unrecognised: Mapping[str, str]

    @property
    def said_at(self) -> datetime:
        """By the source's own clock; never after it reached us, so that a clock that runs ahead cannot hold forever."""
        return min(self.report.occurred_at, self.received_at)


def application_of(row: CanonicalRow, *, source: str, received_at: datetime) -> Application:
    """The application that an accepted row reports.

    Raises:
        UnvalidatedRowError: validation would not have accepted the row.
    """
    occurred_at = occurred_at_in(row, received_at=received_at)
    said_at = min(occurred_at, received_at)
    statement = statement_in(row, source=source, said_at=said_at, country_field="address_country")
    entry_term = entry_term_in(row)
    if entry_term is None:
        raise UnvalidatedRowError("The application names no entry term: validate it before it is loaded.")
    if not (row.get("application_id") or row.get("email")):
        raise UnvalidatedRowError("The application has neither an id nor an address: validate it before it is loaded.")
    return Application(
        source=source,
        application_id=row.get("application_id"),
        person_reference=row.get("person_reference"),
        email=row.get("email"),
        first_name=row.get("first_name"),
        last_name=row.get("last_name"),
        phone=row.get("phone"),
        birth_date=birth_date_in(row, received_at=received_at),
        program=row.get("program"),
        entry_term=entry_term,
        report=StatusReport(_status_in(row), occurred_at),
        source_status=row.get("source_status"),
        residency_evidence=statement.evidence,
        time_zone=row.get("time_zone"),
        received_at=received_at,
        unrecognised=statement.unrecognised,
    )


def newer_status(known: StatusReport | None, reported: StatusReport) -> StatusReport:
    """The report that holds (R7): submitted over started, whichever came first; of two equal ones the later.

    The outcome does not depend on the order of arrival: feeds overlap, and old exports come after new ones.
    """
    if known is None:
        return reported
    if known.status is not reported.status:
        return known if known.status is ApplicationStatus.SUBMITTED else reported
    return max(known, reported, key=lambda report: report.occurred_at)


def _status_in(row: CanonicalRow) -> ApplicationStatus:
    try:
        return ApplicationStatus(required(row, "status"))
    except ValueError:
        raise UnvalidatedRowError(
            "The status is neither started nor submitted: validate the row before it is loaded."
        ) from None
