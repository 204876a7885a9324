"""Encodings of what sources deliver, as people are told of them."""

from collections.abc import Iterable


def assumed_in_words(encodings: Iterable[str], *, is_taken_in: bool = False) -> str:
    """That a text was taken for something it does not say, and what to do where that was wrong; empty: none was.

    Args:
        encodings: what texts were taken for.
        is_taken_in: by now, so that only the file as it came can tell what was meant.
    """
    names = " and ".join(sorted(set(filter(None, encodings))))
    if not names:
        return ""
    words = (
        f"Read as {names}, which is a guess: the file is no UTF-8 and does not say what it is. Where letters of names "
        "look wrong, write the right encoding into the source's file in config/sources/"
    )
    return words + (" and drop the file again." if is_taken_in else ".")
