"""Saved pages with the structure of the real ones; tests break them by editing."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from enrollment_crm.sources.web_documents import WebDocument
from enrollment_crm.sources.web_pages import WebPage, parse_page

PROGRAM_URL = "https://crm.example/programs/ms-x/"
EVENTS_URL = "https://crm.example/events/"
#: A day before all sessions of the pages.
NOW = datetime(2025, 11, 1, 12, tzinfo=UTC)
TITLE = re.compile("graduate application prep session", re.IGNORECASE)


def html(name: str) -> str:
    """A saved page: ``program-page`` or ``events-page``."""
    return (Path(__file__).parent / "pages" / f"{name}.html").read_text("utf-8")


def page_of(text: str, url: str = PROGRAM_URL) -> WebPage:
    """The text as a page that was fetched."""
    return parse_page(WebDocument(url, text.encode(), "utf-8"))


def replaced(old: str, new: str) -> Callable[[str], str]:
    """An edit that is sure to hit: what is not there cannot be replaced."""

    def edit(text: str) -> str:
        assert old in text, f"the page has no {old!r}"
        return text.replace(old, new)

    return edit
