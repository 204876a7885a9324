"""Erasure: nothing that names a person is left, and no later delivery brings them back before they ask us to.

What is left are an id, dates, what became of messages, and tombstones (``domain.tombstones``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine

from enrollment_crm.domain.addresses import address_key
from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.domain.facts import Fact
from enrollment_crm.domain.field_maps import FieldMap
from enrollment_crm.domain.staff_actions import StaffAction, StaffActionKind
from enrollment_crm.domain.tombstones import (
    KeyedRow,
    address_tombstone,
    application_tombstone,
    is_of_the_erased,
    keyed_row,
    person_tombstone,
)
from enrollment_crm.domain.traces import Traces, redacted
from enrollment_crm.storage.batches import wait_for_other_loaders
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.erasure import blank_records
from enrollment_crm.storage.facts import is_new
from enrollment_crm.storage.inbox import RawRow
from enrollment_crm.storage.people import person_of_address
from enrollment_crm.storage.staff_actions import record_action
from enrollment_crm.storage.tombstones import (
    addresses_in_use,
    anybody_was_erased,
    erase_alone,
    erasures,
    references_in_use,
    set_tombstones,
    settle_erased,
)
from enrollment_crm.storage.traces import empty_rows, redact_rows
from enrollment_crm.workflows.traces import all_about
from enrollment_crm.workflows.translation import meant_by


@dataclass(frozen=True)
class Erased:
    """What an erasure took away, by count."""

    #: None: there were raw rows of theirs, and no record.
    person_id: int | None
    #: Records of the person: their own, and those that were merged into it.
    records: int
    #: Raw rows that were emptied.
    rows_emptied: int
    #: Of them, those that had not been taken in: they never will be.
    rows_not_taken_in: int
    #: Raw rows about somebody else that named an address of theirs.
    rows_redacted: int


def erase_person(engine: Engine, email: str, *, fact: Fact, secret: bytes, field_maps: Mapping[str, FieldMap]) -> None:
    """Erase what is known of the person with this address; who signs up with it later is a new person (R7)."""
    with transaction(engine) as connection:
        _begin(connection)
        person_id = person_of_address(connection, address_key(email))
        if person_id is not None and is_new(connection, fact):
            _erase(connection, str(person_id), StaffAction(fact.source, "", fact.at), secret, field_maps)


def erase(
    engine: Engine, who: str, *, action: StaffAction, secret: bytes, field_maps: Mapping[str, FieldMap]
) -> Erased:
    """A member of staff erases a person, by id or address, also one of whom there are raw rows alone.

    Raises:
        UnknownPersonError: nobody has it, and no row names it.
    """
    with transaction(engine) as connection:
        _begin(connection)
        return _erase(connection, who, action, secret, field_maps)


def _begin(connection: Connection) -> None:
    erase_alone(connection)
    wait_for_other_loaders(connection)


def _erase(
    connection: Connection, who: str, action: StaffAction, secret: bytes, field_maps: Mapping[str, FieldMap]
) -> Erased:
    held = all_about(connection, who, field_maps)
    set_tombstones(connection, _tombstones(held.traces, secret), at=action.at)
    not_taken_in = empty_rows(connection, sorted(held.theirs), now=action.at)
    redact_rows(connection, {row.id: redacted(row.raw, held.traces) for row in held.named})
    blank_records(connection, held.ids, at=action.at)
    record_action(connection, StaffActionKind.ERASED, action, person_id=held.person_id)
    return Erased(held.person_id, len(held.ids), len(held.theirs), not_taken_in, len(held.named))


def _tombstones(traces: Traces, secret: bytes) -> set[str]:
    return {
        *(address_tombstone(one, secret=secret) for one in traces.address_keys),
        *(person_tombstone(*one, secret=secret) for one in traces.person_references),
        *(application_tombstone(*one, secret=secret) for one in traces.application_references),
    }


def leave_out_the_erased(
    connection: Connection,
    rows: Sequence[RawRow],
    field_maps: Mapping[str, FieldMap],
    *,
    kind: RecordKind,
    secret: bytes,
    now: datetime,
) -> list[RawRow]:
    """The rows without those of people who were erased: these are emptied, and counted as erased.

    Called where rows are judged, beside no erasure.
    """
    gone = rows_of_the_erased(connection, rows, field_maps, {}, kind=kind, secret=secret)
    if gone:
        settle_erased(connection, sorted(gone), kind=kind.value, now=now)
    return [row for row in rows if row.id not in gone]


def rows_of_the_erased(
    connection: Connection,
    rows: Sequence[RawRow],
    field_maps: Mapping[str, FieldMap],
    corrections: Mapping[int, Mapping[str, str]],
    *,
    kind: RecordKind,
    secret: bytes,
) -> frozenset[int]:
    """The ids of those rows that belong to people who were erased, with what staff say that they shall say."""
    if not anybody_was_erased(connection):
        return frozenset()
    live = {source for source, one in field_maps.items() if one.is_live}
    keyed = {
        row.id: keyed_row(
            said,
            kind=kind,
            source=row.source,
            is_live=row.source in live,
            received_at=row.received_at,
            secret=secret,
        )
        for row, said in meant_by(rows, field_maps, corrections)
    }
    erased = erasures(connection, {one for row in keyed.values() for one in row.tombstones})
    hit = {row_id: one for row_id, one in keyed.items() if any(tomb in erased for tomb in one.tombstones)}
    back = _came_back(connection, [row for row in rows if row.id in hit], hit)
    return frozenset(row_id for row_id, one in hit.items() if is_of_the_erased(one, erased, is_back=row_id in back))


def _came_back(connection: Connection, rows: Sequence[RawRow], keyed: Mapping[int, KeyedRow]) -> set[int]:
    """The rows of people who are known again, by address or by what their source calls them."""
    keys = {one.email_key for one in keyed.values() if one.email_key}
    in_use = addresses_in_use(connection, keys) if keys else set()
    back = {row_id for row_id, one in keyed.items() if one.email_key in in_use}
    for source in {row.source for row in rows}:
        named = {row.id: keyed[row.id].person_reference for row in rows if row.source == source}
        known = references_in_use(connection, source, {one for one in named.values() if one})
        back |= {row_id for row_id, one in named.items() if one in known}
    return back
