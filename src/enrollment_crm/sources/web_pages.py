"""Web pages as text and elements: what was fetched is a whole page, and a section that is missing is missed aloud."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from bs4 import BeautifulSoup, Tag, UnicodeDammit

from enrollment_crm.sources.feed_errors import FeedUnreadableError
from enrollment_crm.sources.listed_words import in_one_line
from enrollment_crm.sources.web_documents import WebDocument, fetch_document, place

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_KINDS = ("text/html", "application/xhtml+xml")
_ERROR_TITLE = re.compile(
    r"\b(40[0-9]|50[0-9]|not found|access denied|forbidden|unavailable|maintenance|just a moment|error)\b",
    re.IGNORECASE,
)
_LOGIN_TITLE = re.compile(r"\b(log ?-?in|sign ?-?in|single sign-?on)\b", re.IGNORECASE)


@dataclass(frozen=True)
class WebPage:
    """A page that arrived whole."""

    url: str
    root: BeautifulSoup

    @property
    def place(self) -> str:
        """Its address for words."""
        return place(self.url)

    def unreadable(self, looked_for: str, todo: str) -> FeedUnreadableError:
        """The error for something that the page does not say, or not as expected."""
        return FeedUnreadableError(f"{self.place}: {looked_for}{self._impression()}. {todo}")

    def _impression(self) -> str:
        """What the page seems to be instead, to be said beside what is missing."""
        title = text_of(self.root.title)[:80] if self.root.title else ""
        if _LOGIN_TITLE.search(title) or self.root.select_one("input[type=password]"):
            return f"; what came looks like a login page ({title!r})"
        if _ERROR_TITLE.search(title):
            return f"; what came looks like an error page ({title!r})"
        return ""


def fetch_page(url: str, *, timeout_in_seconds: float) -> WebPage:
    """The page at this address.

    Raises:
        FeedError: it cannot be fetched, or is no whole page.
    """
    return parse_page(fetch_document(url, kinds=_KINDS, timeout_in_seconds=timeout_in_seconds))


def parse_page(document: WebDocument) -> WebPage:
    """The document as a page.

    Raises:
        FeedUnreadableError: it is empty, no HTML, or breaks off before its end.
    """
    text = UnicodeDammit(document.content, [document.charset] if document.charset else [], is_html=True).unicode_markup
    if not text or not text.strip():
        raise FeedUnreadableError(f"{place(document.url)} is empty: open it in a browser.")
    if not re.search(r"<(!doctype\s+html|html)\b", text[:4096], re.IGNORECASE):
        raise FeedUnreadableError(f"{place(document.url)} is no web page: check the address in calendar_sources.")
    if not re.search(r"</html\s*>", text, re.IGNORECASE):
        raise FeedUnreadableError(
            f"{place(document.url)} breaks off: no </html> at its end, so what follows is not known. "
            "It is read again by the next run."
        )
    return WebPage(document.url, BeautifulSoup(text, "lxml"))


def text_of(tag: Tag) -> str:
    """All that is read there, in one line."""
    return in_one_line(tag.get_text(" "))


def last_part(url: str) -> str:
    """The last part of the path of an address, by which the site names what it shows there; empty for its root."""
    return urlsplit(url).path.rstrip("/").rpartition("/")[2]
