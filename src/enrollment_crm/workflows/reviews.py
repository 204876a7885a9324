"""Reviews: the questions that wait for a person, and what follows from the answer."""

from datetime import datetime

from sqlalchemy import Connection, Engine

from enrollment_crm.domain.residency import STAFF, Residency, ResidencyEvidence
from enrollment_crm.domain.review_decisions import check_decision
from enrollment_crm.domain.staff_actions import StaffAction, StaffActionKind
from enrollment_crm.storage.batches import wait_for_other_loaders
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.matching import DECIDED_SAME, SAME_PERSON
from enrollment_crm.storage.people import add_evidence, await_routing
from enrollment_crm.storage.review_decisions import KnownReview, close_review, review_of, reviews_where
from enrollment_crm.storage.reviews import RESIDENCY
from enrollment_crm.storage.staff_actions import record_action
from enrollment_crm.storage.unmerging import lock_people
from enrollment_crm.workflows.people import CannotMergeError, merge_records, order_of_merge


class UnknownReviewError(LookupError):
    """No review of this id waits: `enrollment-crm reviews list` shows those that do."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


def list_reviews(engine: Engine, *, about: str | None = None, closed: bool = False) -> list[KnownReview]:
    """The questions that wait, or all that were ever asked."""
    with transaction(engine) as connection:
        return reviews_where(connection, about=about, closed=closed)


def show_review(engine: Engine, review_id: int) -> KnownReview:
    """One question.

    Raises:
        UnknownReviewError: there is none of this id.
    """
    with transaction(engine) as connection:
        found = review_of(connection, review_id)
    if found is None:
        raise UnknownReviewError
    return found


def decide_review(engine: Engine, review_id: int, decision: str, *, action: StaffAction) -> KnownReview:
    """Close a question with what was decided, and do what follows from it.

    A residency becomes evidence of the highest standing, and the person waits for a route. Two records that are the
    same are merged; two that are not are not asked about again. Everything else is closed with the words.

    Raises:
        UnknownReviewError: no question of this id waits.
        InvalidDecisionError: it cannot be decided so; the message says how.
        CannotMergeError: one of the two is no person any more.
    """
    with transaction(engine) as connection:
        wait_for_other_loaders(connection)
        review = review_of(connection, review_id)
        if review is None or review.closed_at is not None:
            raise UnknownReviewError
        decided = check_decision(review.about, decision)
        _follow(connection, review, decided, action)
        close_review(connection, review.id, by=action.by, decision=decided, at=action.at)
        record_action(
            connection,
            StaffActionKind.DECIDED,
            action,
            person_id=review.person_id,
            other_person_id=review.other_person_id,
            review_id=review.id,
        )
        return review


def _follow(connection: Connection, review: KnownReview, decided: str, action: StaffAction) -> None:
    if review.about == RESIDENCY:
        decide_residency(connection, review.person_id, Residency(decided), at=action.at)
    if review.about == SAME_PERSON and decided == DECIDED_SAME and review.other_person_id is not None:
        pair = [review.person_id, review.other_person_id]
        lock_people(connection, pair)
        order = order_of_merge(connection, pair)
        if order is None:
            raise CannotMergeError("One of the two was erased or merged meanwhile: look at both with `person show`.")
        merge_records(connection, gone=order[0], stays=order[1], action=action)


def decide_residency(connection: Connection, person_id: int, residency: Residency, *, at: datetime) -> None:
    """Keep a decision of staff as evidence; the route follows when people are routed next."""
    evidence = ResidencyEvidence(source=STAFF, said_at=at, stated=residency)
    add_evidence(connection, person_id=person_id, evidence=evidence, received_at=at)
    await_routing(connection, person_id)
