"""Registrations: a person takes a seat in a prep session (R10)."""

from collections.abc import Mapping

from sqlalchemy import Engine

from enrollment_crm.domain.facts import Fact
from enrollment_crm.domain.people import Contact
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.facts import is_new
from enrollment_crm.storage.people import upsert_person
from enrollment_crm.storage.prep_sessions import register


def register_address(
    engine: Engine, email: str, prep_session_id: str, *, country_zones: Mapping[str, str], fact: Fact
) -> bool:
    """Register whoever has this address; who is not known yet is known from now on.

    False where the session is unknown, has begun or is cancelled, or the fact has been taken in before.
    """
    with transaction(engine) as connection:
        if not is_new(connection, fact):
            return False
        contact = Contact.of_address(email)
        person_id = upsert_person(connection, contact, country_zones=country_zones, now=fact.at)
        return register(connection, person_id=person_id, prep_session_id=prep_session_id, at=fact.at)
