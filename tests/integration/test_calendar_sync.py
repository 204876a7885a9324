"""The calendar beside its pages, on a real database and over HTTP: reviews once each, and the commands."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from pytest_httpserver import HTTPServer
from sqlalchemy import Engine, text
from tests.factories import PROGRAM
from tests.unit.sources.saved_pages import NOW, html
from typer.testing import CliRunner, Result

from enrollment_crm.bootstrap import outbox_of, programs_of
from enrollment_crm.cli import app
from enrollment_crm.domain.calendar_plans import StalePlanError
from enrollment_crm.settings import CHECKOUT, Settings
from enrollment_crm.workflows.calendar_sync import (
    CalendarCompared,
    apply_approved,
    compare_calendars,
    compared_in_words,
    decide_review,
    list_reviews,
    read_calendars,
    readings_from_json,
    readings_to_json,
)
from enrollment_crm.workflows.deadlines import load_calendar
from enrollment_crm.workflows.outbox import Outbox

PAGES = {"/program/": html("program-page"), "/events/": html("events-page")}
DAY = timedelta(days=1)
NINE = "graduate-application-prep-sessions-9"


def move(text: str) -> str:
    return text.replace("June&nbsp;1", "June 15")


def doubt(text: str) -> str:
    """The third session gets a date that could be of another year (R12)."""
    return text.replace("Dec</span>", "Sep</span>", 1)


@pytest.fixture
def site() -> Iterator[HTTPServer]:
    with HTTPServer(threaded=True) as server:
        yield server


def serve(site: HTTPServer, *edits: Any, status: int = 200) -> None:
    site.clear()
    for path, page in PAGES.items():
        for edit in edits:
            page = edit(page)  # noqa: PLW2901
        site.expect_request(path).respond_with_data(page, status, content_type="text/html")


@pytest.fixture
def outbox(engine: Engine, site: HTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Outbox]:
    """A pipeline whose program names the test's own pages, and that knows all of their sessions."""
    for shared in ("templates", "expectations"):
        (tmp_path / shared).symlink_to(CHECKOUT / shared)
    (tmp_path / "config" / "programs").mkdir(parents=True)
    for shared in ("sources", "countries.yml", "country-zones.yml"):
        (tmp_path / "config" / shared).symlink_to(CHECKOUT / "config" / shared)
    configured = yaml.safe_load((CHECKOUT / "config" / "programs" / f"{PROGRAM}.yml").read_text("utf-8"))
    sources = {"program_page": site.url_for("/program/"), "events_pages": [site.url_for("/events/")]}
    configured["calendar_sources"] |= sources
    (tmp_path / "config" / "programs" / f"{PROGRAM}.yml").write_text(yaml.safe_dump(configured), "utf-8")
    monkeypatch.setenv("CRM_HOME_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("CRM_DATABASE_URL", engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("CRM_AS_OF", NOW.isoformat())
    settings = Settings()
    load_calendar(engine, programs_of(settings), now=datetime(2025, 1, 1, tzinfo=UTC))
    outbox = outbox_of(settings, engine)
    serve(site)
    apply_approved(engine, outbox.cadences, compared(outbox).plan, by="Ana", why="the first reading", now=NOW)
    yield outbox
    outbox.transport.close()


def compared(outbox: Outbox, *, now: datetime = NOW, dry_run: bool = False) -> CalendarCompared:
    read = read_calendars(outbox.engine, outbox.programs, now=now, timeout_in_seconds=5)
    assert readings_from_json(readings_to_json(read)) == read
    return compare_calendars(outbox.engine, outbox, read, now=now, dry_run=dry_run)


def waiting(outbox: Outbox) -> list[tuple[str, str]]:
    return [(one.about, one.listing) for one in list_reviews(outbox.engine)]


def test_what_was_applied_differs_no_more(outbox: Outbox) -> None:
    again = compared(outbox)
    assert again.plan.is_empty
    assert set(again.counts().values()) == {0}
    assert compared_in_words(again) == "Nothing would change: the calendar in force says the same."


def test_a_plan_is_applied_once_and_asking_again_is_no_error(outbox: Outbox, site: HTTPServer) -> None:
    serve(site, move)
    plan = compared(outbox).plan
    first = apply_approved(outbox.engine, outbox.cadences, plan, by="Ana", why="the page", now=NOW)
    again = apply_approved(outbox.engine, outbox.cadences, plan, by="Ben", why="twice", now=NOW + DAY)
    assert (first, again.applied_by, len(first.changes)) == (again, "Ana", 3)


def test_a_plan_for_another_calendar_is_refused(outbox: Outbox, site: HTTPServer) -> None:
    serve(site, move)
    plan = compared(outbox).plan
    apply_approved(outbox.engine, outbox.cadences, plan, by="Ana", why="the page", now=NOW)
    with pytest.raises(StalePlanError, match="has changed since this plan was made"):
        apply_approved(outbox.engine, outbox.cadences, replace(plan, source="x"), by="Ana", why="so", now=NOW)


def test_what_only_a_person_can_decide_is_asked_once(outbox: Outbox, site: HTTPServer) -> None:
    serve(site, doubt)
    first = compared(outbox)
    assert (first.opened, first.plan.is_empty) == (1, True)
    (review,) = list_reviews(outbox.engine)
    assert (review.about, review.listing, review.opened_at) == ("listing_year", NINE, NOW)
    assert f"{PROGRAM}, {NINE} (listing year): " in compared_in_words(first)
    later = compared(outbox, now=NOW + DAY)
    assert (later.opened, later.closed) == (0, 0)
    assert [(one.id, one.opened_at) for one in later.waiting] == [(review.id, NOW)]


def test_a_dry_run_asks_nobody(outbox: Outbox, site: HTTPServer) -> None:
    serve(site, doubt)
    assert compared(outbox, dry_run=True).opened == 1
    assert waiting(outbox) == []


def test_what_no_source_says_any_more_is_closed_and_opens_again_if_one_does(outbox: Outbox, site: HTTPServer) -> None:
    serve(site, doubt)
    compared(outbox)
    serve(site)
    assert compared(outbox, now=NOW + DAY).closed == 1
    assert waiting(outbox) == []
    serve(site, doubt)
    assert compared(outbox, now=NOW + 2 * DAY).opened == 1
    assert waiting(outbox) == [("listing_year", NINE)]


def test_a_page_that_was_not_read_closes_nothing(outbox: Outbox, site: HTTPServer) -> None:
    serve(site, doubt)
    compared(outbox)
    serve(site, status=404)
    missed = compared(outbox)
    assert (missed.closed, len(missed.problems)) == (0, 3)
    assert waiting(outbox) == [("listing_year", NINE)]
    assert "Not read, and so not changed:" in compared_in_words(missed)


def test_what_a_person_decided_is_not_asked_again_while_it_is_listed(outbox: Outbox, site: HTTPServer) -> None:
    serve(site, doubt)
    compared(outbox)
    (review,) = list_reviews(outbox.engine)
    assert decide_review(outbox.engine, review.id, by="Ana", decision="a mistake of the page", now=NOW)
    assert not decide_review(outbox.engine, review.id, by="Ben", decision="late", now=NOW)
    assert compared(outbox, now=NOW + DAY).waiting == ()
    serve(site)
    assert compared(outbox, now=NOW + 2 * DAY).closed == 0
    with outbox.engine.connect() as connection:
        row = connection.execute(text("SELECT closed_by, decision, closed_at, gone_at FROM calendar_review")).one()
    assert tuple(row) == ("Ana", "a mistake of the page", NOW, NOW + 2 * DAY)


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["calendar", *words])


def test_the_command_says_what_differs_and_changes_nothing(outbox: Outbox, site: HTTPServer) -> None:
    serve(site, move, doubt)
    said = run("sync")
    assert said.exit_code == 0, said.output
    assert "Mon 2026-06-01 moves to Mon 2026-06-15, 14 days later" in said.output
    found = json.loads(run("sync", "--json").stdout)
    assert (found["deadlines"], found["sessions"], found["applied"]) == (3, 0, [])
    assert [one["listing"] for one in found["reviews"]] == [NINE]
    assert waiting(outbox) == []


def test_the_command_applies_what_is_confirmed(outbox: Outbox, site: HTTPServer) -> None:
    serve(site, move)
    words = ("sync", "--apply", "--by", "Ana", "--why", "the page says so")
    assert CliRunner().invoke(app, ["calendar", *words], input="n\n").exit_code == 1
    assert not compared(outbox, dry_run=True).plan.is_empty
    done = run(*words, "--yes", "--json")
    assert (done.exit_code, len(json.loads(done.stdout)["applied"])) == (0, 3)
    assert compared(outbox, dry_run=True).plan.is_empty
    assert run("sync", "--apply").exit_code == 2


def test_the_command_ends_with_one_where_a_page_was_not_read(outbox: Outbox, site: HTTPServer) -> None:
    serve(site, move, status=404)
    missed = run("sync")
    assert missed.exit_code == 1
    assert "answers 404" in missed.output


def test_the_command_lists_reviews_and_closes_them(outbox: Outbox, site: HTTPServer) -> None:
    serve(site, doubt)
    compared(outbox)
    (review,) = json.loads(run("reviews", "--json").stdout)
    assert review["listing"] == NINE
    assert run("reviews", "--decide", str(review["id"])).exit_code == 2
    decided = ("reviews", "--decide", str(review["id"]), "--by", "Ana", "--why", "the page is wrong", "--json")
    assert json.loads(run(*decided).stdout) == []
    assert run(*decided).exit_code == 1
