"""The claims that race an unsubscription: of a due reminder, and of an answer that is owed."""

from dataclasses import replace

from sqlalchemy import text
from tests.chaos.nursery import settings_of
from tests.chaos.office import T_7, ChaosOffice
from tests.chaos.unsubscribing import Race, race

from enrollment_crm.bootstrap import outbox_of
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.storage.answers import claim_owed_answers
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.reminders import claim_due_people
from enrollment_crm.workflows.cells import due_people, view_calendar
from enrollment_crm.workflows.reminders import find_due


def race_reminders(office: ChaosOffice, rounds: int) -> Race:
    """Claims of deadline reminders, one person at a time."""
    office.begin(rounds * 6, now=T_7)
    outbox = outbox_of(settings_of(office.port, ""), office.engine)
    cell = next(one.cell for one in find_due(outbox, now=T_7) if one.cell)
    with transaction(office.engine) as connection:
        due = due_people(outbox, cell, view_calendar(connection, T_7))

    def claim(person: int) -> None:
        with transaction(office.engine) as connection:
            claim_due_people(connection, replace(due, person_ids=[person]), lease=outbox.lease, now=T_7)

    return race(office.engine, _some(office, rounds, submitted=False), claim, now=T_7)


def race_answers(office: ChaosOffice, rounds: int) -> Race:
    """Claims of welcomes, whoever is owed one."""
    office.begin(rounds, now=T_7)
    with transaction(office.engine) as connection:
        connection.execute(text("TRUNCATE cover, application CASCADE"))
    outbox = outbox_of(settings_of(office.port, ""), office.engine)
    kind = MessageKind.WELCOME
    topic = outbox.topic_of(kind)

    def claim(_: int) -> None:
        with transaction(office.engine) as connection:
            claim_owed_answers(connection, kind, topic=topic, limit=1, lease=outbox.lease, now=T_7)

    return race(office.engine, _some(office, rounds, submitted=True), claim, now=T_7)


def _some(office: ChaosOffice, number: int, *, submitted: bool) -> list[int]:
    """People in the order of their ids; without those who have submitted, from whom reminders are withheld anyway."""
    theirs = (
        ""
        if submitted
        else (
            "WHERE NOT EXISTS (SELECT FROM application a WHERE a.person_id = p.id) "
            "AND EXISTS (SELECT FROM interest i WHERE i.person_id = p.id AND i.entry_term = 'fall 2027')"
        )
    )
    with transaction(office.engine) as connection:
        found = connection.execute(text(f"SELECT p.id FROM person p {theirs} ORDER BY p.id LIMIT :n"), {"n": number})
        return list(found.scalars())
