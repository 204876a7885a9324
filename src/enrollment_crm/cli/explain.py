"""``enrollment-crm explain``: why one person got what they got, and what they will get.

.. pii: prints names, addresses, residency and what was sent, for staff, on purpose. Nothing of it is logged.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from enrollment_crm.bootstrap import country_zones_of, outbox_of
from enrollment_crm.cli.database import crm_database
from enrollment_crm.cli.forecast import Days, local, words
from enrollment_crm.cli.options import AsJson, AsOf, instant_of_command
from enrollment_crm.cli.output import REMARKS, print_rows
from enrollment_crm.cli.person_tables import said_in_words
from enrollment_crm.domain.withholding import REASONS_IN_WORDS, WithholdReason
from enrollment_crm.domain.zones import HOME_ZONE
from enrollment_crm.settings import Settings
from enrollment_crm.storage.explanations import PersonRecord, RecordedKey, RecordedMessage
from enrollment_crm.workflows.explanations import Explanation
from enrollment_crm.workflows.explanations import explain as explain_person
from enrollment_crm.workflows.next_messages import NextCover
from enrollment_crm.workflows.people import UnknownPersonError


def explain(
    person: Annotated[str, typer.Argument(metavar="PERSON", help="Id of the person, or an address of theirs.")],
    *,
    days: Days = 120,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Explain one person: their route with its evidence, what comes next and by which rule, what was sent, what was
    withheld and why.

    What comes next is what sweeps would do if nothing else happens, worked out by the statements that they claim with.
    Rules are named by their numbers (docs/architecture.md). Prints personal data, and nothing of it is logged.

    Exit codes: 1 where nobody has this id or address.
    """
    settings = Settings()
    now = instant_of_command(as_of, settings, dry_run=True)
    with crm_database(settings) as engine:
        outbox = outbox_of(settings, engine)
        try:
            until, zones = now + timedelta(days=days), country_zones_of(settings)
            seen = explain_person(outbox, person, country_zones=zones, now=now, until=until)
        except UnknownPersonError as error:
            REMARKS.print(f"[bold red]Error:[/] {escape(str(error))}", highlight=False)
            raise typer.Exit(1) from None
        finally:
            outbox.transport.close()
    if as_json:
        typer.echo(json.dumps(explanation_as_json(seen), ensure_ascii=False))
    else:
        print_explanation(seen)


def explanation_as_json(seen: Explanation) -> dict[str, object]:
    """The explanation as plain JSON values, with reasons in words beside their names."""
    plain: dict[str, object] = json.loads(json.dumps(asdict(seen), default=_plain))
    return {**plain, "reasons": {reason.value: sentence for reason, sentence in REASONS_IN_WORDS.items()}}


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def print_explanation(seen: Explanation) -> None:
    """The explanation as a person reads it."""
    record, zone = seen.record, seen.record.person.zone
    _print_person(seen)
    print_rows("Evidence about residency", ("Source", "Said", "At"), _evidence(record))
    print_rows("Interests and applications", ("Program and term", "Since, by our clock", "State"), _interests(record))
    print_rows("Consent", ("What", "Source or topic", "At"), _consents(record))
    if record.reviews:
        reviews = [(words(one.about), one.detail, _at(one.opened_at)) for one in record.reviews]
        print_rows("Open reviews", ("About", "Detail", "Since"), reviews)
    print_rows("Next messages", ("When", "What", "By which rule", "Template", "Withheld"), _next(seen, zone))
    print_rows(
        "Sent", ("When", "What", "State", "Template", "Message-ID"), [_sent(one, zone) for one in record.messages]
    )
    print_rows("Withheld", ("When", "What", "Why"), [_not_sent(one, zone) for one in _withheld_keys(record)])


def _print_person(seen: Explanation) -> None:
    person = seen.record.person
    name = f"{person.first_name} {person.last_name}".strip()
    lines = [
        f"Person {person.id}: {name or 'no name'} <{person.email}>, here since {_at(person.arrived_at)}",
        f"Route: {words(person.residency)}, owner {person.owner or 'nobody yet'}. {person.route_reason}",
        f"Zone: {person.zone}, {seen.zone_basis}",
        *seen.remarks,
    ]
    console = Console(soft_wrap=True)
    for line in lines:
        console.print(escape(line), highlight=False)


def _evidence(record: PersonRecord) -> list[Sequence[str]]:
    return [(one.source, said_in_words(one), _at(one.said_at)) for one in record.evidence]


def _interests(record: PersonRecord) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = []
    for one in record.interests:
        how = "asked for information" if one.asked_for_information else "came by an application"
        state = f"{how}; last change {_at(one.changed_at)}"
        rows.append((f"{one.program} {one.entry_term or 'term not known'}", _at(one.since), state))
    for application in record.applications:
        what = f"application: {application.program or 'any program'} {application.entry_term}"
        state = f"{application.status}, at {_at(application.occurred_at)} by the clock of {application.source}"
        rows.append((what, _at(application.received_at), state))
    rows += [(f"seat in {one.prep_session_id}", _at(one.registered_at), "registered") for one in record.seats]
    return rows


def _consents(record: PersonRecord) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = [
        (f"consent to words {one.text_version}", f"{one.source} {one.page}".strip(), _at(one.given_at))
        for one in record.consents
    ]
    for one in record.withdrawals:
        lifted = f", lifted {_at(one.lifted_at)} by a new signup" if one.lifted_at else ""
        topic = "every topic" if one.topic == "*" else one.topic
        rows.append(("unsubscribed", topic, f"{_at(one.at)}{lifted}"))
    return rows


def _next(seen: Explanation, zone: str) -> list[Sequence[str]]:
    return [
        (
            _when(one.at, zone, now=seen.now),
            "\n".join([words(one.kind), *(_cover_to_come(cover) for cover in one.covers)]),
            "\n".join(cover.rule for cover in one.covers),
            one.template_version,
            f"held: {one.held}" if one.held else _why(one.withheld),
        )
        for one in seen.next_messages
    ]


def _cover_to_come(cover: NextCover) -> str:
    version = f"version {cover.deadline_version} of the date" if cover.deadline_version else ""
    return "  " + " ".join(part for part in (_key(cover), version) if part)


def _key(cover: NextCover | RecordedKey) -> str:
    said = (cover.program, words(cover.round or ""), cover.entry_term, cover.stated_date, cover.prep_session_id)
    caught_up = "caught up" if cover.catch_up else ""
    return " ".join(str(part) for part in (*said, cover.offset, caught_up) if part)


def _sent(message: RecordedMessage, zone: str) -> Sequence[str]:
    covers = [f"  {_key(cover)}" for cover in message.covers]
    state = f"{words(message.state)}\n{message.outcome or _why(message.withheld)}".strip()
    when = _when(message.accepted_at or message.claimed_at, zone)
    what = "\n".join([words(message.kind), *covers])
    return (when, what, state, message.template_version or "", message.message_id or "not written yet")


def _withheld_keys(record: PersonRecord) -> list[RecordedKey]:
    return [one for one in record.withheld if one.withheld]


def _not_sent(key: RecordedKey, zone: str) -> Sequence[str]:
    free = " The key is free again." if key.released else ""
    return (_when(key.recorded_at, zone), f"{words(key.kind)} {_key(key)}", f"{_why(key.withheld)}{free}")


def _why(reason: str | None) -> str:
    return f"{words(reason)}: {REASONS_IN_WORDS[WithholdReason(reason)]}" if reason else ""


def _when(instant: datetime, zone: str, now: datetime | None = None) -> str:
    boston = f"{local(instant, HOME_ZONE)} Boston" + (" (now)" if instant == now else "")
    return boston if zone == HOME_ZONE else f"{boston}\n{local(instant, zone)} {zone}"


def _at(instant: datetime) -> str:
    return f"{local(instant, HOME_ZONE)} Boston"
