"""People: two records that are one, and a person whose data is erased."""

from sqlalchemy import Engine

from enrollment_crm.domain.addresses import address_key
from enrollment_crm.domain.facts import Fact
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.erasure import blank_person
from enrollment_crm.storage.facts import is_new
from enrollment_crm.storage.merging import unite_people
from enrollment_crm.storage.people import person_of_address


def merge_people(engine: Engine, email: str, into: str, *, fact: Fact) -> None:
    """A person decided that these two addresses are one person's: written to from now on is the second one."""
    with transaction(engine) as connection:
        gone, stays = (person_of_address(connection, address_key(one)) for one in (email, into))
        if gone is not None and stays is not None and gone != stays and is_new(connection, fact):
            unite_people(connection, gone=gone, stays=stays, at=fact.at)


def erase_person(engine: Engine, email: str, *, fact: Fact) -> None:
    """Erase what is known of the person with this address; who signs up with it later is a new person."""
    with transaction(engine) as connection:
        person_id = person_of_address(connection, address_key(email))
        if person_id is not None and is_new(connection, fact):
            blank_person(connection, person_id, at=fact.at)
