"""Translation of many raw rows at once, field by field: what the same text means is worked out once."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias, TypeGuard

from enrollment_crm.domain.canonical_rows import CANONICAL_FIELDS, DAMAGE
from enrollment_crm.domain.field_maps import LONGEST_VALUE_IN_CHARACTERS, FieldMap, as_it_is, translate
from enrollment_crm.domain.raw_values import text_of

RawRows: TypeAlias = Sequence[Mapping[str, object]]
_Texts: TypeAlias = list[str | None]
#: The values of a raw field, of all rows.
_Column: TypeAlias = Callable[[str], Sequence[object]]

#: Fewer rows than this are done sooner one by one.
_FEW = 10
#: Looked at together: one name with an accent makes these many values slower to read, and not all.
_SOME = 50


def translate_all(raws: RawRows, field_map: FieldMap) -> list[dict[str, str | None]]:
    """The canonical rows that raw rows of one source mean: of each exactly what ``translate`` makes of it."""
    if len(raws) < _FEW:
        return [translate(raw, field_map) for raw in raws]
    names = CANONICAL_FIELDS[field_map.kind]
    said = _columns_of(raws)
    columns: dict[str, _Texts] = {name: [field_map.defaults.get(name)] * len(raws) for name in names}
    for name, raw_names, joined, read in field_map.steps:
        texts = _joined(said, raw_names) if joined else _first(said, raw_names)
        for position in _too_long(texts):
            columns[DAMAGE][position] = f"{name} has {len(texts[position] or '')} characters"
            texts[position] = None
        meant = _meanings(texts, read)
        has_default = name == DAMAGE or name in field_map.defaults
        columns[name] = _or_else(meant, columns[name]) if has_default else meant
    return [dict(zip(names, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def _columns_of(raws: RawRows) -> _Column:
    """Gives the values of a raw field in all rows. Rows of one file have the same fields, in the same order."""
    names = tuple(raws[0])
    if any(tuple(raw) != names for raw in raws):
        return lambda name: [raw.get(name) for raw in raws]
    columns = dict(zip(names, zip(*(raw.values() for raw in raws), strict=True), strict=True))
    blank = (None,) * len(raws)
    return lambda name: columns.get(name, blank)


def _first(said: _Column, names: Sequence[str]) -> _Texts:
    """Of each row the first of the fields that is not blank."""
    texts = _texts(said(names[0]))
    for name in names[1:]:
        texts = _or_else(texts, _texts(said(name)))
    return texts


def _or_else(texts: _Texts, others: _Texts) -> _Texts:
    return [other if text is None else text for text, other in zip(texts, others, strict=True)]


def _joined(said: _Column, names: Sequence[str]) -> _Texts:
    parts = [_texts(said(name)) for name in names]
    return [" ".join(filter(None, some)) or None for some in zip(*parts, strict=True)]


def _texts(values: Sequence[object]) -> _Texts:
    texts: _Texts = []
    for start in range(0, len(values), _SOME):
        some = values[start : start + _SOME]
        # Most values are plain words, of which only the edges are to be trimmed.
        texts += [value.strip() or None for value in some] if _are_plain(some) else map(text_of, some)
    return texts


def _are_plain(values: Sequence[object]) -> TypeGuard[Sequence[str]]:
    try:
        together = "".join(values)  # type: ignore[arg-type]
    except TypeError:
        return False
    return together.isascii() and together.isprintable()


def _too_long(texts: _Texts) -> list[int]:
    if max(map(len, filter(None, texts)), default=0) <= LONGEST_VALUE_IN_CHARACTERS:
        return []
    return [position for position, text in enumerate(texts) if text and len(text) > LONGEST_VALUE_IN_CHARACTERS]


def _meanings(texts: _Texts, read: Callable[[str], str | None]) -> _Texts:
    """What the texts mean."""
    if read is as_it_is:
        return texts
    meaning = {text: read(text) for text in set(texts) if text is not None}
    return [meaning[text] if text is not None else None for text in texts]
