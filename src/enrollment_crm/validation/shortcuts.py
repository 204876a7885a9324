"""Shortcuts through Great Expectations: it works the same small values out thousands of times a batch.

A form's single signup waited for that as long as for the rest of validation. Each shortcut answers what the original
answers (``tests/unit/validation/test_shortcuts.py`` holds them side by side). What an expectation is told is changed on
the way through a validation, so nothing that depends on it is remembered.
"""

from functools import cache
from typing import Any

from great_expectations.compatibility.pydantic import BaseModel
from great_expectations.core import id_dict
from great_expectations.expectations import expectation as gx_expectation
from great_expectations.expectations.expectation import Expectation

_ALREADY_JSON = (str, bool, int, type(None))

camel_to_snake = cache(gx_expectation.camel_to_snake)
_any_to_json = id_dict.convert_to_json_serializable


def success_kwarg(expectation: Expectation, key: str, default: Any = None) -> Any:
    """One argument of an expectation, or its field's default.

    The original makes the whole configuration anew to look at it.
    """
    value = getattr(expectation, key) if key in expectation.__fields__ else default
    return value.dict() if isinstance(value, BaseModel) else value


def domain_kwargs(expectation: Expectation) -> dict[str, Any]:
    """The arguments that say which values an expectation is about."""
    return {key: success_kwarg(expectation, key) for key in expectation.domain_keys}


def success_kwargs(expectation: Expectation) -> dict[str, Any]:
    """The arguments that decide whether an expectation is met."""
    return {key: success_kwarg(expectation, key) for key in expectation.success_keys} | domain_kwargs(expectation)


def as_json(data: dict[str, Any]) -> Any:
    """What a metric's name is made of, as JSON can hold it; the original asks NumPy about each absent value."""
    return data if all(type(value) in _ALREADY_JSON for value in data.values()) else _any_to_json(data=data)


def take() -> None:
    """Takes the shortcuts from here on, in this process; a second call changes nothing."""
    gx_expectation.camel_to_snake = camel_to_snake
    id_dict.convert_to_json_serializable = as_json
    Expectation._get_success_kwarg = success_kwarg
    Expectation._get_domain_kwargs = domain_kwargs
    Expectation._get_success_kwargs = success_kwargs
