"""Value overrides: meanings that operations gave the values of a source, beside the value maps of its file."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from enrollment_crm.domain.field_maps import CHOICES, FieldMap
from enrollment_crm.domain.quarantine import QuarantineError
from enrollment_crm.domain.raw_values import lookup_key

_COUNTRIES = ("country", "address_country")
#: Fields whose values come from a list; any other holds what people say of themselves, and is corrected row by row.
_MAPPED = (*CHOICES, "status", "entry_term", "program", *_COUNTRIES)
_COUNTRY_CODE = re.compile(r"[A-Z]{2}")


@dataclass(frozen=True, order=True)
class ValueOverride:
    """One value of one field of a source, and what it means from now on."""

    source: str
    #: Canonical field.
    field: str
    #: As the source writes it; case and runs of blanks make no difference.
    given: str
    #: The canonical value; empty: it says nothing.
    meaning: str


def override_of(
    field_map: FieldMap, *, field: str, given: str, meaning: str, known_programs: Collection[str]
) -> ValueOverride:
    """A checked override.

    Raises:
        QuarantineError: the field has no such values, or the meaning is none that the field can have.
    """
    mapped = [name for name in _MAPPED if name in field_map.fields]
    if field not in mapped:
        raise QuarantineError(
            f"Values of {field!r} have no meaning that holds for every row of {field_map.source}: choose one of "
            f"{', '.join(mapped)}, or correct the row with --set."
        )
    key, meaning = lookup_key(given), lookup_key(meaning)
    if not key:
        raise QuarantineError("A blank value says nothing already: name the value as the source writes it.")
    if field in _COUNTRIES:
        meaning = meaning.upper()
    override = ValueOverride(field_map.source, field, key, meaning)
    _check(field_map, override, known_programs)
    return override


def _check(field_map: FieldMap, override: ValueOverride, known_programs: Collection[str]) -> None:
    if override.field == "program" and override.meaning and override.meaning not in known_programs:
        raise QuarantineError(f"There is no such program: write one of {', '.join(sorted(known_programs))}.")
    if override.field in _COUNTRIES and override.meaning and not _COUNTRY_CODE.fullmatch(override.meaning):
        raise QuarantineError("A country is meant by its code of two letters (ISO 3166), such as DE.")
    try:
        with_overrides({field_map.source: field_map}, [override])
    except ValueError as error:
        raise QuarantineError(f"This meaning cannot be: {str(error).rstrip('.')}.") from None


def with_overrides(field_maps: Mapping[str, FieldMap], overrides: Iterable[ValueOverride]) -> Mapping[str, FieldMap]:
    """The field maps with the overrides in them; these come before what the files say.

    Overrides of a source or a field that is no longer configured do nothing.

    Raises:
        ValueError: a meaning is none that its field can have.
    """
    meanings: dict[str, dict[str, dict[str, str]]] = {}
    for one in overrides:
        if one.source in field_maps:
            meanings.setdefault(one.source, {}).setdefault(one.field, {})[one.given] = one.meaning
    if not meanings:
        return field_maps
    return {**field_maps, **{source: _merged(field_maps[source], given) for source, given in meanings.items()}}


def _merged(field_map: FieldMap, given: Mapping[str, Mapping[str, str]]) -> FieldMap:
    """A term is looked up after the value map of its field, so a term that says nothing stands in the value map."""
    decided = given.get("entry_term", {})
    terms = {code: term for code, term in field_map.terms.items() if lookup_key(code) not in decided}
    terms |= {code: term for code, term in decided.items() if term}
    values = {field: {**field_map.value_maps.get(field, {}), **meant} for field, meant in given.items()}
    return replace(field_map, value_maps={**field_map.value_maps, **values}, terms=terms)
