"""A rehearsal's result beside what a solved case expects of it, as the case's ``compare`` says."""

from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]


def differences(case: Json, result: Json) -> list[str]:
    """What is not as expected, in words; empty: all is.

    The kinds of message that ``compare`` lists are compared exactly; ``reviews`` by whom and what they are about; of
    ``withheld`` the rows that the case names must be there.
    """
    found = []
    for what in case["compare"]:
        match what:
            case "withheld":
                found += [f"not withheld: {row}" for row in case["expect"]["withheld"] if not _is_among(row, result)]
            case "reviews":
                found += _unlike(_reviews(case["expect"]), _reviews(result), what)
            case kind:
                found += _unlike(_sends(case["expect"], kind), _sends(result, kind), what)
    return found


def _is_among(row: Json, result: Json) -> bool:
    """Whether the row was withheld: a row of a case may say less than one of a result."""
    return any(all(one.get(name) == value for name, value in row.items()) for one in result["withheld"])


def _reviews(of: Json) -> list[str]:
    return sorted(f"{one['email']} {one['about']}" for one in of["reviews"])


def _sends(of: Json, kind: str) -> list[str]:
    return sorted(
        f"{one['at']} {one['email']} {one['kind']} {sorted(map(_cover, one['covers']))}"
        for one in of["sends"]
        if one["kind"] == kind
    )


def _cover(cover: Json) -> str:
    """A cover without its program, which cases leave out; a catch-up is one only where it says so."""
    said = {name: value for name, value in cover.items() if name not in {"program", "catch_up"}}
    return f"{dict(sorted(said.items()))} catch_up={cover.get('catch_up', False)}"


def _unlike(expected: list[str], found: list[str], what: str) -> list[str]:
    missing = [f"{what} missing: {one}" for one in expected if one not in found]
    surplus = [f"{what} surplus: {one}" for one in found if one not in expected]
    return [*missing, *surplus] or ([] if expected == found else [f"{what}: {len(expected)} became {len(found)}"])
