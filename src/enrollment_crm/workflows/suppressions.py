"""Suppressions: what staff do to the list of addresses that nothing is written to (R7)."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from enrollment_crm.domain.addresses import address_key, is_plausible_address
from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.suppressions import SuppressionReason
from enrollment_crm.storage.consent import unsubscribe_person
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.feedback import forget_complaint
from enrollment_crm.storage.people import record_of_address
from enrollment_crm.storage.suppressions import (
    Suppression,
    lift_suppressions,
    list_suppressions,
    people_of_address,
    suppress_address,
)
from enrollment_crm.storage.withholding import EVERY_TOPIC


class NotAnAddressError(ValueError):
    """This is no address that mail can reach. Give one such as ana@example.edu; nothing was changed."""


@dataclass(frozen=True)
class Lifted:
    """What was taken off the list, and who stays unsubscribed because they had complained."""

    suppressions: tuple[Suppression, ...]
    still_unsubscribed: int


def suppressions(
    engine: Engine, email: str | None = None, *, reason: SuppressionReason | None = None, with_lifted: bool = False
) -> list[Suppression]:
    """The list, the newest entries first; of one address, or for one reason."""
    key = None if email is None else address_key(email)
    with transaction(engine) as connection:
        return list_suppressions(connection, email_key=key, reason=reason, with_lifted=with_lifted)


def add_suppression(engine: Engine, email: str, *, by: str, why: str, now: datetime) -> bool:
    """Put an address on the list by hand, whether anybody has it yet or not; False where it stands there already.

    Raises:
        NotAnAddressError: it cannot be an address.
    """
    if not is_plausible_address(email):
        raise NotAnAddressError(NotAnAddressError.__doc__)
    key = address_key(email)
    with transaction(engine) as connection:
        # A claim holds its people: it is over before this is, and every later one finds the address on the list.
        record_of_address(connection, key)
        return suppress_address(connection, key, SuppressionReason.MANUAL, at=check_aware(now), by=by, why=why)


def lift_suppression(engine: Engine, email: str, *, by: str, why: str, now: datetime) -> Lifted:
    """Take an address off the list, whatever the reasons; the history stays.

    A complaint that is lifted leaves its people unsubscribed from all marketing: it was at least that. Their own next
    consent lifts it, as it lifts any unsubscription (R7).
    """
    check_aware(now)
    with transaction(engine) as connection:
        lifted = lift_suppressions(connection, address_key(email), at=now, by=by, why=why)
        unsubscribed = 0
        if any(one.reason is SuppressionReason.COMPLAINT for one in lifted):
            people = people_of_address(connection, address_key(email))
            forget_complaint(connection, person_ids=people)
            for person_id in people:
                unsubscribed += unsubscribe_person(connection, person_id=person_id, topic=EVERY_TOPIC, at=now)
        return Lifted(tuple(lifted), unsubscribed)
