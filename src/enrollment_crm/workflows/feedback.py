"""Feedback: what mail systems and readers say of messages, each thing once (R7)."""

from sqlalchemy import Engine

from enrollment_crm.domain.addresses import address_key
from enrollment_crm.domain.bounces import Bounce, address_is_dead
from enrollment_crm.domain.facts import Fact
from enrollment_crm.storage.consent import unsubscribe_person
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.facts import is_new
from enrollment_crm.storage.feedback import record_bounce, record_bounced_address, record_complaint
from enrollment_crm.storage.people import record_of_address, records_up_from
from enrollment_crm.storage.withholding import EVERY_TOPIC


def take_bounce(engine: Engine, email: str, status: str, *, fact: Fact) -> None:
    """A message to this address came back; a hard bounce, or three soft ones in two weeks, end all writing to it."""
    with transaction(engine) as connection:
        person_id = record_of_address(connection, address_key(email))
        if person_id is None or not is_new(connection, fact):
            return
        if address_is_dead(record_bounce(connection, Bounce(status, fact.at), person_id=person_id)):
            record_bounced_address(connection, person_id=person_id, at=fact.at)


def take_complaint(engine: Engine, email: str, *, fact: Fact) -> None:
    """The reader at this address reported a message as spam."""
    with transaction(engine) as connection:
        record = record_of_address(connection, address_key(email))
        if record is not None and is_new(connection, fact):
            for one in records_up_from(connection, record):
                record_complaint(connection, person_id=one, at=fact.at)


def take_unsubscription(engine: Engine, email: str, *, fact: Fact, topic: str = EVERY_TOPIC) -> None:
    """The reader at this address wants nothing more of a topic."""
    with transaction(engine) as connection:
        record = record_of_address(connection, address_key(email))
        if record is not None and is_new(connection, fact):
            for one in records_up_from(connection, record):
                unsubscribe_person(connection, person_id=one, topic=topic, at=fact.at)
