import pytest

from enrollment_crm.domain.canonical_rows import CANONICAL_FIELDS, DAMAGE, RecordKind
from enrollment_crm.domain.field_maps import (
    DAMAGE_NOTE,
    LONGEST_VALUE_IN_CHARACTERS,
    FieldMap,
    RawFields,
    translate,
)

SIGNUPS = FieldMap(
    source="fair",
    kind=RecordKind.SIGNUP,
    time_zone="America/New_York",
    fields={
        "email": RawFields(("Email", "Other Email")),
        "last_name": RawFields(("Last",)),
        "entry_term": RawFields(("Term", "Year"), joined=True),
        "residency": RawFields(("Residency",)),
        "citizenship": RawFields(("Citizenship",)),
        "holds_visa": RawFields(("Visa",)),
        "consent": RawFields(("Consent",)),
        "occurred_at": RawFields(("At",)),
    },
    value_maps={"citizenship": {"Non-resident": "none_of_the_us", "None": ""}, "holds_visa": {"F-1": "yes"}},
    terms={"202710": "Fall 2026"},
    defaults={"page": "graduate fair"},
    blanks=("null", "n/a"),
)


def test_every_canonical_field_is_there_and_says_nothing_where_the_row_does_not() -> None:
    row = translate({}, SIGNUPS)
    assert tuple(row) == CANONICAL_FIELDS[RecordKind.SIGNUP]
    assert {name: value for name, value in row.items() if value} == {"page": "graduate fair"}


@pytest.mark.parametrize(
    ("raw", "field", "value"),
    [
        ({"Email": " ", "Other Email": " Asha@Example.com "}, "email", "Asha@Example.com"),
        ({"Email": "a@example.com", "Other Email": "b@example.com"}, "email", "a@example.com"),
        ({"Email": "N/A"}, "email", None),
        ({"Last": "Null"}, "last_name", "Null"),
        ({"Term": "Fall", "Year": 2027.0}, "entry_term", "fall 2027"),
        ({"Term": "202710"}, "entry_term", "fall 2026"),
        ({"Term": "999999"}, "entry_term", "999999"),
        ({"Residency": "DOMESTIC"}, "residency", "domestic"),
        ({"Residency": "martian"}, "residency", "martian"),
        ({"Citizenship": "non-RESIDENT"}, "citizenship", "none_of_the_us"),
        ({"Citizenship": "None"}, "citizenship", None),
        ({"Citizenship": "Stateless"}, "citizenship", "Stateless"),
        ({"Visa": "F-1"}, "holds_visa", "yes"),
        ({"Visa": False}, "holds_visa", "no"),
        ({"Consent": True}, "consent", "yes"),
        ({"Consent": "on"}, "consent", "yes"),
        ({"Consent": "perhaps"}, "consent", "perhaps"),
        ({"At": "2026-11-24 10:00"}, "occurred_at", "2026-11-24T10:00:00-05:00"),
        ({DAMAGE_NOTE: "2 cells under 3 headings"}, DAMAGE, "2 cells under 3 headings"),
    ],
)
def test_translates(raw: dict[str, object], field: str, value: str | None) -> None:
    assert translate(raw, SIGNUPS)[field] == value


def test_an_endless_value_is_damage_not_a_value() -> None:
    row = translate({"Last": "x" * (LONGEST_VALUE_IN_CHARACTERS + 1)}, SIGNUPS)
    assert row["last_name"] is None
    assert row[DAMAGE] == "last_name has 10001 characters"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"time_zone": "Boston"}, "'Boston' is no time zone"),
        ({"fields": {"mail": RawFields(("Email",))}}, "a signup has no 'mail'"),
        ({"value_maps": {"consent": {"yep": "sure"}}}, "value_maps.consent.yep: 'sure' is none of yes, no"),
        ({"terms": {"202750": "summer 2027"}}, "terms.202750: 'summer 2027' is not an entry term"),
    ],
)
def test_says_in_words_what_cannot_be(change: dict[str, object], words: str) -> None:
    entries = {"source": "x", "kind": RecordKind.SIGNUP, "fields": {}, "time_zone": "UTC", **change}
    with pytest.raises(ValueError, match=words):
        FieldMap(**entries)  # type: ignore[arg-type]
