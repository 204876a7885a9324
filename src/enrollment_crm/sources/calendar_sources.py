"""Where a program's calendar is stated: the block ``calendar_sources`` of ``config/programs/*.yml``."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator

from enrollment_crm.domain.programs import CalendarSources


def _web_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or any(char.isspace() for char in text):
        raise ValueError(f"{text!r} is no web address: write one that begins with https://")
    _ = parts.port  # raises where it is no number
    return text


def _expression(text: str) -> str:
    try:
        matches_all = re.compile(text).search("") is not None
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from error
    if matches_all:
        raise ValueError(f"{text!r} fits every title: write words that only prep sessions have in theirs")
    return text


_WebAddress = Annotated[str, AfterValidator(_web_address)]


class CalendarSourcesEntry(BaseModel):
    """The block ``calendar_sources`` of a program's file; without it nothing is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    program_page: _WebAddress | None = None
    events_pages: tuple[_WebAddress, ...] = ()
    calendar_feeds: tuple[_WebAddress, ...] = ()
    session_title: Annotated[str, AfterValidator(_expression)] = CalendarSources.session_title

    @model_validator(mode="after")
    def _named_once(self) -> "CalendarSourcesEntry":
        named = [*([self.program_page] if self.program_page else []), *self.events_pages, *self.calendar_feeds]
        twice = sorted({url for url in named if named.count(url) > 1})
        if twice:
            raise ValueError(f"{twice[0]} is named twice: one address is read for one thing")
        return self

    def sources(self) -> CalendarSources:
        """The block as the domain knows it."""
        return CalendarSources(self.program_page, self.events_pages, self.calendar_feeds, self.session_title)
