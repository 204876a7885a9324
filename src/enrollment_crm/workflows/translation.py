"""Translation: what raw rows mean, with what staff say that they shall say instead."""

from collections.abc import Mapping, Sequence

from enrollment_crm.domain.canonical_rows import CanonicalRow
from enrollment_crm.domain.field_maps import FieldMap, translate
from enrollment_crm.domain.translation import translate_all
from enrollment_crm.storage.inbox import RawRow


def meant_by(
    rows: Sequence[RawRow], field_maps: Mapping[str, FieldMap], corrections: Mapping[int, Mapping[str, str]]
) -> list[tuple[RawRow, CanonicalRow]]:
    """The rows with what they mean, by id; without those of sources that nobody can read.

    Args:
        rows: of any sources.
        field_maps: with the overrides in them.
        corrections: what staff say that fields of a row shall say instead, by inbox id.
    """
    of_source: dict[str, list[RawRow]] = {}
    for row in rows:
        of_source.setdefault(row.source, []).append(row)
    readable: list[tuple[RawRow, CanonicalRow]] = []
    for source, theirs in of_source.items():
        if source in field_maps:
            said = translate_all([row.raw for row in theirs], field_maps[source])
            readable += [
                (row, translate(row.raw, field_maps[source], corrections[row.id]) if row.id in corrections else meant)
                for row, meant in zip(theirs, said, strict=True)
            ]
    return sorted(readable, key=lambda one: one[0].id)
