"""Regular expressions that take for ever on some values: one name in a form would keep validation busy for days."""

import re
import time
from collections.abc import Iterator
from itertools import pairwise

#: What ends a text that repeats something, so that no expression matches by luck.
_END = "\0"
#: More and more often, so that an expression that explodes is found out before it has exploded.
_TIMES = (*range(8, 30, 2), 36, 45, 56, 70, 88, 110, 138, 172, 200)
#: A sane expression takes microseconds. Of this thread's own work, whatever else the machine does.
_LONGEST_IN_SECONDS = 0.05
_LETTERS = ("a", "A", "0", " ")


def text_that_takes_for_ever(regex: re.Pattern[str]) -> str | None:
    """What a value may repeat so that matching it does not end; None: nothing that was tried.

    Found out by trying what the expression is about: whether one can explode is not to be seen in its words.
    """
    return next((unit for unit in _units(regex.pattern) if _takes_for_ever(regex, unit)), None)


def _units(pattern: str) -> Iterator[str]:
    """Letters, and pairs of letters that stand in the expression."""
    yield from dict.fromkeys((*_LETTERS, *pattern))
    yield from dict.fromkeys(first + second for first, second in pairwise(pattern))


def _takes_for_ever(regex: re.Pattern[str], unit: str) -> bool:
    for times in _TIMES:
        text, began = unit * times + _END, time.thread_time()
        regex.search(text)
        if time.thread_time() - began > _LONGEST_IN_SECONDS:
            return True
    return False
