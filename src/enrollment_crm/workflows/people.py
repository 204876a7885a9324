"""People: two records that are one, and two again.

Whoever merges or divides takes the place of a loader first, and then locks the records in the order of their ids: so
neither a loader nor another merge meets it half-way. A claim looks at the record in its own statement (R7).
"""

from collections.abc import Sequence

from sqlalchemy import Connection, Engine

from enrollment_crm.domain.addresses import address_key
from enrollment_crm.domain.facts import Fact
from enrollment_crm.domain.staff_actions import StaffAction, StaffActionKind
from enrollment_crm.storage.batches import wait_for_other_loaders
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.explanations import find_person
from enrollment_crm.storage.facts import is_new
from enrollment_crm.storage.matching import DECIDED_DIFFERENT, DECIDED_SAME, SAME_PERSON
from enrollment_crm.storage.merging import unite_people
from enrollment_crm.storage.people import person_of_address
from enrollment_crm.storage.review_decisions import answer_pair, move_reviews, remember_pair
from enrollment_crm.storage.staff_actions import record_action
from enrollment_crm.storage.standing import Standing, standing_of
from enrollment_crm.storage.unmerging import Merge, divide_people, lock_people, merge_of


class UnknownPersonError(LookupError):
    """Nobody has this id or address. Look it up in `enrollment-crm people`; who was erased is found by id only."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class ErasedPersonError(UnknownPersonError):
    """This person was erased: nothing is known of them that could be corrected. Who signs up again is a new person."""


class CannotMergeError(ValueError):
    """Two records cannot become one, or one cannot become two; the message says why and what to do."""


def merge_people(engine: Engine, email: str, into: str, *, fact: Fact) -> None:
    """A person decided that these two addresses are one person's: written to from now on is the second one."""
    with transaction(engine) as connection:
        wait_for_other_loaders(connection)
        gone, stays = (person_of_address(connection, address_key(one)) for one in (email, into))
        if gone is not None and stays is not None and gone != stays and is_new(connection, fact):
            merge_records(connection, gone=gone, stays=stays, action=StaffAction(fact.source, "", fact.at))


def merge(engine: Engine, who: str, into: str, *, action: StaffAction) -> tuple[int, int]:
    """A member of staff merges two people, by id or address: gives who is gone, and who is written to.

    Raises:
        UnknownPersonError: nobody has one of them.
        CannotMergeError: they are one already, or one of them was erased.
    """
    with transaction(engine) as connection:
        wait_for_other_loaders(connection)
        gone, stays = (surviving_person(connection, one) for one in (who, into))
        if gone == stays:
            raise CannotMergeError(f"They are one person already: {gone}.")
        lock_people(connection, [gone, stays])
        erased = [one.person_id for one in standing_of(connection, [gone, stays]) if one.is_erased]
        if erased:
            raise CannotMergeError(f"Person {erased[0]} was erased: there is nothing to merge.")
        merge_records(connection, gone=gone, stays=stays, action=action)
        return gone, stays


def surviving_person(connection: Connection, who: str) -> int:
    """The person with this id or address; of a record that was merged away, the one that it was merged into.

    Raises:
        UnknownPersonError: there is nobody.
    """
    found = find_person(connection, who)
    if found is None:
        raise UnknownPersonError
    while (merge := merge_of(connection, found)) is not None:
        found = merge.stays
    return found


def living_person(connection: Connection, who: str) -> int:
    """Like ``surviving_person``; of somebody who was erased nothing is kept any more.

    Raises:
        UnknownPersonError: there is nobody, or they were erased.
    """
    found = surviving_person(connection, who)
    if any(one.is_erased for one in standing_of(connection, [found])):
        raise ErasedPersonError
    return found


def merge_records(connection: Connection, *, gone: int, stays: int, action: StaffAction) -> None:
    """Unite two locked records, with its line in the audit trail. The question whether they are one is answered."""
    unite_people(connection, gone=gone, stays=stays, at=action.at)
    answer_pair(connection, [gone, stays], about=SAME_PERSON, by=action.by, decision=DECIDED_SAME, at=action.at)
    move_reviews(connection, gone=gone, stays=stays, at=action.at)
    record_action(connection, StaffActionKind.MERGED, action, person_id=gone, other_person_id=stays)


def order_of_merge(connection: Connection, pair: Sequence[int]) -> tuple[int, int] | None:
    """Who goes and who stays: the older record, unless its address alone is dead. None: one is no person any more."""
    old, new = sorted(standing_of(connection, pair), key=lambda one: one.person_id)
    if not (_is_live(old) and _is_live(new)):
        return None
    if old.is_bounced and not new.is_bounced:
        return old.person_id, new.person_id
    return new.person_id, old.person_id


def _is_live(one: Standing) -> bool:
    return not one.is_erased and one.merged_into_id is None


def unmerge(engine: Engine, who: str, *, action: StaffAction) -> Merge:
    """Undo the merge of this record, by its id or its own address; gives the merge that was.

    Both are as they were, plus what came since: by whose address or reference it came. What went out meanwhile counts
    as sent to both. They are not merged again by a rule.

    Raises:
        UnknownPersonError: there is nobody.
        CannotMergeError: it was not merged, or the person it was merged into was merged as well.
    """
    with transaction(engine) as connection:
        wait_for_other_loaders(connection)
        record = find_person(connection, who)
        if record is None:
            raise UnknownPersonError
        merge = merge_of(connection, record)
        if merge is None:
            raise CannotMergeError(f"Record {record} was not merged into another: there is nothing to undo.")
        lock_people(connection, [merge.gone, merge.stays])
        _check_can_be_divided(connection, merge)
        divide_people(connection, merge, at=action.at)
        remember_pair(
            connection,
            [merge.gone, merge.stays],
            about=SAME_PERSON,
            detail=action.reason,
            by=action.by,
            decision=DECIDED_DIFFERENT,
            at=action.at,
        )
        record_action(connection, StaffActionKind.UNMERGED, action, person_id=merge.gone, other_person_id=merge.stays)
        return merge


def _check_can_be_divided(connection: Connection, merge: Merge) -> None:
    for one in standing_of(connection, [merge.gone, merge.stays]):
        if one.is_erased:
            raise CannotMergeError(f"Person {one.person_id} was erased: there is nothing to restore.")
        if one.person_id == merge.stays and one.merged_into_id is not None:
            raise CannotMergeError(
                f"Person {merge.stays} was merged into {one.merged_into_id} since: undo that merge first."
            )
