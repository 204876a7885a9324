"""Encodings of what sources deliver, as people are told of them."""

from collections.abc import Iterable


def assumed_in_words(encodings: Iterable[str]) -> str:
    """That a text was taken for something it does not say, and what to do where that was wrong; empty: none was.

    Args:
        encodings: what texts were taken for.
    """
    names = " and ".join(sorted(set(filter(None, encodings))))
    return names and (
        f"Read as {names}, which is a guess: the file is no UTF-8 and does not say what it is. Where letters of names "
        "look wrong, write the right encoding into the source's file in config/sources/ before the next one comes, and "
        "correct the names with `enrollment-crm person correct`."
    )
