"""Field maps: how the rows of one source become canonical rows; configuration, in ``config/sources/``."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property, lru_cache
from typing import TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from enrollment_crm.domain.applications import ApplicationStatus
from enrollment_crm.domain.canonical_rows import CANONICAL_FIELDS, DAMAGE, NO, YES, RecordKind
from enrollment_crm.domain.checklists import ChecklistItem, ItemStatus
from enrollment_crm.domain.raw_values import day_text_of, instant_text_of, lookup_key, term_of, text_of
from enrollment_crm.domain.residency import Citizenship, Residency
from enrollment_crm.domain.terms import EntryTerm

#: Raw field under which a source notes what is wrong with a row that it could not read properly.
DAMAGE_NOTE = "(damage)"

#: A longer value is a file that lost its quotes or its line ends, not something that a person said.
LONGEST_VALUE_IN_CHARACTERS = 10_000

#: Fields with a closed set of values: those, and what a value map leads to.
CHOICES: Mapping[str, tuple[str, ...]] = {
    "residency": tuple(Residency),
    "citizenship": tuple(Citizenship),
    "item": tuple(ChecklistItem),
    "holds_visa": (YES, NO),
    "consent": (YES, NO),
}
#: A status is one of a kind of record.
_STATUSES: Mapping[RecordKind, tuple[str, ...]] = {
    RecordKind.APPLICATION: tuple(ApplicationStatus),
    RecordKind.CHECKLIST: tuple(ItemStatus),
}
_YES_AND_NO = {
    **dict.fromkeys(("yes", "y", "true", "t", "1", "on", "x", "checked"), YES),
    **dict.fromkeys(("no", "n", "false", "f", "0", "off", "unchecked"), NO),
}
#: Names are never taken for blanks: there are people called Null.
_NAMES = ("first_name", "last_name")

#: A canonical field, the raw fields it is read from, whether these are joined, and what their text means.
Step: TypeAlias = tuple[str, tuple[str, ...], bool, Callable[[str], str | None]]


def choices_of(kind: RecordKind, name: str) -> tuple[str, ...]:
    """The closed set of values of a canonical field; empty: it has none."""
    return _STATUSES.get(kind, ()) if name == "status" else CHOICES.get(name, ())


@dataclass(frozen=True)
class RawFields:
    """The raw fields that a canonical field is read from: the first that is not blank, or all joined."""

    names: tuple[str, ...]
    joined: bool = False


@dataclass(frozen=True, kw_only=True)
class FieldMap:
    """How one source names its fields and values. ``ValueError`` with a sentence for each bad entry."""

    source: str
    kind: RecordKind
    fields: Mapping[str, RawFields]
    #: IANA zone in which the source writes times without a zone.
    time_zone: str
    #: Canonical field -> value as given (case makes no difference) -> canonical value; empty: says nothing.
    value_maps: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    #: Code -> ``fall 2027``. Never arithmetic: 202710 is fall 2026 at one school and 2027 at another.
    terms: Mapping[str, str] = field(default_factory=dict)
    #: strptime formats of times that are not ISO 8601.
    date_formats: tuple[str, ...] = ()
    #: Canonical field -> what every row of the source says where it says nothing itself.
    defaults: Mapping[str, str] = field(default_factory=dict)
    #: Words that stand for nothing, in every field but names.
    blanks: tuple[str, ...] = ()
    #: How old a feed of applications may be before nobody is told any more that they have not submitted; None: it is
    #: not watched.
    freshness_budget: timedelta | None = None
    #: Names of the environment's variables that hold the secrets of a source that posts to us; None: it does not.
    webhook_secrets: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        problems = [*self._unknown_fields(), *self._impossible_values(), *self._impossible_terms()]
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            problems.append(f"time_zone: {self.time_zone!r} is no time zone, write one such as 'America/New_York'")
        if problems:
            raise ValueError("; ".join(problems))

    def _unknown_fields(self) -> Iterator[str]:
        known = CANONICAL_FIELDS[self.kind]
        for part in ("fields", "value_maps", "defaults"):
            for name in getattr(self, part):
                if name not in known:
                    yield f"{part}: a {self.kind.value} has no {name!r}, its fields are {', '.join(known)}"

    def _choices(self, name: str) -> tuple[str, ...]:
        return choices_of(self.kind, name)

    def _impossible_values(self) -> Iterator[str]:
        for name, values in self.value_maps.items():
            choices = self._choices(name)
            for given, meant in values.items():
                if choices and meant and meant not in choices:
                    yield f"value_maps.{name}.{given}: {meant!r} is none of {', '.join(choices)}"

    def _impossible_terms(self) -> Iterator[str]:
        for code, term in self.terms.items():
            try:
                EntryTerm.parse(term)
            except ValueError as error:
                yield f"terms.{code}: {error}"

    @property
    def is_live(self) -> bool:
        """Whether its rows reach us as they happen, as those of the form and of webhooks do, and no exports."""
        return self.webhook_secrets is not None or "occurred_at" not in self.fields

    @property
    def columns(self) -> frozenset[str]:
        """The raw fields that are read."""
        return frozenset(name for raw in self.fields.values() for name in raw.names)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """What to do for each canonical field, worked out once: a million rows go through it."""
        named = {**self.fields, DAMAGE: RawFields((DAMAGE_NOTE,))}
        return tuple((name, raw.names, raw.joined, self._reader(name)) for name, raw in named.items())

    def read(self, name: str, value: str) -> str | None:
        """The canonical value that this source means by a value of one field; None: it says nothing."""
        text = text_of(value)
        return None if text is None else self._reader(name)(text)

    def _reader(self, name: str) -> Callable[[str], str | None]:
        """Turns the trimmed text of one field into its canonical value."""
        if name == DAMAGE or name in _NAMES:
            return as_it_is
        meanings: dict[str, str | None] = dict.fromkeys(map(lookup_key, self.blanks))
        choices = self._choices(name)
        meanings |= _YES_AND_NO if YES in choices else {}
        meanings |= {lookup_key(choice): choice for choice in choices}
        meanings |= {lookup_key(given): meant or None for given, meant in self.value_maps.get(name, {}).items()}
        if name == "entry_term":
            meanings |= {lookup_key(code): str(EntryTerm.parse(term)) for code, term in self.terms.items()}
        otherwise = self._otherwise(name)
        if not meanings:
            return otherwise
        longest = max(map(len, meanings))

        @lru_cache(maxsize=1024)  # the same few values come again and again
        def look_up(text: str) -> str | None:
            key = lookup_key(text)
            return meanings[key] if key in meanings else otherwise(text)

        def read(text: str) -> str | None:
            # One long word is in no value map: addresses and the like, of which each is another.
            is_long_word = len(text) > longest and text.isascii() and " " not in text
            return otherwise(text) if is_long_word else look_up(text)

        return read

    def _otherwise(self, name: str) -> Callable[[str], str | None]:
        """What becomes of a value that no value map knows."""
        if name == "entry_term":
            return term_of
        if name == "occurred_at":
            zone, formats = ZoneInfo(self.time_zone), self.date_formats
            return lambda text: instant_text_of(text, zone, formats)
        if name == "birth_date":
            day_formats = self.date_formats
            return lambda text: day_text_of(text, day_formats)
        return as_it_is


def as_it_is(text: str) -> str:
    """The meaning of a text of which there are as many as people."""
    return text


def translate(
    raw: Mapping[str, object], field_map: FieldMap, corrections: Mapping[str, str] | None = None
) -> dict[str, str | None]:
    """The canonical row that a raw row means: every field of its kind, trimmed text or None.

    Nothing is judged: a value without a known meaning stays as it is, for validation to name.

    Args:
        corrections: what canonical fields shall say instead, as the source would have written it (``corrected``).
    """
    row: dict[str, str | None] = dict.fromkeys(CANONICAL_FIELDS[field_map.kind])
    row.update(field_map.defaults)
    for name, raw_names, joined, read in field_map.steps:
        text = _joined(raw, raw_names) if joined else _first(raw, raw_names)
        if text is None:
            continue
        if len(text) > LONGEST_VALUE_IN_CHARACTERS:
            row[DAMAGE] = f"{name} has {len(text)} characters"
        elif (value := read(text)) is not None:
            row[name] = value
    for name, said in (corrections or {}).items():
        row[name] = field_map.read(name, said)
    return row


def _first(raw: Mapping[str, object], names: tuple[str, ...]) -> str | None:
    for name in names:
        text = text_of(raw.get(name))
        if text is not None:
            return text
    return None


def _joined(raw: Mapping[str, object], names: tuple[str, ...]) -> str | None:
    return " ".join(filter(None, (text_of(raw.get(name)) for name in names))) or None
