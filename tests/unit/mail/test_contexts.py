from datetime import date

import pytest

from enrollment_crm.mail.contexts import ContextInvalid, checked_context
from enrollment_crm.mail.manifest import FieldDeclaration


def declared(type_: str, **more: object) -> dict[str, FieldDeclaration]:
    return {"it": FieldDeclaration.model_validate({"type": type_, "meaning": "a value", **more})}


GOOD = [
    (declared("integer"), 7),
    (declared("flag"), False),
    (declared("date"), date(2026, 12, 1)),
    (declared("text", optional=True), ""),
    (declared("url", optional=True), ""),
    (declared("choice", values=["a", "b"]), "b"),
]
BAD = [
    (declared("integer"), True, "must be a whole number"),
    (declared("integer"), "7", "must be a whole number"),
    (declared("flag"), 1, "must be true or false"),
    (declared("date"), "2026-12-01", "must be a date"),
    (declared("choice", values=["a", "b"]), "c", "must be one of a, b"),
]


@pytest.mark.parametrize(("declarations", "value"), GOOD)
def test_a_value_of_the_declared_type_goes_through(declarations: dict[str, FieldDeclaration], value: object) -> None:
    assert checked_context("note", declarations, {"it": value, "other": 1}) == {"it": value}


@pytest.mark.parametrize(("declarations", "value", "fault"), BAD)
def test_another_type_is_refused(declarations: dict[str, FieldDeclaration], value: object, fault: str) -> None:
    with pytest.raises(ContextInvalid, match=fault):
        checked_context("note", declarations, {"it": value})
