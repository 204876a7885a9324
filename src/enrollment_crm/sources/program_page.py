"""The stated dates of the program page, as they stand in its section "Admissions dates"."""

import re
from collections.abc import Iterable, Set
from typing import NamedTuple

from bs4 import Tag

from enrollment_crm.domain.deadlines import Round
from enrollment_crm.domain.listings import DeadlineListing, ListingError, Listings, check_exists, in_words
from enrollment_crm.domain.residency import STATED_GROUPS, Residency
from enrollment_crm.domain.terms import Season
from enrollment_crm.sources.listed_words import read_date
from enrollment_crm.sources.web_pages import HEADINGS, WebPage, text_of

SECTION = "Admissions dates"
_SEASON_HEADING = re.compile(r"(\w+) semester entry", re.IGNORECASE)
_TODO = "Compare the page with config/programs/; if it has a new shape, keep the dates there until it is read again."
_CELLS_IN_A_ROW = 2
#: What a label may say besides the words that decide its group. Another word could change its meaning.
_FILLING = frozenset(
    {"final", "deadline", "deadlines", "international", "student", "students", "applicant", "applicants"}
    | {"for", "in", "the", "us"}
)
_EARLY, _EVERYONE = {"early", "action"}, {"all", "everyone"}
_GROUP_WORDS = {
    "domestic": Residency.DOMESTIC,
    "inside": Residency.INTERNATIONAL_INSIDE_US,
    "within": Residency.INTERNATIONAL_INSIDE_US,
    "outside": Residency.INTERNATIONAL_OUTSIDE_US,
}


class StatedGroup(NamedTuple):
    """What the page must state a date for, in every year."""

    season: Season
    round: Round
    residency: Residency


def read_deadlines(page: WebPage, *, expected: Set[StatedGroup]) -> Listings:
    """All dates of the section, one for each group; never some of them.

    Args:
        page: the program page.
        expected: the groups that the program has dates for; each must be there.

    Raises:
        FeedUnreadableError: the section, a table or a group is missing, or there twice, or a row has no date.
    """
    found: dict[StatedGroup, DeadlineListing] = {}
    warnings: list[str] = []
    for heading, word in _season_headings(page):
        if word not in set(Season):
            warnings.append(f"{page.place}: {text_of(heading)!r} is not read: this program takes {_seasons()}")
            continue
        for listing in _rows_under(page, heading, Season(word)):
            _add(page, found, listing)
    missing = [_in_words(group) for group in sorted(expected - found.keys())]
    if missing or not found:
        raise page.unreadable(f"no date for {', '.join(missing) or 'any group'} in the section {SECTION!r}", _TODO)
    return Listings(deadlines=tuple(found.values()), warnings=tuple(warnings))


def _season_headings(page: WebPage) -> list[tuple[Tag, str]]:
    start = page.root.find(lambda tag: tag.name not in {"title", "a"} and text_of(tag).lower() == SECTION.lower())
    if not isinstance(start, Tag):
        raise page.unreadable(f"looked for the section {SECTION!r}, and it is not there", _TODO)
    headings = []
    for heading in start.find_all_next(HEADINGS):
        named = _SEASON_HEADING.fullmatch(text_of(heading))
        if named:
            headings.append((heading, named.group(1).lower()))
    words = [word for _, word in headings]
    twice = [word for word in dict.fromkeys(words) if words.count(word) > 1]
    if twice or not words:
        what = f"{twice[0].capitalize()} Semester Entry is there twice" if twice else "no heading '... Semester Entry'"
        raise page.unreadable(f"{what} in the section {SECTION!r}", _TODO)
    return headings


def _rows_under(page: WebPage, heading: Tag, season: Season) -> Iterable[DeadlineListing]:
    where = f"under {text_of(heading)!r}"
    table = heading.find_next(["table", *HEADINGS])
    if not isinstance(table, Tag) or table.name != "table":
        raise page.unreadable(f"looked for a table {where}, and there is none", _TODO)
    rows = [(row, [text_of(cell) for cell in row.find_all(["th", "td"])]) for row in table.find_all("tr")]
    listings = [
        listing
        for row, cells in rows
        if any(cells) and not _is_caption(row, cells)
        for listing in _listings_of(page, cells, season, where)
    ]
    if not listings:
        raise page.unreadable(f"the table {where} has no rows", _TODO)
    return listings


def _is_caption(row: Tag, cells: list[str]) -> bool:
    """Whether a row names the columns: all of it is header cells, and no digit is in it."""
    return row.find("td") is None and not any(char.isdigit() for char in "".join(cells))


def _listings_of(page: WebPage, cells: list[str], season: Season, where: str) -> list[DeadlineListing]:
    if len(cells) != _CELLS_IN_A_ROW:
        raise page.unreadable(f"the row {' | '.join(cells)[:120]!r} {where} is not a group and a date", _TODO)
    label, stated = cells
    try:
        a_round, residencies = _group_of(label)
        month, day, year = read_date(stated)
        check_exists(month, day, year)
    except ListingError as error:
        raise page.unreadable(f"the row {label[:80]!r} {where}: {error}", _TODO) from error
    return [DeadlineListing(season, a_round, one, month, day, year) for one in residencies]


def _group_of(label: str) -> tuple[Round, tuple[Residency, ...]]:
    """The round and the groups that a label names.

    Raises:
        ListingError: it names none, or several, or says something that is not understood.
    """
    plain = label.lower().replace(".", "").replace("united states", "us")
    words = set(re.findall(r"\w+", plain))
    early = words >= _EARLY
    groups = {_GROUP_WORDS[word] for word in words & _GROUP_WORDS.keys()}
    unknown = words - _FILLING - _GROUP_WORDS.keys() - (_EARLY | _EVERYONE if early else set())
    if unknown:
        raise ListingError(f"{sorted(unknown)} is not understood; known are early action, and final by residency")
    if not groups and early:
        return Round.EARLY_ACTION, STATED_GROUPS
    if len(groups) != 1 or words & _EVERYONE:
        raise ListingError("it does not name one group: domestic, or international inside or outside the US")
    return Round.EARLY_ACTION if early else Round.FINAL, tuple(groups)


def _add(page: WebPage, found: dict[StatedGroup, DeadlineListing], listing: DeadlineListing) -> None:
    group = StatedGroup(listing.season, listing.round, listing.residency)
    before = found.setdefault(group, listing)
    if before is listing:
        return
    dates = [in_words(one.month, one.day, one.year) for one in (before, listing)]
    what = f"two dates, {' and '.join(dates)}," if before != listing else f"{dates[0]} twice"
    raise page.unreadable(f"the section {SECTION!r} states {what} for {_in_words(group)}", _TODO)


def _in_words(group: StatedGroup) -> str:
    return f"{group.season.value} {group.round.value} {group.residency.value}"


def _seasons() -> str:
    return " and ".join(season.value for season in Season)
