"""Practice: the whole way of one signup, in one transaction that is rolled back at its end.

What a process does for the first time takes longest: statements are compiled, classes mapped, templates rendered. The
process that forks tasks does it all once, and its children have it.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.domain.field_maps import FieldMap
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.mail.recording import RecordingTransport
from enrollment_crm.storage.engine import rolled_back
from enrollment_crm.workflows.answers import send_answers
from enrollment_crm.workflows.backlog import backlog
from enrollment_crm.workflows.batches import validate_pending
from enrollment_crm.workflows.inbox import receive_form
from enrollment_crm.workflows.outbox import Outbox
from enrollment_crm.workflows.reminders import find_due
from enrollment_crm.workflows.routing import route_people
from enrollment_crm.workflows.signups import load_signups

if TYPE_CHECKING:
    from enrollment_crm.validation.batches import Validator

#: A post of the form, under a domain that no mail can reach (RFC 2606).
_POST = {
    "first_name": "Practice",
    "last_name": "Practice",
    "email": "practice@crm.invalid",
    "country": "US",
    "residency": "domestic",
    "consent": "yes",
    "consent_text_version": "request-info-1",
    "submission": "practice",
}


def practise_one_signup(
    outbox: Outbox,
    validator: "Validator",
    field_maps: Mapping[str, FieldMap],
    *,
    country_zones: Mapping[str, str],
    now: datetime,
) -> bool:
    """Take one made-up signup from its post to its welcome; nothing of it is kept, and nothing leaves the house.

    False: work waits, which practice would hold up; nothing was done.

    Raises:
        SQLAlchemyError: the database is away, has no tables yet, or keeps us waiting for longer than a few seconds.
    """
    if backlog(outbox, now=now).total:
        return False
    with rolled_back(outbox.engine) as engine:
        outbox = replace(outbox, engine=engine, transport=RecordingTransport())
        program = outbox.default_program
        receive_form(engine, _POST | {"entry_term": f"fall {now.year + 1}"}, now=now)
        validate_pending(engine, validator, field_maps, kind=RecordKind.SIGNUP, secret=outbox.secret, now=now)
        load_signups(engine, field_maps, country_zones=country_zones, default_program=program, now=now)
        route_people(engine, outbox.programs, default_program=program, now=now)
        send_answers(outbox, MessageKind.WELCOME, now=now)
        find_due(outbox, now=now)
    return True
