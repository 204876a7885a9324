"""What the ``kwargs`` of a rule may say: Great Expectations passes over some mistakes, and finds others late."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from enrollment_crm.validation.regexes import text_that_takes_for_ever

#: What a suite may ask for as {"$PARAMETER": ...} because it is known elsewhere.
PARAMETERS = ("plausible_address", "known_programs")
_PARAMETER = "$PARAMETER"
_LIMITS = ("min_value", "max_value")
_MISPLACED = {
    "severity": "severity belongs into its meta: warn, quarantine or stop",
    "result_format": "result_format is for us to say: remove it",
}

Arguments = Mapping[str, Any]


def problems_of_texts(rule_type: str, arguments: Arguments) -> list[str]:
    """What is wrong with the arguments of a rule about rows, whose values are texts."""
    problems = [*_misplaced(arguments), *_of_parameters(arguments), *_of_value_set(arguments)]
    if "match_regex" in rule_type and not {"regex", "regex_list"} & arguments.keys():
        problems.append("it has no regex: write one")
    return [*problems, *_of_regexes(arguments)]


def problems_of_limits(arguments: Arguments) -> list[str]:
    """What is wrong with the arguments of a rule about batches, whose measures are numbers."""
    limits = {name: arguments[name] for name in _LIMITS if arguments.get(name) is not None}
    problems = [
        f"its {name} is no number: write one, without quotes"
        for name, limit in limits.items()
        if isinstance(limit, bool) or not isinstance(limit, int | float)
    ]
    if not problems and len(limits) == len(_LIMITS) and limits["min_value"] > limits["max_value"]:
        problems.append("its min_value is above its max_value: exchange them")
    return [*_misplaced(arguments), *problems, *_of_regexes(arguments)]


def _misplaced(arguments: Arguments) -> Iterator[str]:
    if arguments.get("mostly", 1) != 1:
        yield "a row either passes or fails: remove mostly"
    for name in _MISPLACED.keys() & arguments.keys():
        yield _MISPLACED[name]


def _of_parameters(arguments: Arguments) -> Iterator[str]:
    for value in arguments.values():
        asked = value.get(_PARAMETER, PARAMETERS[0]) if isinstance(value, dict) else PARAMETERS[0]
        if asked not in PARAMETERS:
            yield f"nobody provides {asked!r}: write one of {', '.join(PARAMETERS)}"


def _of_value_set(arguments: Arguments) -> Iterator[str]:
    values = arguments.get("value_set")
    if not isinstance(values, list):  # a parameter, or what Great Expectations refuses
        return
    if not values:
        yield "its value_set is empty, so every row would fail: name the values"
    if others := [repr(one) for one in values if not isinstance(one, str)]:
        yield f"its value_set holds {', '.join(others)}, and rows hold texts only: write each in quotes, without null"


def _of_regexes(arguments: Arguments) -> Iterator[str]:
    listed = arguments.get("regex_list")
    for regex in (arguments.get("regex", ""), *(listed if isinstance(listed, list) else ())):
        if isinstance(regex, str):
            yield from _of_regex(regex)
        elif not isinstance(regex, dict):
            yield f"its regex is {regex!r}, and no text: write it in quotes"


def _of_regex(text: str) -> Iterator[str]:
    try:
        regex = re.compile(text)
    except re.error as error:
        yield f"{text!r} is no regular expression ({error})"
        return
    repeated = text_that_takes_for_ever(regex)
    if repeated is not None:
        yield (
            f"{text!r} may take for ever on one value, such as many times {repeated!r}: let nothing that may repeat "
            "stand inside or beside something that may repeat the same"
        )
