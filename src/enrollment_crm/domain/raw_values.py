"""Raw values of other systems as text, terms and instants.

What cannot be understood stays as it is, for a rule to name: nothing here rejects, and nothing crashes.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from functools import lru_cache

#: Stands for what no database or reader can take: control characters, half a surrogate pair, an object.
UNREADABLE = "\ufffd"

_CONTROL_OR_SURROGATE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
#: Line ends of typesetting, pasted along: no value of a row has two lines.
_SEPARATORS = str.maketrans("\u2028\u2029", "  ")
_INVISIBLE_EDGES = "\ufeff\u200b\u2060 \t\r\n\v\f\u0085\u00a0\u2028\u2029\u3000"
#: What a formula without a result leaves behind says nothing.
_SPREADSHEET_ERRORS = frozenset(
    {"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#GETTING_DATA"}
)
_KEPT_AS_TEXT = re.compile('="((?:[^"]|"")*)"')
_SEASONS = {"fall": "fall", "autumn": "fall", "spring": "spring"}
_TERM_FILLERS = frozenset({"semester", "term", "entry", "start"})
_TERM_TOKENS = re.compile(r"[^\W\d_]+|\d+")
_YEAR_DIGITS = 4


def text_of(value: object) -> str | None:
    """The value as trimmed text in Unicode's composed form; None for nothing, blank and not-a-number.

    Whatever cannot be stored or read becomes U+FFFD, so that a rule rejects the row and nothing crashes.
    """
    if isinstance(value, str):
        return _trimmed(value)
    if value is None or value != value:  # noqa: PLR0124 - not-a-number is the one value that differs from itself
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # spreadsheets turn 202710 into 202710.0
    if isinstance(value, bool | int | float):
        return str(value).lower()
    return f"{UNREADABLE} a {type(value).__name__} instead of a text"


def _trimmed(text: str) -> str | None:
    text = text.strip()
    if text.startswith(("=", "#")):
        if text in _SPREADSHEET_ERRORS:
            return None
        text = _as_text_of_spreadsheet(text)
    if not text.isprintable():
        text = _CONTROL_OR_SURROGATE.sub(UNREADABLE, text.strip(_INVISIBLE_EDGES)).translate(_SEPARATORS)
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return text or None


def _as_text_of_spreadsheet(text: str) -> str:
    """``="02115"``, which is how exports keep a spreadsheet from making a number of it, is ``02115``."""
    found = _KEPT_AS_TEXT.fullmatch(text)
    return found[1].replace('""', '"').strip() if found else text


def lookup_key(text: str) -> str:
    """Under what a value is looked up in a value map: case and runs of blanks make no difference."""
    return " ".join(text.casefold().split())


@lru_cache(maxsize=4096)
def term_of(text: str) -> str:
    """``fall 2027`` for Fall 2027, 2027/FALL/01 or Fall Semester 2027; anything else as it is.

    A code without a season in words, such as 202710, is never computed: its source has a term map.
    """
    words = _TERM_TOKENS.findall(text.casefold())
    seasons = [_SEASONS[word] for word in words if word in _SEASONS]
    years = [word for word in words if word.isdecimal() and len(word) == _YEAR_DIGITS]
    rest = [word for word in words if word not in _SEASONS and word not in _TERM_FILLERS and word not in years]
    if len(seasons) == len(years) == 1 and all(word.isdecimal() and len(word) < _YEAR_DIGITS for word in rest):
        return f"{seasons[0]} {int(years[0]):04}"
    return text


def instant_text_of(text: str, zone: tzinfo, formats: Sequence[str] = ()) -> str:
    """The instant in ISO 8601 with its offset; without one it is read in ``zone``, a day as its first moment.

    The first moment, because a day must never claim to be later than the thing was. A text that is neither
    ISO 8601 nor one of the ``formats`` (strptime) stays as it is: among them the serial numbers of
    spreadsheets, whose meaning depends on a setting that the file does not carry.
    """
    moment = _moment(text, formats)
    if moment is None:
        return text
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    try:
        return moment.isoformat()
    except OverflowError:
        return text


def day_text_of(text: str, formats: Sequence[str] = ()) -> str:
    """The day in ISO 8601, of ISO 8601 or one of the ``formats`` (strptime); anything else as it is."""
    moment = _moment(text, formats)
    return moment.date().isoformat() if moment else text


def _moment(text: str, formats: Sequence[str]) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    for one in formats:
        try:
            if (moment := _reader_of(one)(text)) is not None:
                return moment
        except ValueError:
            continue
    return None


#: What ``strptime`` takes for each directive that exports use.
_DIRECTIVES = {
    "%Y": r"(?P<year>\d{4})",
    "%m": r"(?P<month>1[0-2]|0[1-9]|[1-9])",
    "%d": r"(?P<day>3[0-1]|[1-2]\d|0[1-9]|[1-9]| [1-9])",
    "%H": r"(?P<hour>2[0-3]|[0-1]\d|\d)",
    "%I": r"(?P<hour>1[0-2]|0[1-9]|[1-9])",
    "%M": r"(?P<minute>[0-5]\d|\d)",
    "%p": r"(?P<half>am|pm)",
}
_DAY, _TIMES = ("%Y", "%m", "%d"), ((), ("%H", "%M"), ("%I", "%M", "%p"))
_HALF_A_DAY = 12


@lru_cache(maxsize=64)
def _reader_of(one: str) -> Callable[[str], datetime | None]:
    """Reads times of a format as ``strptime`` does, which works the format out again for each of a million times."""
    if sorted(re.findall("%.", one)) not in [sorted((*_DAY, *times)) for times in _TIMES]:
        return lambda text: datetime.strptime(text, one)  # noqa: DTZ007 - the zone is the source's, given by the caller
    parts = re.split(r"(%.|\s+)", one)
    words = [_DIRECTIVES.get(part) or (r"\s+" if part.isspace() else re.escape(part)) for part in parts]
    pattern = re.compile("".join(words), re.IGNORECASE)

    def read(text: str) -> datetime | None:
        found = pattern.match(text)
        return _moment_of(**found.groupdict()) if found and found.end() == len(text) else None

    return read


def _moment_of(
    *, year: str, month: str, day: str, hour: str = "0", minute: str = "0", half: str | None = None
) -> datetime:
    hours = int(hour)
    if half is not None:
        hours = hours % _HALF_A_DAY + (_HALF_A_DAY if half.lower() == "pm" else 0)
    return datetime(int(year), int(month), int(day), hours, int(minute))  # noqa: DTZ001 - the zone is the source's
