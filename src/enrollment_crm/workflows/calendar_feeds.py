"""Calendar feeds: what the calendar of one person shows, by the dates in force."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Engine

from enrollment_crm.domain.calendar_feeds import (
    CalendarDeadline,
    deadlines_in_feed,
    sessions_in_feed,
)
from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.programs import Program
from enrollment_crm.mail.calendar_feeds import calendar_feed
from enrollment_crm.mail.messages import Sender
from enrollment_crm.storage.calendar_feeds import feed_reader
from enrollment_crm.storage.deadlines import deadline_records
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.preferences import chooser_of


def read_calendar_feed(
    engine: Engine, programs: Mapping[str, Program], sender: Sender, person_id: int, *, now: datetime
) -> str | None:
    """The feed of a person (RFC 5545), of a merged record that of the other; None: nobody is there any more."""
    check_aware(now)
    with transaction(engine) as connection:
        chooser = chooser_of(connection, person_id)
        if chooser is None:
            return None
        reader = feed_reader(connection, chooser.person_id)
        records = deadline_records(connection, since=now)
    deadlines = [
        CalendarDeadline(one.deadline, program.name, program.apply_url, one.in_force_from)
        for one in deadlines_in_feed(reader, records, now=now)
        if (program := programs.get(one.deadline.group.program))
    ]
    return calendar_feed(deadlines, sessions_in_feed(reader.sessions, now=now), sender=sender)
