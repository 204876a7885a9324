"""Scenarios: what a file says, or why it cannot be rehearsed."""

from typing import Any

import pytest

from enrollment_crm.domain.scenarios import FactKind, ScenarioInvalid, scenario_of

SIGNUP = {"at": "2025-09-01T12:00:00Z", "kind": "signup", "email": "ana@example.edu", "entry_term": "spring 2026"}


def scenario(*facts: Any, **more: Any) -> dict[str, Any]:
    return {"id": "one", "start": "2025-08-31T00:00:00Z", "end": "2026-09-01T00:00:00Z", "facts": list(facts)} | more


def test_facts_keep_their_order_and_their_place_is_their_name() -> None:
    found = scenario_of(
        scenario(SIGNUP, {"at": "2025-08-31T20:00-04:00", "kind": "outage", "until": "2025-09-02T00:00Z"})
    )
    assert [(one.index, one.kind) for one in found.facts] == [(0, FactKind.SIGNUP), (1, FactKind.OUTAGE)]
    assert found.facts[1].at.isoformat() == "2025-08-31T20:00:00-04:00"


def test_every_term_that_a_fact_names_has_its_dates() -> None:
    change = {
        "at": "2025-10-01T00:00:00Z",
        "kind": "entry_term",
        "email": "a@b.edu",
        "from": "spring 2026",
        "to": "fall 2026",
    }
    found = scenario_of(
        scenario(change, SIGNUP | {"program": "ms-b"}, SIGNUP | {"program": "ms-a", "entry_term": None})
    )
    assert [str(term) for term in found.entry_terms()] == ["spring 2026", "fall 2026"]
    assert found.programs() == ["ms-a", "ms-b"]


def test_addresses_do_not_show_in_what_is_printed() -> None:
    assert "ana@example.edu" not in repr(scenario_of(scenario(SIGNUP)))


@pytest.mark.parametrize("kind", FactKind)
def test_every_kind_says_which_fields_it_needs(kind: FactKind) -> None:
    bare = {"at": "2025-09-01T12:00:00Z", "kind": kind.value}
    if kind is FactKind.RERUN:
        assert scenario_of(scenario(bare)).facts[0].kind is kind
        return
    with pytest.raises(ScenarioInvalid, match=rf"^one, fact 0: a {kind.value} needs \w+"):
        scenario_of(scenario(bare))


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (["no object"], "A scenario is a JSON object"),
        ({"id": "one"}, "one: start is missing"),
        (scenario(start="2025-08-31T00:00:00"), "write an instant with its offset"),
        (scenario(start="yesterday"), "one: start is 'yesterday'"),
        (scenario(start=7), "one: start is 7"),
        (scenario(end="2025-08-30T23:59:59Z"), "it ends before it starts"),
        (scenario(facts="none"), "facts must be a list"),
        (scenario(config=["anchor"]), "config must be an object"),
        (scenario("signup"), "one, fact 0: it must be an object"),
        (scenario(SIGNUP | {"kind": "sign-up"}), "one, fact 0: there is no kind 'sign-up', the kinds are signup, "),
        (scenario({"kind": "signup", "email": "a@b.edu"}), "one, fact 0: at is missing"),
        (scenario(SIGNUP | {"kind": "outage", "until": "tomorrow"}), "one, fact 0: until is 'tomorrow'"),
        (scenario(SIGNUP | {"kind": "outage", "until": "2025-09-01T11:59:59Z"}), "the outage ends before it begins"),
        (scenario(SIGNUP | {"kind": "rerun", "times": "often"}), "one, fact 0: times is 'often'"),
        (scenario(SIGNUP | {"kind": "rerun", "times": -1}), "one, fact 0: times is -1"),
        (scenario(SIGNUP | {"at": "2025-09-01T12:00:00"}), "one, fact 0: at is '2025-09-01T12:00:00'"),
        (
            scenario(SIGNUP, {"at": SIGNUP["at"], "kind": "redeliver", "of": 1}),
            "fact 1: of must be the index of an earlier",
        ),
        (scenario(SIGNUP, {"at": SIGNUP["at"], "kind": "redeliver", "of": -1}), "fact 1: of must be the index"),
        (scenario(SIGNUP, {"at": SIGNUP["at"], "kind": "redeliver", "of": "0"}), "fact 1: of must be the index"),
    ],
)
def test_what_cannot_be_rehearsed_is_said_with_its_place(raw: Any, sentence: str) -> None:
    with pytest.raises(ScenarioInvalid) as raised:
        scenario_of(raw)
    assert sentence in str(raised.value)


def test_a_term_that_is_none_is_said() -> None:
    with pytest.raises(ScenarioInvalid, match=r"^one: .*winter"):
        scenario_of(scenario(SIGNUP | {"entry_term": "winter 2026"})).entry_terms()
