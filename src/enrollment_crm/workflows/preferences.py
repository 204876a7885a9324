"""Preferences: a reader chooses topics and pauses, without a login; what they choose holds from the next claim on."""

from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy import Connection, Engine

from enrollment_crm.domain.consent import ConsentBasis
from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.preferences import Preferences, end_of_pause, first_day_after
from enrollment_crm.domain.topics import Topic
from enrollment_crm.storage.consent import (
    catch_up_with,
    end_pause,
    keep_proof,
    lift_unsubscriptions,
    pause,
    topics_left,
    unsubscribe_person,
)
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.preferences import Chooser, chooser_of
from enrollment_crm.storage.withholding import EVERY_TOPIC

#: Where a choice on the preference page comes from, as the proof of it says.
_SOURCE, _PAGE = "preferences", "/preferences"
#: The words on the page; raised when they change.
TEXT_VERSION = "preferences-1"


def read_preferences(engine: Engine, person_id: int, *, now: datetime) -> Preferences | None:
    """What the person has chosen so far; None: nobody is written to by this link."""
    check_aware(now)
    with transaction(engine) as connection:
        chooser = chooser_of(connection, person_id)
        if chooser is None:
            return None
        left = topics_left(connection, chooser.person_id)
    return Preferences(_wanted(left), first_day_after(chooser.paused_until, chooser.zone, now=now))


def save_preferences(
    engine: Engine, person_id: int, *, topics: Collection[Topic], paused_until: date | None, now: datetime
) -> bool:
    """Keep a reader's choice; the same choice again changes nothing. False: nobody is written to by this link.

    A topic that is chosen again is a new consent, with its proof, and what was missed is caught up with (R6, R7).

    Raises:
        PauseInvalid: the pause cannot be; nothing is kept.
    """
    check_aware(now)
    with transaction(engine) as connection:
        chooser = chooser_of(connection, person_id, lock=True)
        if chooser is None:
            return False
        ends = end_of_pause(paused_until, chooser.zone, now=now)
        resumed = _choose_topics(connection, chooser, frozenset(topics), now)
        resumed |= _choose_pause(connection, chooser, ends, now)
        if resumed:
            catch_up_with(connection, person_id=chooser.person_id, at=now)
    return True


def _wanted(left: Collection[str]) -> frozenset[Topic]:
    return frozenset() if EVERY_TOPIC in left else frozenset(one for one in Topic if one.value not in left)


def _choose_topics(connection: Connection, chooser: Chooser, topics: frozenset[Topic], now: datetime) -> bool:
    """Leave and rejoin topics; whether one was joined again."""
    person_id = chooser.person_id
    before = _wanted(topics_left(connection, person_id))
    joined = topics - before
    if joined:
        lift_unsubscriptions(connection, person_id=person_id, topics=[EVERY_TOPIC, *topics], at=now)
        keep_proof(
            connection,
            person_id=person_id,
            source=_SOURCE,
            submission=None,
            text_version=f"{TEXT_VERSION}: {', '.join(sorted(joined))}",
            page=_PAGE,
            given_at=now,
            basis=ConsentBasis.EXPRESS,
        )
    # Of somebody who had left everything, what is not chosen now stays left, by its own name.
    for topic in frozenset(Topic) - topics if joined else before - topics:
        unsubscribe_person(connection, person_id=person_id, topic=topic.value, at=now)
    return bool(joined)


def _choose_pause(connection: Connection, chooser: Chooser, ends: datetime | None, now: datetime) -> bool:
    """Begin, change or end a pause; whether one ended that would have gone on."""
    if ends is not None:
        pause(connection, person_id=chooser.person_id, until=ends)
        return False
    goes_on = chooser.paused_until is not None and chooser.paused_until > now
    return end_pause(connection, person_id=chooser.person_id) and goes_on
