"""Many rows at once mean what each of them means by itself."""

from collections.abc import Callable
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enrollment_crm.bootstrap import field_maps_of
from enrollment_crm.domain.canonical_rows import DAMAGE
from enrollment_crm.domain.field_maps import DAMAGE_NOTE, FieldMap, translate
from enrollment_crm.domain.raw_values import instant_text_of
from enrollment_crm.domain.translation import translate_all
from enrollment_crm.domain.zones import labelled_zone
from enrollment_crm.settings import Settings

FIELD_MAPS = field_maps_of(Settings())
#: Values as they come: words of value maps, blanks, things that are no text, characters that nobody can read.
WORDS = [
    "", " ", "n/a", "NaN", "Null", "yes", "Y", "202810", "Fall 2027", "U.S. Citizen", "u.s.  citizen", "Not sure", "US",
    "07/01/2026 3:05 PM", "7/1/2026 13:05", "13/01/2026 13:05", "2026-07-01T10:00:00Z", "ana@example.edu", "Núñez",
    "e\u0301", "a\x00b", "\ud800", "\u200bx\ufeff", "x" * 10_001,
]  # fmt: skip
VALUES = st.sampled_from([*WORDS, None, 1, 202810.0, 2.5, float("nan"), True, ["list"], {"a": 1}]) | st.text(max_size=8)


def names_of(field_map: FieldMap) -> list[str]:
    return [DAMAGE_NOTE, "unmapped", *(name for raw in field_map.fields.values() for name in raw.names)]


@pytest.mark.parametrize("source", FIELD_MAPS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_all_rows_mean_what_each_means(source: str, data: st.DataObject) -> None:
    field_map = FIELD_MAPS[source]
    names = st.sampled_from(names_of(field_map))
    some = data.draw(st.lists(names, unique=True))
    row = (
        st.dictionaries(names, VALUES)
        if data.draw(st.booleans())
        else st.fixed_dictionaries(dict.fromkeys(some, VALUES))
    )
    rows = data.draw(st.lists(row, min_size=10, max_size=14))
    assert translate_all(rows, field_map) == [translate(one, field_map) for one in rows]


def test_few_rows_are_translated_as_well() -> None:
    assert translate_all([], FIELD_MAPS["form"]) == []
    assert translate_all([{"email": " Ana "}], FIELD_MAPS["form"]) == [translate({"email": "Ana"}, FIELD_MAPS["form"])]


def test_a_value_that_is_too_long_damages_its_row_and_no_other() -> None:
    rows = [{"Email": "a" * 10_001}, *({"Email": "ana@example.edu"} for _ in range(20))]
    first, *others = translate_all(rows, FIELD_MAPS["signups_csv"])
    assert (first["email"], first[DAMAGE]) == (None, "email has 10001 characters")
    assert {(one["email"], one[DAMAGE]) for one in others} == {("ana@example.edu", None)}


FORMATS = ("%m/%d/%Y %H:%M", "%m/%d/%Y %I:%M %p", "%d.%m.%Y", "%Y%m%d", "%d %b %Y", "%m/%d/%y")
DIGITS = st.text(alphabet="0123456789/:. aApPmM", max_size=20)
TIMES = st.datetimes(min_value=datetime(1000, 1, 1))  # noqa: DTZ001 - wall clocks


@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=200)
@given(data=st.data())
def test_a_time_is_read_as_strptime_reads_it(form: str, data: st.DataObject) -> None:
    written = TIMES.map(lambda one: one.strftime(form)) | TIMES.map(lambda one: one.strftime(form).replace("0", ""))
    text = data.draw(written | DIGITS)
    zone = labelled_zone("ET")
    # The ISO form comes first, whatever the format says.
    moment = read(datetime.fromisoformat, text) or read(datetime.strptime, text, form)
    expected = (moment if moment.tzinfo else moment.replace(tzinfo=zone)).isoformat() if moment else text
    assert instant_text_of(text, zone, (form,)) == expected


def read(reader: Callable[..., datetime], *text: str) -> datetime | None:
    try:
        return reader(*text)
    except ValueError:
        return None
