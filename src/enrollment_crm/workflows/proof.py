"""Proof: the exact message that a person got, by whose rule, and what became of it; and all of them for an audit."""

import csv
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import IO

from sqlalchemy import Engine

from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.rules_in_words import rule_of_sent_key
from enrollment_crm.storage.engine import still_view, transaction
from enrollment_crm.storage.explanations import find_person
from enrollment_crm.storage.proof import (
    AUDIT_COLUMNS,
    AuditedMessage,
    StoredMessage,
    audited_messages,
    messages_of_person,
    stored_message,
)

#: What spreadsheets take for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class UnknownMessageError(LookupError):
    """The ledger has no message with this number. `enrollment-crm explain PERSON` lists a person's messages."""


class Bytes(StrEnum):
    """What can be said of the bytes of a message."""

    #: They are there, and their sha256 is the one that was written down when they were frozen.
    PROVEN = "proven"
    #: They are there, and their sha256 is another: somebody has changed them since.
    CHANGED = "changed"
    #: The person was erased: hash and timeline are what is left.
    ERASED = "erased"
    #: No byte was ever written: it was withheld, or has failed before.
    NONE = "none"


@dataclass(frozen=True)
class TimelineStep:
    """One step in the life of a message: when, what, and in which words. No people."""

    at: datetime
    kind: str
    detail: str


@dataclass(frozen=True)
class Proof:
    """One message, proven. pii: the content of ``message``."""

    message: StoredMessage
    bytes_are: Bytes
    #: The rule of each cover, in the order of the covers.
    rules: tuple[str, ...]
    timeline: tuple[TimelineStep, ...]


def proof_of_message(engine: Engine, message_row_id: int) -> Proof:
    """The proof of one message.

    Raises:
        UnknownMessageError: there is none with this number.
    """
    with transaction(engine) as connection:
        message = stored_message(connection, message_row_id)
    if message is None:
        raise UnknownMessageError(UnknownMessageError.__doc__)
    return Proof(message, _bytes_of(message), tuple(_rules(message)), tuple(_timeline(message)))


def proofs_of_person(engine: Engine, who: str) -> list[Proof] | None:
    """The proof of every message to the person with this id or address, the oldest first; None: nobody has it."""
    with transaction(engine) as connection:
        person_id = find_person(connection, who)
        ids = messages_of_person(connection, person_id) if person_id is not None else None
    return None if ids is None else [proof_of_message(engine, one) for one in ids]


def _bytes_of(message: StoredMessage) -> Bytes:
    if message.content is None:
        return Bytes.ERASED if message.is_erased and message.content_sha256 else Bytes.NONE
    same = hashlib.sha256(message.content).hexdigest() == message.content_sha256
    return Bytes.PROVEN if same else Bytes.CHANGED


def _rules(message: StoredMessage) -> Iterator[str]:
    deadlines = sum(one.kind == MessageKind.DEADLINE_REMINDER for one in message.covers)
    for cover in message.covers:
        kind, of_message = MessageKind(cover.kind), MessageKind(message.kind)
        rule = rule_of_sent_key(kind, offset=cover.offset, catch_up=cover.catch_up, of_message=of_message)
        shared = kind is MessageKind.DEADLINE_REMINDER and deadlines > 1
        yield f"{rule} R8: one message for {deadlines} deadlines." if shared else rule


def _timeline(message: StoredMessage) -> Iterator[TimelineStep]:
    """The steps in the order of the life of a message, which no clock of anybody can turn round."""
    yield TimelineStep(message.claimed_at, "claimed", "by the pipeline's clock")
    if message.transmitting_at:
        attempts = f"attempt {message.attempts}, by the database's clock"
        yield TimelineStep(message.transmitting_at, "transmitting", attempts)
    for one in message.events:
        if not one.source:
            yield TimelineStep(one.at, one.kind, one.detail)
    if message.accepted_at:
        yield TimelineStep(message.accepted_at, "accepted", message.outcome or "")
    for one in message.events:
        if one.source:
            words = " ".join(part for part in (one.status, one.detail, f"(from {one.source})") if part)
            yield TimelineStep(one.at, one.kind, words)


def export_messages(
    engine: Engine, out: IO[str], *, since: datetime, before: datetime, as_csv: bool, with_addresses: bool = False
) -> int:
    """Write every message claimed from ``since`` on and before ``before``; gives how many. One instant, one view."""
    check_aware(since)
    check_aware(before)
    with still_view(engine) as connection:
        found = audited_messages(connection, since=since, before=before, with_addresses=with_addresses)
        return (_write_csv if as_csv else _write_lines)(found, out, with_addresses=with_addresses)


def _write_csv(found: Iterator[AuditedMessage], out: IO[str], *, with_addresses: bool) -> int:
    writer, number = csv.writer(out), 0
    writer.writerow([*AUDIT_COLUMNS, "covers", "events", *(["address"] if with_addresses else [])])
    for number, one in enumerate(found, start=1):  # noqa: B007 - counted for the caller
        cells = [*one.values.values(), " + ".join(one.covers), " | ".join(one.events)]
        writer.writerow([safe_cell(_text(cell)) for cell in (*cells, *([one.address] if with_addresses else []))])
    return number


def _write_lines(found: Iterator[AuditedMessage], out: IO[str], *, with_addresses: bool) -> int:
    number = 0
    for number, one in enumerate(found, start=1):  # noqa: B007
        line = one.values | {"covers": one.covers, "events": one.events}
        line |= {"address": one.address} if with_addresses else {}
        out.write(json.dumps(line, default=_text, ensure_ascii=False) + "\n")
    return number


def _text(value: object) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, datetime) else str(value)


def safe_cell(text: str) -> str:
    """The text of a CSV cell; what a spreadsheet would take for a formula begins with an apostrophe."""
    return f"'{text}" if text.startswith(_FORMULA) else text
