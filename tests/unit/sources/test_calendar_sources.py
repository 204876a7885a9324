"""The block ``calendar_sources`` of a program's file, and what it must not say."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from enrollment_crm.domain.programs import CalendarSources
from enrollment_crm.sources.programs import ProgramConfigurationError, read_programs

SHIPPED = Path(__file__).parents[3] / "config" / "programs" / "ms-advanced-intelligent-manufacturing.yml"
TITLE = "prep (hour|class)"
PAGE, EVENTS, FEED = "https://crm.example/p/", "https://crm.example/events/", "http://crm.example/x.ics"


def read(directory: Path, block: Any) -> CalendarSources:
    content = yaml.safe_load(SHIPPED.read_text("utf-8"))
    del content["calendar_sources"]
    if block is not None:
        content["calendar_sources"] = block
    (directory / "ms-x.yml").write_text(yaml.safe_dump(content), "utf-8")
    return read_programs(directory)["ms-x"].calendar_sources


def test_without_the_block_nothing_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, None) == CalendarSources(None, (), ())
    assert read(tmp_path, {}) == CalendarSources()


def test_the_whole_block(tmp_path: Path) -> None:
    block = {
        "program_page": PAGE,
        "events_pages": [EVENTS],
        "calendar_feeds": [FEED],
        "session_title": "prep (hour|class)",
    }
    assert read(tmp_path, block) == CalendarSources(PAGE, (EVENTS,), (FEED,), TITLE)


def test_the_shipped_program_knows_its_page_and_its_sessions() -> None:
    program = read_programs(SHIPPED.parent)[SHIPPED.stem]
    sources = program.calendar_sources
    assert (sources.program_page, sources.events_pages) == (program.url, ("https://graduate.northeastern.edu/events/",))
    assert all(re.search(sources.session_title, one.title, re.IGNORECASE) for one in program.prep_sessions)


@pytest.mark.parametrize(
    ("block", "sentence"),
    [
        ({"program_page": "crm.example"}, "'crm.example' is no web address: write one that begins with https://"),
        (
            {"events_pages": ["ftp://crm.example/"]},
            "calendar_sources.events_pages.0: Value error, 'ftp://crm.example/'",
        ),
        ({"calendar_feeds": ["webcal://crm.example/x"]}, "is no web address"),
        ({"calendar_feeds": ["https://crm.example:x/"]}, "calendar_sources.calendar_feeds.0"),
        ({"calendar_feeds": ["https://[crm/"]}, "calendar_sources.calendar_feeds.0"),
        ({"program_page": "https://crm.example/a b"}, "is no web address"),
        ({"events_pages": EVENTS}, "calendar_sources.events_pages: Input should be a valid tuple"),
        ({"session_title": "prep ("}, "'prep (' is no regular expression"),
        ({"session_title": ""}, "'' fits every title: write words that only prep sessions have in theirs"),
        ({"session_title": "(prep)?"}, "fits every title"),
        ({"program_page": PAGE, "events_pages": [PAGE]}, f"{PAGE} is named twice: one address is read for one thing"),
        ({"pages": []}, "calendar_sources.pages: Extra inputs are not permitted"),
    ],
)
def test_what_cannot_be_is_said_in_words(tmp_path: Path, block: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ProgramConfigurationError, match=re.escape(sentence)):
        read(tmp_path, block)
