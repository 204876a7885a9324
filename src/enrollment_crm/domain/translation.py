"""Translation of many raw rows at once, field by field: what the same text means is worked out once."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias, TypeGuard

from enrollment_crm.domain.canonical_rows import CANONICAL_FIELDS, DAMAGE
from enrollment_crm.domain.field_maps import LONGEST_VALUE_IN_CHARACTERS, FieldMap, as_it_is, translate
from enrollment_crm.domain.raw_values import text_of

RawRows: TypeAlias = Sequence[Mapping[str, object]]
_Texts: TypeAlias = list[str | None]

#: Fewer rows than this are done sooner one by one.
_FEW = 10
#: Looked at together: one name with an accent makes these many values slower to read, and not all.
_SOME = 50


def translate_all(raws: RawRows, field_map: FieldMap) -> list[dict[str, str | None]]:
    """The canonical rows that raw rows of one source mean: of each exactly what ``translate`` makes of it."""
    if len(raws) < _FEW:
        return [translate(raw, field_map) for raw in raws]
    names = CANONICAL_FIELDS[field_map.kind]
    columns: dict[str, _Texts] = {name: [field_map.defaults.get(name)] * len(raws) for name in names}
    for name, raw_names, joined, read in field_map.steps:
        texts = _joined(raws, raw_names) if joined else _first(raws, raw_names)
        for position in _too_long(texts):
            columns[DAMAGE][position] = f"{name} has {len(texts[position] or '')} characters"
            texts[position] = None
        columns[name] = _meanings(texts, read, otherwise=columns[name])
    return [dict(zip(names, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def _first(raws: RawRows, names: Sequence[str]) -> _Texts:
    """Of each row the first of the fields that is not blank."""
    texts = _texts(raws, names[0])
    for name in names[1:]:
        texts = [text or other for text, other in zip(texts, _texts(raws, name), strict=True)]
    return texts


def _joined(raws: RawRows, names: Sequence[str]) -> _Texts:
    parts = [_texts(raws, name) for name in names]
    return [" ".join(filter(None, some)) or None for some in zip(*parts, strict=True)]


def _texts(raws: RawRows, name: str) -> _Texts:
    texts: _Texts = []
    for start in range(0, len(raws), _SOME):
        values = [raw.get(name) for raw in raws[start : start + _SOME]]
        # Most values are plain words, of which only the edges are to be trimmed.
        texts += [value.strip() or None for value in values] if _are_plain(values) else map(text_of, values)
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


def _meanings(texts: _Texts, read: Callable[[str], str | None], *, otherwise: _Texts) -> _Texts:
    """What the texts mean; where that is nothing, what the row says otherwise."""
    if read is not as_it_is:
        meaning = {text: read(text) for text in set(texts) if text is not None}
        texts = [meaning[text] if text is not None else None for text in texts]
    return [before if text is None else text for text, before in zip(texts, otherwise, strict=True)]
