"""Traces: the records and raw rows that are about one person, also where nobody has made a record of their rows yet."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from enrollment_crm.domain.addresses import address_key, is_plausible_address
from enrollment_crm.domain.canonical_rows import CanonicalRow
from enrollment_crm.domain.field_maps import FieldMap, translate
from enrollment_crm.domain.traces import Mention, Traces, mention_in, traces_in
from enrollment_crm.storage.erasure import records_of, rows_of_events
from enrollment_crm.storage.traces import FoundRow, rows_corrected_to, rows_with, traces_of
from enrollment_crm.storage.unmerging import lock_people
from enrollment_crm.workflows.people import UnknownPersonError, surviving_person


@dataclass(frozen=True)
class AllAbout:
    """What is held of one person, and by what they are called. pii."""

    #: None: there are raw rows of theirs, and no record.
    person_id: int | None
    #: Their records, locked: their own, and those that were merged into it.
    ids: Sequence[int]
    traces: Traces
    #: Ids of the raw rows that are theirs.
    theirs: frozenset[int]
    #: Raw rows about others that name an address of theirs.
    named: Sequence[FoundRow]


def all_about(connection: Connection, who: str, field_maps: Mapping[str, FieldMap]) -> AllAbout:
    """Everything that is about the person with this id or address, in the quarantine and in the inbox too.

    Reads the whole inbox.

    Raises:
        UnknownPersonError: nobody has it, and no row names it.
    """
    try:
        person_id = surviving_person(connection, who)
    except UnknownPersonError:
        return _without_record(connection, who, field_maps)
    ids = records_of(connection, person_id)
    lock_people(connection, ids)
    traces = traces_of(connection, ids)
    theirs, named = _split(_rows(connection, traces, field_maps))
    theirs |= rows_of_events(connection, ids) | rows_corrected_to(connection, traces)
    return AllAbout(person_id, ids, traces, frozenset(theirs), [row for row in named if row.id not in theirs])


def _without_record(connection: Connection, who: str, field_maps: Mapping[str, FieldMap]) -> AllAbout:
    """Whose rows were rejected, or wait: what sources call them in the rows with their address is theirs as well."""
    address = who.strip()
    if not is_plausible_address(address):
        raise UnknownPersonError
    traces = Traces(frozenset({address_key(address)}), frozenset(), frozenset())
    found = _rows(connection, traces, field_maps)
    theirs, named = _split(found)
    theirs |= rows_corrected_to(connection, traces)
    if not theirs and not named:
        raise UnknownPersonError
    called = [traces_in(said, source=row.source) for row, said, mention in found if said and mention is Mention.THEIRS]
    traces = replace(
        traces,
        person_references=frozenset(one for row in called for one in row.person_references),
        application_references=frozenset(one for row in called for one in row.application_references),
    )
    return AllAbout(None, [], traces, frozenset(theirs), [row for row in named if row.id not in theirs])


def _rows(
    connection: Connection, traces: Traces, field_maps: Mapping[str, FieldMap]
) -> list[tuple[FoundRow, CanonicalRow | None, Mention]]:
    found: list[tuple[FoundRow, CanonicalRow | None, Mention]] = []
    for row in rows_with(connection, traces):
        said = translate(row.raw, field_maps[row.source]) if row.source in field_maps else None
        mention = mention_in(row.raw, said, source=row.source, traces=traces)
        if mention is not None:
            found.append((row, said, mention))
    return found


def _split(found: Iterable[tuple[FoundRow, CanonicalRow | None, Mention]]) -> tuple[set[int], list[FoundRow]]:
    theirs, named = set(), []
    for row, _, mention in found:
        if mention is Mention.THEIRS:
            theirs.add(row.id)
        else:
            named.append(row)
    return theirs, named
