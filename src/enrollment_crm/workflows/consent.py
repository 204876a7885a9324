"""Consent: a person withdraws from a topic."""

from datetime import datetime

from sqlalchemy import Engine

from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.topics import ALL_IN_OLD_LINKS
from enrollment_crm.storage.consent import unsubscribe_person
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.people import records_up_from
from enrollment_crm.storage.withholding import EVERY_TOPIC


def unsubscribe(engine: Engine, person_id: int, topic: str, *, now: datetime) -> None:
    """Send this person nothing more of the topic, from the next claim on; twice is once, an unknown person nothing.

    A link from before there were topics means all of them.
    """
    topic = EVERY_TOPIC if topic == ALL_IN_OLD_LINKS else topic
    with transaction(engine) as connection:
        # By a link of a message from before a merge: the person that it was merged into said so too.
        for one in records_up_from(connection, person_id):
            unsubscribe_person(connection, person_id=one, topic=topic, at=check_aware(now))
