"""Dates as a page states them, without a year, and the entry terms that give them one."""

from calendar import isleap
from collections.abc import Iterable
from datetime import date, datetime

from enrollment_crm.domain.deadlines import Deadline
from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.listings import DeadlineListing, HeldBack, HoldReason, in_words, is_leap_day

#: A date without a year that lies further than this, in days, from the configured one could mean either year.
FURTHEST_MOVE_IN_DAYS = 120


def date_deadlines(
    listed: Iterable[DeadlineListing], configured: Iterable[Deadline], *, now: datetime
) -> tuple[tuple[Deadline, ...], tuple[HeldBack, ...]]:
    """The stated dates with their years, and what is held back.

    Each configured date of a group stands for one entry term; what the page states means its occurrence nearest to
    that one. Terms whose date is over, as configured and as stated, are left out: the page speaks of them no more.
    """
    check_aware(now)
    known = tuple(configured)
    deadlines: list[Deadline] = []
    held_back: list[HeldBack] = []
    for listing in listed:
        placed = [(before, found) for before in known if (found := _near(before, listing))]
        if not placed:
            held_back.append(_unplaced(listing))
        for before, found in placed:
            if isinstance(found, Deadline) and max(found.ends_at(), before.ends_at()) > now:
                deadlines.append(found)
            elif isinstance(found, HeldBack) and before.ends_at() > now:
                held_back.append(found)
    return tuple(deadlines), tuple(held_back)


def _near(before: Deadline, listing: DeadlineListing) -> Deadline | HeldBack | None:
    """What the listing says of the group and term of ``before``; None where it speaks of others."""
    group, configured = before.group, before.stated_date
    if (group.entry_term.season, group.round, group.residency) != (listing.season, listing.round, listing.residency):
        return None
    years = (configured.year - 1, configured.year, configured.year + 1)
    # Not every year has a 29 February; the day before stands in for it.
    day = 28 if is_leap_day(listing.month, listing.day) else listing.day
    nearest = min((date(year, listing.month, day) for year in years), key=lambda one: abs(one - configured))
    if listing.year not in {None, nearest.year}:
        return None
    doubt = _doubt(listing, configured, nearest)
    if doubt:
        which = f"{group.entry_term} {group.round.value} {group.residency.value}"
        return HeldBack(which, HoldReason.LISTING_YEAR, doubt)
    return Deadline(group, nearest.replace(day=listing.day))


def _doubt(listing: DeadlineListing, configured: date, nearest: date) -> str | None:
    stated = f"the page states {in_words(listing.month, listing.day)}"
    if is_leap_day(listing.month, listing.day) and not isleap(nearest.year):
        return f"{stated}, and {nearest.year} has no such day: which day is meant?"
    if listing.year is None and abs(nearest - configured).days > FURTHEST_MOVE_IN_DAYS:
        return (
            f"{stated}, {configured} is configured, more than {FURTHEST_MOVE_IN_DAYS} days apart: which year is meant?"
        )
    return None


def _unplaced(listing: DeadlineListing) -> HeldBack:
    stated = in_words(listing.month, listing.day, listing.year)
    words = (
        f"the page states {stated}, and no entry term in config/programs/ has such a date: "
        "add the term or the date there if it is meant for this program"
    )
    return HeldBack(str(listing), HoldReason.NOT_CONFIGURED, words)
