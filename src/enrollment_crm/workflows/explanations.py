"""Explanations: why one person got what they got, what they will get, and what was withheld and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.reminders import Span
from enrollment_crm.domain.suppressions import SUPPRESSIONS_IN_WORDS
from enrollment_crm.domain.turns import PersonalTurn
from enrollment_crm.domain.zones import choose_zone
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.explanations import PersonRecord, find_person, person_record, records_merged_into
from enrollment_crm.workflows.next_messages import NextMessage, next_messages
from enrollment_crm.workflows.outbox import Outbox
from enrollment_crm.workflows.outlook import OnePerson
from enrollment_crm.workflows.people import UnknownPersonError

_BASES = {
    "stated": "they stated it (R4)",
    "country": "the zone of their country, or its primary one (R4)",
    "default": "nothing says where they live: Boston's (R4)",
}


@dataclass(frozen=True)
class Explanation:
    """One person, explained at one instant. pii: all of it; printed for staff on purpose, and never logged."""

    now: datetime
    until: datetime
    record: PersonRecord
    #: Why they live by the zone that they do.
    zone_basis: str
    #: Sentences that say what is special: merged, erased, not routed yet, and so on.
    remarks: tuple[str, ...]
    next_messages: tuple[NextMessage, ...]


def explain(
    outbox: Outbox, who: str, *, country_zones: Mapping[str, str], now: datetime, until: datetime
) -> Explanation:
    """Explain the person with this id or address.

    Raises:
        UnknownPersonError: there is nobody.
    """
    span = Span(check_aware(now), check_aware(until))
    with transaction(outbox.engine) as connection:
        person_id = find_person(connection, who)
        if person_id is None:
            raise UnknownPersonError
        record = person_record(connection, person_id)
        following = next_messages(connection, outbox, span, _one_person(record), record.person.residency)
        merged = records_merged_into(connection, person_id)
    return Explanation(
        now=now,
        until=until,
        record=record,
        zone_basis=_zone_basis(record, country_zones),
        remarks=tuple(_remarks(record, merged, now)),
        next_messages=tuple(following),
    )


def _one_person(record: PersonRecord) -> OnePerson:
    person = record.person
    turns = [
        PersonalTurn(one.changed_at, person.zone, person.residency, one.program, one.entry_term)
        for one in record.interests
        if one.entry_term
    ]
    return OnePerson(person.id, person.zone, tuple(turns))


def _zone_basis(record: PersonRecord, country_zones: Mapping[str, str]) -> str:
    person = record.person
    choice = choose_zone(person.stated_time_zone, person.country, country_zones=country_zones)
    if choice.zone != person.zone:
        return "as it was chosen when they last said something of themselves (R4)"
    return f"{_BASES[choice.basis]}; {choice.warning}" if choice.warning else _BASES[choice.basis]


def _remarks(record: PersonRecord, merged: list[int], now: datetime) -> list[str]:
    person = record.person
    said = {
        f"Merged: person {person.merged_into_id} is written to instead of this record.": person.merged_into_id,
        f"Erased on {person.erased_at:%Y-%m-%d}: what named them is gone."
        if person.erased_at
        else "": person.erased_at,
        "Reported a message as spam: nothing is sent any more.": person.complained_at,
        "Waits for a route: nothing about deadlines is sent until it is decided.": person.needs_routing,
        f"These records were merged into this one: {', '.join(map(str, merged))}.": merged,
        "No entry term is known: no deadline is theirs (R2).": not any(one.entry_term for one in record.interests),
    }
    listed = [
        f"On the suppression list since {one.at:%Y-%m-%d}: {SUPPRESSIONS_IN_WORDS[one.reason]} (R7)"
        for one in record.suppressions
        if one.lifted_at is None
    ]
    if person.paused_until and person.paused_until > now:
        until = person.paused_until.astimezone(ZoneInfo(person.zone))
        listed.append(f"Paused by themselves until {until:%Y-%m-%d %H:%M} {person.zone}: reminders are withheld (R7).")
    return listed + [sentence for sentence, holds in said.items() if holds]
