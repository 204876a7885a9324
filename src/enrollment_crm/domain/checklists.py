"""Checklists: what the application system lists for an application, and which of two reports of an item holds.

Only what the system lists is ever spoken of. What it has not processed may have arrived long ago, so nobody is told
that they have not sent it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from enrollment_crm.domain.canonical_rows import CanonicalRow, UnvalidatedRowError, occurred_at_in, required
from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.residency import Residency

_NEVER = datetime(1, 1, 1, tzinfo=UTC)


class ChecklistItem(StrEnum):
    """What an application can need; the file of its program says what it does need."""

    #: One letter of recommendation; a second one is an item of its own.
    LETTER_OF_RECOMMENDATION = "letter_of_recommendation"
    #: The transcript of one institution.
    TRANSCRIPT = "transcript"
    #: The Foreign Credential Evaluation of documents from institutions outside the US.
    CREDENTIAL_EVALUATION = "credential_evaluation"
    #: The statement of purpose.
    STATEMENT_OF_PURPOSE = "statement_of_purpose"
    #: The resume.
    RESUME = "resume"
    #: A TOEFL, IELTS or Duolingo score.
    ENGLISH_TEST = "english_test"
    #: Something of the office that no message speaks of.
    OTHER = "other"


class ItemStatus(StrEnum):
    """Where an item of a checklist stands."""

    #: Listed and not yet processed, whether or not it has arrived: the only status that is spoken of.
    AWAITING = "awaiting"
    #: Processed.
    RECEIVED = "received"
    #: The office has waived it for this applicant.
    WAIVED = "waived"
    #: This application does not need it.
    NOT_REQUIRED = "not_required"


class RequiredOf(StrEnum):
    """Of whom a program requires an item."""

    #: Of everybody.
    ALL = "all"
    #: Of all but domestic applicants. Whose residency is unknown may be one of them: the list of the school decides.
    INTERNATIONAL = "international"

    def includes(self, residency: Residency) -> bool:
        """Whether people of this group may be spoken to of the item."""
        return self is RequiredOf.ALL or residency is not Residency.DOMESTIC


@dataclass(frozen=True)
class ExpectedItem:
    """An item that a program requires, and of whom."""

    item: ChecklistItem
    required_of: RequiredOf


@dataclass(frozen=True)
class ItemState:
    """A status of an item; ``occurred_at`` is the source's own clock, None where it says nothing."""

    status: ItemStatus
    occurred_at: datetime | None
    #: When the row that said so reached the pipeline.
    received_at: datetime

    def __post_init__(self) -> None:
        check_aware(self.received_at)
        if self.occurred_at is not None:
            check_aware(self.occurred_at)


@dataclass(frozen=True, kw_only=True)
class ChecklistReport:
    """One report of one item. It names the application alone: whose that is, reports of applications tell."""

    source: str
    #: The source whose applications the reference belongs to.
    application_source: str
    application_reference: str
    #: What tells it from other items of the application, in the words of the source.
    name: str
    #: The item in the words of the source.
    code: str
    #: None: nobody has given the code a meaning yet; to review.
    item: ChecklistItem | None
    state: ItemState


@dataclass(frozen=True)
class MissingItems:
    """How many items of one sort an application for a program and term still awaits."""

    program: str
    entry_term: str
    item: ChecklistItem
    count: int


def checklist_report_of(row: CanonicalRow, *, source: str, received_at: datetime) -> ChecklistReport:
    """The report that an accepted row makes.

    Raises:
        UnvalidatedRowError: validation would not have accepted the row.
    """
    item, code = required(row, "item"), row.get("code") or required(row, "item")
    dated = bool(row.get("occurred_at"))
    occurred_at = occurred_at_in(row, received_at=received_at)
    return ChecklistReport(
        source=source,
        application_source=required(row, "application_source"),
        application_reference=required(row, "application_id"),
        name=row.get("item_reference") or code,
        code=code,
        item=meaning_of(item),
        state=ItemState(_status_in(row), occurred_at if dated else None, received_at),
    )


def meaning_of(item: str | None) -> ChecklistItem | None:
    """The item that a canonical value names; None: it is a code that no value map knows."""
    return ChecklistItem(item) if item in tuple(ChecklistItem) else None


def newer_state(known: ItemState | None, reported: ItemState) -> ItemState:
    """The state that holds: the later by the source's clock, in whatever order reports arrive.

    A state without a time is older than any with one: many systems date what they have received, and nothing else.
    Of two without a time the one that reached us later holds. Of two at the same instant the one that awaits nothing
    holds: better to say nothing of an item than to speak of one that is there.
    """
    return reported if known is None else max(known, reported, key=_rank)


def _rank(state: ItemState) -> tuple[datetime, datetime, bool]:
    reached_us = state.received_at if state.occurred_at is None else _NEVER
    return state.occurred_at or _NEVER, reached_us, state.status is not ItemStatus.AWAITING


def _status_in(row: CanonicalRow) -> ItemStatus:
    try:
        return ItemStatus(required(row, "status"))
    except ValueError as error:
        if isinstance(error, UnvalidatedRowError):
            raise
        raise UnvalidatedRowError(
            "The status of the item is none of ours: validate the row before it is loaded."
        ) from None
