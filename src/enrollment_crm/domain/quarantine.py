"""The quarantine: what became of rejected rows, and which reminder each of their people would miss."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from enrollment_crm.domain.canonical_rows import CanonicalRow, statement_in
from enrollment_crm.domain.deadlines import Deadline, deadlines_of
from enrollment_crm.domain.points import Cadence, deadline_points
from enrollment_crm.domain.raw_values import UNREADABLE
from enrollment_crm.domain.residency import Residency, conclude_residency
from enrollment_crm.domain.terms import EntryTerm

_OLDEST_YEAR = 2020
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ].*)?\Z", re.DOTALL)

#: What readers of files, feeds and posts note of a row.
_DAMAGES = re.compile(
    r"\d+ cells under \d+ headings|a quotation mark is not closed or not doubled|the entry is no row"
    r"|a name stands there twice|[a-z_]+ has \d+ characters"
    r"|line \d+ is no row|a formula has no saved result: open the workbook, save it, and drop it again"
)

#: Beside those of ``expectations/``, what rows are rejected by: nobody has set up their source; they passed all rules
#: and cannot be used; a person rejected their batch.
SOURCE_KNOWN, USABLE, BATCH_REJECTED = RULES_OF_NO_SUITE = ("source_known", "usable", "batch_rejected")


class Step(StrEnum):
    """What a person did about a row, a value or a batch; each is kept in the audit trail."""

    #: One field of one row says something else from now on.
    CORRECTED = "corrected"
    #: A value of a source has a meaning from now on, for every row.
    MAPPED = "mapped"
    #: Judged again, and accepted.
    REPLAYED = "replayed"
    #: Judged again, and still failing.
    REJECTED_AGAIN = "rejected_again"
    #: Not to be taken in.
    DISCARDED = "discarded"
    #: Back from the discarded rows.
    RESTORED = "restored"
    #: A stopped batch was released.
    BATCH_RELEASED = "batch_released"
    #: A stopped batch was rejected.
    BATCH_REJECTED = "batch_rejected"


class QuarantineError(ValueError):
    """A step that cannot be taken; the sentence says what to do instead."""


@dataclass(frozen=True)
class MissedReminder:
    """The next reminder that a person gets if their row is taken in before it, and misses otherwise."""

    #: Instant of the point, or the cut-off where no point is ahead.
    at: datetime
    deadline: Deadline
    #: ``7d``; empty: all points are over, the cut-off is ahead.
    offset: str
    #: The row names its term; else it is the earliest of all dates ahead.
    term_is_known: bool

    @property
    def words(self) -> str:
        """What it is about: ``early action fall 2027, 7d before 2026-12-01``."""
        about = f"{self.deadline.group.round.value.replace('_', ' ')} {self.deadline.group.entry_term}"
        when = f"{self.offset} before {self.deadline.stated_date}" if self.offset else f"{self.deadline.stated_date}"
        return f"{about}, {when}" + ("" if self.term_is_known else " (the earliest, the row names no term)")


class MissedReminders:
    """Says of a row which reminder is at risk, by the functions that reminders go by (R2, R3)."""

    def __init__(
        self,
        deadlines: Iterable[Deadline],
        *,
        cadence_of: Callable[[str], Cadence],
        default_program: str,
        zone_of: Callable[[CanonicalRow], str],
        now: datetime,
    ) -> None:
        """What is in force, and how a program counts.

        Args:
            deadlines: dates in force.
            cadence_of: the cadence of a program, also of one that is not configured.
            default_program: whose dates count where the row names no program with dates.
            zone_of: IANA zone that the row's person lives by (R4).
            now: instant after which points are ahead.
        """
        self._deadlines = list(deadlines)
        self._cadence_of, self._zone_of = cadence_of, zone_of
        self._default_program, self._now = default_program, now
        self._programs = {one.group.program for one in self._deadlines}
        self._next = lru_cache(maxsize=4096)(self._find)  # many rows, few groups

    def of(self, row: CanonicalRow, *, source: str) -> MissedReminder | None:
        """The reminder at risk; None where no date is ahead of this person any more."""
        program = row.get("program") or ""
        evidence = statement_in(
            row,
            source=source,
            said_at=self._now,
            country_field="country" if "country" in row else "address_country",
        ).evidence
        return self._next(
            program if program in self._programs else self._default_program,
            _term_in(row),
            conclude_residency([evidence]).residency,
            self._zone_of(row),
        )

    def _find(self, program: str, term: EntryTerm | None, residency: Residency, zone: str) -> MissedReminder | None:
        terms = [term] if term else sorted({one.group.entry_term for one in self._deadlines})
        theirs = [
            deadline
            for one in terms
            for deadline in deadlines_of(
                self._deadlines, program=program, entry_term=one, residency=residency, now=self._now
            )
            if deadline.ends_at() > self._now
        ]
        missed = (self._first_point(one, program, zone, term_is_known=term is not None) for one in theirs)
        return min(missed, key=lambda one: one.at, default=None)

    def _first_point(self, deadline: Deadline, program: str, zone: str, *, term_is_known: bool) -> MissedReminder:
        points = deadline_points(deadline, ZoneInfo(zone), self._cadence_of(program))
        ahead = [point for point in points if point.instant > self._now]
        if not ahead:
            return MissedReminder(deadline.ends_at(), deadline, "", term_is_known)
        return MissedReminder(ahead[0].instant, deadline, ahead[0].offset, term_is_known)


def _term_in(row: CanonicalRow) -> EntryTerm | None:
    try:
        return EntryTerm.parse(row.get("entry_term") or "")
    except ValueError:
        return None


def damage_of(note: str | None) -> str:
    """What is wrong with a row that could not be read, in our own words; a note that a file brings along is not said.

    A file can have a column of the note's name, and in it whatever somebody wrote.
    """
    return note if note and _DAMAGES.fullmatch(note) else value_class(note)


def value_class(value: str | None) -> str:
    """What sort of value it is, without the value: ``text of 14 letters``, ``date before 2020``, ``blank``."""
    if value is None or not value.strip():
        return "blank"
    if UNREADABLE in value:
        return f"text of {_counted(len(value), 'character')}, unreadable in part"
    date = _DATE.match(value)
    if date:
        return f"date before {_OLDEST_YEAR}" if int(date[1]) < _OLDEST_YEAR else f"date from {_OLDEST_YEAR} on"
    if value.isdecimal():
        return f"number of {_counted(len(value), 'digit')}"
    if "@" in value:
        return f"text of {_counted(len(value), 'character')} with {_counted(value.count('@'), 'at sign')}"
    return _class_of_text(value)


def _class_of_text(value: str) -> str:
    letters = sum(1 for one in value if one.isalpha() or unicodedata.combining(one) or one in " -'.")
    if letters == len(value):
        return f"text of {_counted(len(value), 'letter')}"
    return f"text of {_counted(len(value), 'character')}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
