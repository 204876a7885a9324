"""The countries and territories of ISO 3166-1 with their English names, for a select."""

import unicodedata
from functools import cache

from babel import Locale

#: Two-letter codes that CLDR names but ISO 3166-1 assigns to no country: groupings, islands of others, tests.
_NOT_COUNTRIES = frozenset(("AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"))


@cache
def countries() -> tuple[tuple[str, str], ...]:
    """Pairs of alpha-2 code and name in alphabetical order, accents aside; Kosovo under its usual XK."""
    names = Locale("en").territories
    chosen = ((code, name) for code, name in names.items() if len(code) == 2 and code.isalpha())  # noqa: PLR2004
    return tuple(sorted((pair for pair in chosen if pair[0] not in _NOT_COUNTRIES), key=_alphabetical))


def _alphabetical(pair: tuple[str, str]) -> str:
    """Åland sorts with A, not after Z."""
    return unicodedata.normalize("NFD", pair[1]).encode("ascii", "ignore").decode().casefold()
