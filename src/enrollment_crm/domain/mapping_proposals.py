"""Mapping proposals: which column of an unknown file may be which field, and which of its values mean nothing yet.

Only a proposal: it goes by what the configured sources call things, and a person looks at it before it is used.
"""

import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from enrollment_crm.domain.canonical_rows import CANONICAL_FIELDS, DAMAGE, RecordKind
from enrollment_crm.domain.field_maps import DAMAGE_NOTE, FieldMap, RawFields, choices_of
from enrollment_crm.domain.raw_values import lookup_key, term_of, text_of
from enrollment_crm.domain.terms import EntryTerm

#: Names under which fields are found in exports of other systems, beside those of the configured sources.
_ALSO_CALLED: Mapping[str, tuple[str, ...]] = {
    "email": ("e-mail", "email address", "sys:email", "primary email"),
    "first_name": ("first", "given name", "forename", "sys:first"),
    "last_name": ("last", "surname", "family name", "sys:last"),
    "phone": ("mobile", "phone number", "sys:mobile"),
    "birth_date": ("date of birth", "dob", "birthdate"),
    "country": ("country of residence",),
    "program": ("degree program", "program of interest", "applying to"),
    "entry_term": ("term", "start term", "intake", "sys:field:term"),
    "status": ("application status", "hed__Application_Status__c"),
    "application_id": ("application number", "app id", "Id"),
    "citizenship": ("hed__Applicant__r.hed__Citizenship_Status__c",),
    "occurred_at": ("timestamp", "updated", "created", "hed__Application_Date__c"),
    "consent": ("opt in", "email opt in"),
}
#: Without one of these a row of the kind says nothing.
_NEEDED: Mapping[RecordKind, tuple[str, ...]] = {
    RecordKind.SIGNUP: ("email", "consent"),
    RecordKind.APPLICATION: ("application_id", "email", "status"),
    RecordKind.CHECKLIST: ("application_id", "item", "status"),
}
_SAME_FIELD_TWICE = {"source_status": "status", "item_reference": "item", "code": "item"}
#: What is said about a person, whatever the row is about; a status or an id means something else in each kind.
_SAME_IN_EVERY_KIND = {
    "email", "first_name", "last_name", "phone", "birth_date", "country", "address_country", "program", "entry_term",
    "residency", "citizenship", "holds_visa", "time_zone",
}  # fmt: skip
_COUNTRIES = ("country", "address_country")


@dataclass(frozen=True)
class MappingProposal:
    """What the file of a source could say. Values are those of closed fields alone: none names a person."""

    kind: RecordKind
    #: Canonical field -> columns: the first that is not blank is read.
    fields: Mapping[str, tuple[str, ...]]
    #: Columns that nothing reads.
    unread: tuple[str, ...]
    #: Fields without which rows of this kind are rejected, and that no column was found for.
    missing: tuple[str, ...]
    #: Canonical field -> value of the file -> what other sources mean by it.
    value_maps: Mapping[str, Mapping[str, str]]
    #: Canonical field -> value of the file that has no meaning yet -> in how many rows it stands.
    unmapped: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def propose_mapping(
    rows: Sequence[Mapping[str, object]],
    field_maps: Iterable[FieldMap],
    *,
    kind: RecordKind | None = None,
    programs: Container[str] = (),
) -> MappingProposal:
    """The mapping that fits the rows best.

    Args:
        field_maps: the configured sources, from which names and values are learnt.
        kind: of the record; None: the one of whose fields most are found.
        programs: ids of the configured programs.
    """
    columns = list(dict.fromkeys(name for row in rows for name in row if name != DAMAGE_NOTE))
    known = list(field_maps)
    chosen = kind or max(RecordKind, key=lambda one: _fit(_columns_of(columns, one, known), one))
    fields = _columns_of(columns, chosen, known)
    taken = {column for names in fields.values() for column in names}
    of_kind = [one for one in known if one.kind is chosen]
    maps, unmapped = dict[str, dict[str, str]](), dict[str, dict[str, int]]()
    for name, names in fields.items():
        counts = _values(rows, names) if _is_closed(chosen, name) else {}
        maps[name], unmapped[name] = _meanings(
            name, counts, chosen, known if name in _SAME_IN_EVERY_KIND else of_kind, programs
        )
    return MappingProposal(
        kind=chosen,
        fields=fields,
        unread=tuple(one for one in columns if one not in taken),
        missing=tuple(one for one in _NEEDED[chosen] if one not in fields),
        value_maps={name: found for name, found in maps.items() if found},
        unmapped={name: found for name, found in unmapped.items() if found},
    )


def unmapped_values(
    rows: Sequence[Mapping[str, object]], field_map: FieldMap, *, programs: Container[str] = ()
) -> dict[str, dict[str, int]]:
    """Values in closed fields that a source's file gives no meaning: canonical field -> value -> number of rows."""
    found = {}
    for name, raw in field_map.fields.items():
        if raw.joined or not _is_closed(field_map.kind, name):
            continue
        strange = {
            value: count
            for value, count in _values(rows, raw.names).items()
            if (meant := field_map.read(name, value)) and not _is_meant(field_map.kind, name, meant, programs)
        }
        if strange:
            found[name] = strange
    return found


def missing_columns(rows: Sequence[Mapping[str, object]], field_map: FieldMap) -> dict[str, tuple[str, ...]]:
    """Canonical fields none of whose columns is in any row, with the columns that were looked for."""
    there = {name for row in rows for name in row}
    return {name: raw.names for name, raw in field_map.fields.items() if not there.intersection(raw.names)}


def columns_known(field_maps: Iterable[FieldMap]) -> frozenset[str]:
    """Every name of a column by which some source is read, or that exports of other systems are known to have."""
    others = (name for names in _ALSO_CALLED.values() for name in names)
    return frozenset().union(others, *(one.columns for one in field_maps))


def _fit(fields: Mapping[str, object], kind: RecordKind) -> tuple[int, int]:
    return sum(one in fields for one in _NEEDED[kind]) - len(_NEEDED[kind]), len(fields)


def _columns_of(columns: Sequence[str], kind: RecordKind, field_maps: Sequence[FieldMap]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    taken: set[str] = set()
    for name in CANONICAL_FIELDS[kind]:
        if name == DAMAGE:
            continue
        called = {_plain(one) for one in _names_of(name, kind, field_maps)}
        open_to = taken if name not in _SAME_FIELD_TWICE else taken - set(found.get(_SAME_FIELD_TWICE[name], ()))
        if fitting := tuple(one for one in columns if _plain(one) in called and one not in open_to):
            found[name] = fitting
            taken.update(fitting)
    return found


def _names_of(name: str, kind: RecordKind, field_maps: Sequence[FieldMap]) -> Iterator[str]:
    yield name
    yield from _ALSO_CALLED.get(name, ())
    for one in field_maps:
        raw = one.fields.get(name, RawFields(()))
        # A joined field has a meaning in its parts' order alone; half of one would be another thing.
        if not raw.joined and (one.kind is kind or name in _SAME_IN_EVERY_KIND):
            yield from raw.names


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())


def _is_closed(kind: RecordKind, name: str) -> bool:
    return bool(choices_of(kind, name)) or name in {"program", "entry_term", *_COUNTRIES}


def _values(rows: Iterable[Mapping[str, object]], names: Sequence[str]) -> dict[str, int]:
    said = (next(filter(None, (text_of(row.get(name)) for name in names)), None) for row in rows)
    return dict(Counter(filter(None, said)).most_common())


def _is_meant(kind: RecordKind, name: str, value: str, programs: Container[str]) -> bool:
    if name == "program":
        return value in programs
    if name == "entry_term":
        try:
            return bool(EntryTerm.parse(value))
        except ValueError:
            return False
    if name in _COUNTRIES:
        return re.fullmatch("[A-Z]{2}", value) is not None
    return value in choices_of(kind, name)


def _meanings(
    name: str, counts: Mapping[str, int], kind: RecordKind, field_maps: Sequence[FieldMap], programs: Container[str]
) -> tuple[dict[str, str], dict[str, int]]:
    """What other sources mean by the values, and the values that none of them knows, or two read differently."""
    plain = FieldMap(source="proposed", kind=kind, fields={}, time_zone="UTC")
    meant, strange = dict[str, str](), dict[str, int]()
    for value, count in counts.items():
        read = term_of(value) if name == "entry_term" else plain.read(name, value) or ""
        if _is_meant(kind, name, read, programs):
            continue
        choices = _said_elsewhere(name, lookup_key(value), field_maps)
        if len(choices) == 1:
            meant[value] = choices.pop()
        else:
            strange[value] = count
    return meant, strange


def _said_elsewhere(name: str, key: str, field_maps: Iterable[FieldMap]) -> set[str]:
    """What sources mean by a value. A term code is looked up like any other, never computed."""
    given = ((one.terms if name == "entry_term" else one.value_maps.get(name, {})) for one in field_maps)
    return {meant for values in given for said, meant in values.items() if lookup_key(said) == key}
