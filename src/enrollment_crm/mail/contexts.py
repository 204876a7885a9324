"""The values that fill a template: plain, complete, of the declared type, and on one line each.

Checked before Jinja sees them, so that a missing or hostile value is a named error and never a strange email.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum

from enrollment_crm.mail.links import link_is_allowed
from enrollment_crm.mail.manifest import FieldDeclaration, ListDeclaration

_BREAKS_A_LINE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

Scalar = str | int | bool | date
Declarations = Mapping[str, FieldDeclaration | ListDeclaration]


class ContextInvalid(ValueError):
    """Values for a template are missing or are not what email.yml declares. Mend the code or data that gives them."""

    def __init__(self, email: str, faults: Sequence[str]) -> None:
        #: One sentence a value; names of variables, never the values themselves.
        self.faults = tuple(faults)
        super().__init__(f"The email “{email}” cannot be filled: {'; '.join(faults)}.")


def checked_context(
    email: str, declared: Declarations, context: Mapping[str, object]
) -> dict[str, Scalar | list[dict[str, Scalar]]]:
    """The declared part of a context; what the email does not declare is left behind.

    Raises:
        ContextInvalid: naming every value that is missing or wrong.
    """
    faults: list[str] = []
    values: dict[str, Scalar | list[dict[str, Scalar]]] = {}
    for name, declaration in declared.items():
        if isinstance(declaration, ListDeclaration):
            values[name] = _checked_list(name, declaration, context.get(name), faults)
        else:
            values[name] = _checked_scalar(name, declaration, context.get(name), faults)
    if faults:
        raise ContextInvalid(email, faults)
    return values


def _checked_list(name: str, declaration: ListDeclaration, value: object, faults: list[str]) -> list[dict[str, Scalar]]:
    if not isinstance(value, list | tuple) or not all(isinstance(record, Mapping) for record in value):
        faults.append(f"{name} must be a list of records")
        return []
    if not value and not declaration.optional:
        faults.append(f"{name} must not be empty")
    return [
        {
            field: _checked_scalar(f"{name}.{field}", one, record.get(field), faults)
            for field, one in declaration.fields.items()
        }
        for record in value
    ]


def _checked_scalar(name: str, declaration: FieldDeclaration, value: object, faults: list[str]) -> Scalar:
    fault = _fault_of(declaration, value)
    if fault:
        faults.append(f"{name} {fault}")
        return ""
    # A StrEnum prints as its value only where str() is asked: make it the plain text that it stands for.
    return value.value if isinstance(value, StrEnum) else value  # type: ignore[return-value]


def _fault_of(declaration: FieldDeclaration, value: object) -> str:
    """Why a value is not what is declared; empty when it is."""
    if value is None:
        return "is missing"
    if declaration.type == "integer":
        return "" if isinstance(value, int) and not isinstance(value, bool) else "must be a whole number"
    if declaration.type == "flag":
        return "" if isinstance(value, bool) else "must be true or false"
    if declaration.type == "date":
        return "" if isinstance(value, date) else "must be a date"
    # Exactly str: a subclass such as Markup would pass through the escaping.
    if type(value) is not str and not isinstance(value, StrEnum):
        return "must be text"
    return _fault_of_text(declaration, value)


def _fault_of_text(declaration: FieldDeclaration, value: str) -> str:
    if not value:
        return "" if declaration.optional else "must not be empty"
    # What is printable breaks no line; few texts need the closer look.
    if not value.isprintable() and _BREAKS_A_LINE.search(value):
        return "holds a line break or control character"
    if declaration.type == "choice" and value not in declaration.values:
        return f"must be one of {', '.join(declaration.values)}"
    if declaration.type == "url" and not link_is_allowed(value):
        return "must be a link with https:// (http:// only to this machine)"
    return ""
