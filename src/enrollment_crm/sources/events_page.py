"""Lists of events: the whole events page, and the section "Upcoming events" of the program page."""

import re
from datetime import datetime
from itertools import takewhile
from urllib.parse import urldefrag, urljoin, urlsplit

from bs4 import Tag

from enrollment_crm.domain.listings import (
    HoldReason,
    ListingError,
    Listings,
    SessionListing,
    held,
    is_uncertain,
    read_session,
)
from enrollment_crm.sources.listed_words import DATE, HOUR, date_in, read_hour
from enrollment_crm.sources.web_pages import HEADINGS, WebPage, last_part, text_of

SECTION = "Upcoming events"
_ITEM = re.compile(
    rf"(?P<title>.+?) {DATE},? (?P<starts>{HOUR}) ?[-\u2010-\u2015\u2212] ?(?P<ends>{HOUR}) \(?(?P<zone>[^\s()]+)\)?"
    r"(?: Location:? (?P<location>.+))?",
    re.IGNORECASE,
)
_ANY_DATE = re.compile(rf"\b{DATE}\b", re.IGNORECASE)
#: Characters between a title and its date.
_NEARBY = 40
_NO_EVENTS = re.compile(r"\bno (upcoming )?events\b|\bno results\b", re.IGNORECASE)
_TODO = "Open the page; until its list is read again, keep the sessions in config/programs/."


def read_events(page: WebPage, *, title: re.Pattern[str], now: datetime, section: str | None = None) -> Listings:
    """The prep sessions of a list; each prep session of it, or none.

    Args:
        page: an events page, or the program page.
        title: what is found in the titles of prep sessions and of no other events.
        now: when the page was read; a date without a year is read by it (R12).
        section: the heading under which the list stands; None: the whole page is the list.

    Raises:
        FeedUnreadableError: there is no list, or no event in it, or a prep session that cannot be understood.
    """
    headings = _headings_of(page, section)
    if not headings and not _NO_EVENTS.search(text_of(page.root)):
        where = f"under {section!r}" if section else "on the page"
        raise page.unreadable(f"looked for events {where}, and there are none", _TODO)
    wanted = [(text, link) for text, link in map(_item_of, headings) if title.search(text)]
    announced = _announced(text_of(page.root), title)
    if announced > len(wanted):
        what = f"{announced} prep sessions are announced, and only {len(wanted)} of them as headings with a link"
        raise page.unreadable(what, _TODO)
    items = {(text, link["href"] if link else None): (text, link) for text, link in wanted}
    listings = sum((_listings_of(page, text, link, now) for text, link in items.values()), Listings())
    remarks = _remarks(page, events=len(headings), sessions=len(items))
    return listings + Listings(warnings=tuple(f"{page.place}: {one}" for one in remarks))


def _headings_of(page: WebPage, section: str | None) -> list[Tag]:
    """The headings that name one event each."""
    if section is None:
        return [one for one in page.root.find_all(HEADINGS) if _link_of(one) or _ITEM.search(text_of(one))]
    start = page.root.find(lambda tag: tag.name in HEADINGS and text_of(tag).lower() == section.lower())
    if not isinstance(start, Tag):
        raise page.unreadable(f"looked for the section {section!r}, and it is not there", _TODO)
    return list(takewhile(lambda one: one.name > start.name, start.find_all_next(HEADINGS)))


def _announced(text: str, title: re.Pattern[str]) -> int:
    """How often a title of a prep session is followed by a date: a list that changed its shape gives itself away."""
    return sum(1 for named in title.finditer(text) if _ANY_DATE.search(text[named.end() : named.end() + _NEARBY]))


def _item_of(heading: Tag) -> tuple[str, Tag | None]:
    """All that is said of an event, and its link: the heading stands in the link, or the link in the heading."""
    link = _link_of(heading)
    around = link if link is not None and link in heading.parents else heading
    return text_of(around), link


def _link_of(heading: Tag) -> Tag | None:
    link = heading.find_parent("a", href=True) or heading.find("a", href=True)
    return link if isinstance(link, Tag) else None


def _listings_of(page: WebPage, text: str, link: Tag | None, now: datetime) -> Listings:
    url = urldefrag(urljoin(page.url, str(link["href"]) if link else "")).url.partition("?")[0]
    if link is None or urlsplit(url).scheme not in {"http", "https"} or not last_part(url):
        raise page.unreadable(f"the event {text[:120]!r} has no link that names it", _TODO)
    if is_uncertain(text):
        return held(last_part(url), HoldReason.UNCERTAIN, f"the list says {text[:120]!r}: does it take place?")
    try:
        return read_session(_listing(text, url), now=now)
    except ListingError as error:
        raise page.unreadable(f"the event {text[:120]!r} is not understood: {error}", _TODO) from error


def _listing(text: str, url: str) -> SessionListing:
    found = _ITEM.fullmatch(text)
    if not found:
        raise ListingError("a title, a date, two hours, a zone and a location were looked for, in this order")
    month, day, year = date_in(found)
    return SessionListing(
        id=last_part(url),
        title=found["title"],
        month=month,
        day=day,
        year=year,
        starts=read_hour(found["starts"]),
        ends=read_hour(found["ends"]),
        zone_label=found["zone"],
        location=found["location"] or "",
        url=url,
    )


def _remarks(page: WebPage, *, events: int, sessions: int) -> list[str]:
    remarks = []
    if not sessions:
        remarks.append(f"none of its {events} events is a prep session; if one is, correct session_title")
    if page.root.select_one('a[rel~="next"], link[rel~="next"], a.next'):
        remarks.append("it has a next page, which is not read: list that page under events_pages too")
    return remarks
