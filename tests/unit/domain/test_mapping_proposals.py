"""Which column of an unknown file may be which field, and which values mean nothing yet."""

from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.domain.field_maps import FieldMap, RawFields
from enrollment_crm.domain.mapping_proposals import missing_columns, propose_mapping, unmapped_values

PROGRAM = "ms-advanced-intelligent-manufacturing"
KNOWN = FieldMap(
    source="known",
    kind=RecordKind.APPLICATION,
    time_zone="UTC",
    fields={
        "application_id": RawFields(("aid",)),
        "email": RawFields(("Mail",)),
        "status": RawFields(("AppStatus",)),
        "program": RawFields(("Prog",)),
        "entry_term": RawFields(("YearTerm",)),
        "citizenship": RawFields(("Citz",)),
        "person_reference": RawFields(("CAS ID", "Number"), joined=True),
    },
    value_maps={
        "status": {"Awaiting Decision": "submitted"},
        "program": {"AIM": PROGRAM},
        "citizenship": {"US": "citizen"},
    },
    terms={"202710": "fall 2026"},
)
OTHER = FieldMap(
    source="other",
    kind=RecordKind.APPLICATION,
    time_zone="UTC",
    fields={"application_id": RawFields(("aid",))},
    value_maps={"citizenship": {"Resident": "permanent_resident"}, "status": {"Open": "started"}},
    terms={"202720": "spring 2027"},
)
THIRD = FieldMap(
    source="third",
    kind=RecordKind.APPLICATION,
    time_zone="UTC",
    fields={"application_id": RawFields(("aid",))},
    value_maps={"status": {"Open": "submitted"}},
)


def row(**more: str) -> dict[str, str]:
    return {"aid": "1", "E-MAIL": "a@example.edu", "Application Status": "Awaiting Decision", **more}


def test_columns_are_found_however_they_are_written() -> None:
    proposal = propose_mapping([row(first_NAME="A", Shoe="44")], [KNOWN])
    assert proposal.kind is RecordKind.APPLICATION
    assert proposal.fields["application_id"] == ("aid",)
    assert proposal.fields["email"] == ("E-MAIL",)
    assert proposal.fields["first_name"] == ("first_NAME",)
    assert proposal.fields["status"] == ("Application Status",)
    assert proposal.unread == ("Shoe",)
    assert proposal.missing == ()


def test_half_of_a_joined_field_is_no_column_for_it() -> None:
    proposal = propose_mapping([row(**{"CAS ID": "7"})], [KNOWN])
    assert "person_reference" not in proposal.fields
    assert proposal.unread == ("CAS ID",)


def test_values_are_known_from_other_sources_and_the_rest_is_shown_with_its_number() -> None:
    rows = [row(Prog="aim", Citz="US"), row(Prog="Basket", Citz="Martian"), row(Prog="Basket", Citz="refugee")]
    proposal = propose_mapping(rows, [KNOWN], programs={PROGRAM})
    assert proposal.value_maps["program"] == {"aim": PROGRAM}
    assert proposal.value_maps["citizenship"] == {"US": "citizen"}
    assert proposal.value_maps["status"] == {"Awaiting Decision": "submitted"}
    assert proposal.unmapped == {"program": {"Basket": 2}, "citizenship": {"Martian": 1}}


def test_a_term_code_is_looked_up_and_never_computed() -> None:
    rows = [row(YearTerm=one) for one in ("202710", "202810", "Fall 2027")]
    proposal = propose_mapping(rows, [KNOWN, OTHER])
    assert proposal.value_maps["entry_term"] == {"202710": "fall 2026"}
    assert proposal.unmapped["entry_term"] == {"202810": 1}


def test_what_two_sources_read_differently_is_for_a_person() -> None:
    proposal = propose_mapping([{**row(), "Application Status": "open"}], [OTHER, THIRD])
    assert "status" not in proposal.value_maps
    assert proposal.unmapped["status"] == {"open": 1}


def test_a_kind_that_is_named_counts_and_what_it_misses_is_said() -> None:
    proposal = propose_mapping([row()], [KNOWN], kind=RecordKind.SIGNUP)
    assert (proposal.kind, proposal.missing) == (RecordKind.SIGNUP, ("consent",))


def test_values_of_people_are_in_no_proposal() -> None:
    proposal = propose_mapping([row(phone="+1 617 555 0100", last_name="Canary")], [KNOWN])
    assert "Canary" not in repr(proposal)
    assert "a@example.edu" not in repr(proposal)
    assert "555" not in repr(proposal)


def test_what_a_source_misses_and_does_not_know() -> None:
    rows = [{"aid": "1", "AppStatus": "Awaiting Decision", "Citz": "Martian", "Prog": "AIM", "YearTerm": "999999"}]
    assert missing_columns(rows, KNOWN) == {"email": ("Mail",), "person_reference": ("CAS ID", "Number")}
    assert unmapped_values(rows, KNOWN, programs={PROGRAM}) == {
        "citizenship": {"Martian": 1},
        "entry_term": {"999999": 1},
    }
