"""Listings: what a page or a feed says of a session or of a date, before anybody approved it (R11, R12).

What cannot be understood is an error; what can be understood but not decided is held back for a person.
"""

import re
from calendar import isleap
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Self
from zoneinfo import ZoneInfo

from enrollment_crm.domain.deadlines import Round
from enrollment_crm.domain.instants import check_aware, instant_of
from enrollment_crm.domain.prep_sessions import PrepSession
from enrollment_crm.domain.residency import Residency
from enrollment_crm.domain.terms import Season
from enrollment_crm.domain.zones import HOME_ZONE, label_warning, labelled_zone

#: R12: a listing without a year that would be further ahead than this, in days, is for a person to decide.
FURTHEST_IN_DAYS = 300
#: A day that is stated with its year, and further ahead than this, is rather a slip of whoever typed it.
FURTHEST_STATED_IN_DAYS = 1095
LONGEST_SESSION = timedelta(hours=12)
_UNCERTAIN = re.compile(r"\b(cancel+ed|postponed|rescheduled)\b", re.IGNORECASE)
_LEAP_DAY = (2, 29)
#: Not the calendar module's names, which follow the language of the machine.
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


class ListingError(ValueError):
    """A listing says what cannot be. Have the page corrected, or enter it in config/programs/ by hand."""


class HoldReason(StrEnum):
    """Why a listing waits for a person."""

    #: R12: it names no year, and the one that is meant is not certain. The review has the same name.
    LISTING_YEAR = "listing_year"
    #: It has a day but no hour.
    ALL_DAY = "all_day"
    #: It repeats by a rule that is not followed here.
    RECURRENCE = "recurrence"
    #: Its title says that it is cancelled or postponed, or its feed calls it tentative.
    UNCERTAIN = "uncertain"
    #: Something that a session needs is missing, broken or unknown.
    INCOMPLETE = "incomplete"
    #: Two sources, or two places of one source, say different things of it.
    CONTRADICTION = "contradiction"
    #: A date for a group that config/programs/ has no date for.
    NOT_CONFIGURED = "not_configured"


@dataclass(frozen=True)
class HeldBack:
    """A listing that only a person can decide: which one (session id, or group of a deadline), why, and in words."""

    listing: str
    reason: HoldReason
    words: str


@dataclass(frozen=True)
class DeadlineListing:
    """A date as the program page states it for one group. The entry terms that are configured give it its years."""

    season: Season
    round: Round
    residency: Residency
    month: int
    day: int
    #: None, as a rule: the page names no year. A year that is named holds for that one date only.
    year: int | None = None

    def __str__(self) -> str:
        return f"{self.season.value} {self.round.value} {self.residency.value}"


@dataclass(frozen=True)
class SessionListing:
    """A session as an events page lists it: wall clock and label, as a rule without a year."""

    id: str
    title: str
    month: int
    day: int
    year: int | None
    starts: time
    #: At or before ``starts``: on the day after.
    ends: time
    zone_label: str
    location: str
    url: str


@dataclass(frozen=True)
class Listings:
    """What one source lists, or several together."""

    sessions: tuple[PrepSession, ...] = ()
    #: Sessions of which a feed says that they are cancelled.
    cancelled: tuple[PrepSession, ...] = ()
    deadlines: tuple[DeadlineListing, ...] = ()
    held_back: tuple[HeldBack, ...] = ()
    warnings: tuple[str, ...] = ()

    def __add__(self, other: Self) -> "Listings":
        return Listings(
            self.sessions + other.sessions,
            self.cancelled + other.cancelled,
            self.deadlines + other.deadlines,
            self.held_back + other.held_back,
            self.warnings + other.warnings,
        )


def held(listing: str, reason: HoldReason, words: str) -> Listings:
    """One listing that is held back, and nothing else."""
    return Listings(held_back=(HeldBack(listing, reason, words),))


def is_too_far(day: date, *, read_on: date) -> bool:
    """Whether a stated day lies so far ahead that a person should look at its year."""
    return (day - read_on).days > FURTHEST_STATED_IN_DAYS


def is_uncertain(title: str) -> bool:
    """Whether a title says that the session may not take place as listed; a title is no statement of a change."""
    return _UNCERTAIN.search(title) is not None


def in_words(month: int, day: int, year: int | None = None) -> str:
    """A date as an error names it: ``29 February 2027``."""
    return f"{day} {MONTHS[month - 1]}" + (f" {year}" if year else "")


def check_exists(month: int, day: int, year: int | None) -> None:
    """Nothing, if there is such a date: without a year, in any year.

    Raises:
        ListingError: there is none.
    """
    try:
        # 2000 was a leap year: every date that any year has, it had.
        date(2000 if year is None else year, month, day)
    except ValueError:
        raise ListingError(f"{in_words(month, day, year)} does not exist") from None


def is_leap_day(month: int, day: int) -> bool:
    """Whether it is 29 February, the one date that most years do not have."""
    return (month, day) == _LEAP_DAY


def home_day(now: datetime) -> date:
    """The day on which something is read at ``now``: the date in New York (R12)."""
    return check_aware(now).astimezone(ZoneInfo(HOME_ZONE)).date()


def first_occurrence(month: int, day: int, *, read_on: date) -> date:
    """R12: what a date without a year means, first: its first occurrence on or after the day it was read.

    For 29 February that can be up to eight years ahead (1896 to 1904).

    Raises:
        ListingError: no year has such a date.
    """
    check_exists(month, day, None)
    years = (year for year in range(read_on.year, read_on.year + 9) if not is_leap_day(month, day) or isleap(year))
    return next(found for year in years if (found := date(year, month, day)) >= read_on)


def read_session(listing: SessionListing, *, now: datetime) -> Listings:
    """The session that a listing means, or the listing held back, with what is to be said of it (R11, R12).

    Raises:
        ListingError: the date, the hours or the zone label cannot be; the message names the listing.
    """
    try:
        return _dated_session(listing, read_on=home_day(now))
    except ListingError as error:
        raise ListingError(f"{listing.id}: {error}") from error


def _dated_session(listing: SessionListing, *, read_on: date) -> Listings:
    check_exists(listing.month, listing.day, listing.year)
    zone = _zone_of(listing.zone_label)
    if listing.year is None:
        day = first_occurrence(listing.month, listing.day, read_on=read_on)
        if (day - read_on).days > FURTHEST_IN_DAYS:
            return held(listing.id, HoldReason.LISTING_YEAR, _too_far(listing, day, read_on))
    else:
        day = date(listing.year, listing.month, listing.day)
        if day < read_on:
            return Listings(warnings=(f"{listing.id}: it was on {day}, and is still listed",))
        if is_too_far(day, read_on=read_on):
            return held(listing.id, HoldReason.UNCERTAIN, f"it is listed for {day}: is that the year?")
    session = _session(listing, day, zone)
    remarks = [label_warning(listing.zone_label, session.starts)]
    if not listing.location:
        remarks.append("no location is named")
    return Listings(sessions=(session,), warnings=tuple(f"{listing.id}: {one}" for one in remarks if one))


def _session(listing: SessionListing, day: date, zone: ZoneInfo) -> PrepSession:
    starts = instant_of(day, listing.starts, zone)
    next_day = listing.ends <= listing.starts
    length = instant_of(day + timedelta(days=next_day), listing.ends, zone) - starts
    if not timedelta(0) < length <= LONGEST_SESSION:
        raise ListingError(f"from {listing.starts:%H:%M} to {listing.ends:%H:%M} is no length of a session")
    minutes = int(length.total_seconds()) // 60
    return PrepSession(listing.id, listing.title, starts, zone.key, minutes, listing.location, listing.url)


def _zone_of(label: str) -> ZoneInfo:
    try:
        return labelled_zone(label)
    except ValueError as error:
        raise ListingError(str(error)) from error


def _too_far(listing: SessionListing, day: date, read_on: date) -> str:
    stated = in_words(listing.month, listing.day)
    until_then = f"{(day - read_on).days} days after it was read ({read_on}), more than {FURTHEST_IN_DAYS}"
    if is_leap_day(listing.month, listing.day) and not isleap(read_on.year):
        return f"{stated} names no year, {read_on.year} has no such day, and the next is in {day.year}, {until_then}"
    return f"{stated} names no year and comes next on {day}, {until_then}: is it over, or of another year?"
