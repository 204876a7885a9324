"""Meanings that operations give values: they come before the file of the source, and cannot be nonsense."""

import pytest

from enrollment_crm.bootstrap import field_maps_of
from enrollment_crm.domain.field_maps import translate
from enrollment_crm.domain.quarantine import QuarantineError
from enrollment_crm.domain.value_overrides import ValueOverride, override_of, with_overrides
from enrollment_crm.settings import Settings

MAPS = field_maps_of(Settings())
CSV = MAPS["signups_csv"]


def decided(field: str, given: str, meaning: str) -> ValueOverride:
    return override_of(CSV, field=field, given=given, meaning=meaning, known_programs=["aim"])


@pytest.mark.parametrize(
    ("field", "column", "given", "meaning", "read"),
    [
        ("entry_term", "Entry Term", "Herbst  27", "Fall 2027", "fall 2027"),
        ("entry_term", "Entry Term", "202710", "fall 2027", "fall 2027"),  # the file says fall 2026
        ("entry_term", "Entry Term", "202710", "", None),
        ("entry_term", "Entry Term", "fall 2026", "fall 2027", "fall 2027"),
        ("residency", "Residency", "Not sure", "domestic", "domestic"),
        ("country", "Country", "Deutschland (alt)", "de", "DE"),
        ("program", "Program", "AIM, the new one", "aim", "aim"),
    ],
)
def test_an_override_comes_before_the_file(field: str, column: str, given: str, meaning: str, read: str | None) -> None:
    meant = with_overrides(MAPS, [decided(field, given, meaning)])
    assert translate({column: f" {given.upper()} "}, meant["signups_csv"])[field] == read
    assert translate({column: given}, MAPS["signups_csv"])[field] != read


def test_what_is_not_overridden_stays_as_the_file_says() -> None:
    meant = with_overrides(MAPS, [decided("entry_term", "x", "fall 2027"), decided("residency", "y", "unknown")])
    assert meant["slate"] is MAPS["slate"]
    row = translate({"Entry Term": "202830", "Residency": "Not sure", "Country": "Germany"}, meant["signups_csv"])
    assert (row["entry_term"], row["residency"], row["country"]) == ("spring 2028", "unknown", "DE")


def test_without_overrides_nothing_is_made_anew() -> None:
    assert with_overrides(MAPS, []) is MAPS
    assert with_overrides(MAPS, [ValueOverride("gone", "entry_term", "x", "fall 2027")]) is MAPS


@pytest.mark.parametrize(
    ("field", "given", "meaning", "words"),
    [
        ("email", "x", "y", "choose one of"),
        ("first_name", "x", "y", "choose one of"),
        ("shoe", "x", "y", "choose one of"),
        ("entry_term", "Herbst", "summer 2027", "This meaning cannot be"),
        ("residency", "x", "martian", "This meaning cannot be"),
        ("country", "x", "Germany", "its code of two letters"),
        ("program", "x", "alchemy", "There is no such program"),
        ("entry_term", "  ", "fall 2027", "says nothing already"),
    ],
)
def test_a_meaning_that_cannot_be_is_refused_in_words(field: str, given: str, meaning: str, words: str) -> None:
    with pytest.raises(QuarantineError, match=words):
        decided(field, given, meaning)
