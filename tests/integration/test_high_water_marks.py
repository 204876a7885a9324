"""High-water marks: a source is asked from an overlap before the last change that was committed."""

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError
from tests.integration.pulled_sources import UNPAGED, feed_of, source_of
from tests.integration.scripted_server import rows, scripted_server
from typer.testing import CliRunner

from enrollment_crm.cli import app
from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.settings import CHECKOUT
from enrollment_crm.sources.feed_errors import FeedUnreachableError
from enrollment_crm.sources.feeds import Delivery, Feed, Pickup
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.high_water_marks import high_water_mark_of, high_water_marks, raise_high_water_mark
from enrollment_crm.workflows.high_water_marks import read_again
from enrollment_crm.workflows.inbox import Collected, collect

NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)
DAY = timedelta(days=1)


def row(number: int, changed: datetime | str | None) -> dict[str, Any]:
    said = changed.isoformat() if isinstance(changed, datetime) else changed
    return {"aid": str(number), "Updated": said}


def mark(engine: Engine) -> datetime | None:
    with transaction(engine) as connection:
        return high_water_mark_of(connection, "pulled")


class Org:
    """A source that gives what it is told, and remembers since when it was asked."""

    def __init__(self, *given: Iterable[Mapping[str, Any]]) -> None:
        self.given, self.asked = list(given), list[datetime | None]()

    def feed(self, changed_at: Callable[[Mapping[str, Any]], datetime | None], overlap: timedelta = 3 * DAY) -> Feed:
        def read_since(since: datetime | None) -> Iterable[Mapping[str, Any]]:
            self.asked.append(since)
            return self.given.pop(0)

        pickup = Pickup(read_since, changed_at, overlap)
        delivery = Delivery(list, keep=lambda: None, pickup=pickup)
        return Feed("pulled", RecordKind.APPLICATION, lambda: [delivery])


@pytest.fixture
def changed_at(tmp_path: Path) -> Callable[[Mapping[str, Any]], datetime | None]:
    return source_of(tmp_path, UNPAGED).changed_at


def test_the_next_pull_begins_an_overlap_before_the_mark_and_known_rows_are_counted(
    engine: Engine, changed_at: Callable[[Mapping[str, Any]], datetime | None]
) -> None:
    first = [row(1, NOW - 9 * DAY), row(2, NOW - 2 * DAY), row(3, NOW - 5 * DAY)]
    org = Org(first, [first[1], row(4, NOW - DAY)], [])
    feed = org.feed(changed_at)
    assert collect(engine, [feed], now=NOW) == Collected(new=3)
    assert mark(engine) == NOW - 2 * DAY
    assert collect(engine, [feed], now=NOW) == Collected(new=1, known=1)
    assert collect(engine, [feed], now=NOW) == Collected()
    assert org.asked == [None, NOW - 5 * DAY, NOW - 4 * DAY]
    assert mark(engine) == NOW - DAY


def test_a_row_from_the_future_hides_nothing(
    engine: Engine, changed_at: Callable[[Mapping[str, Any]], datetime | None]
) -> None:
    org = Org([row(1, NOW - DAY), row(2, NOW + 900 * DAY), row(3, "soon"), row(4, None)])
    assert collect(engine, [org.feed(changed_at)], now=NOW) == Collected(new=4)
    assert mark(engine) == NOW - DAY


def test_the_mark_stays_where_a_delivery_breaks_off(
    engine: Engine, changed_at: Callable[[Mapping[str, Any]], datetime | None]
) -> None:
    def half() -> Iterable[Mapping[str, Any]]:
        yield row(1, NOW - DAY)
        raise FeedUnreachableError("It broke off.")

    with pytest.raises(FeedUnreachableError):
        collect(engine, [Org(half()).feed(changed_at)], now=NOW)
    assert mark(engine) is None


def test_the_mark_stays_where_the_rows_cannot_be_committed(
    engine: Engine, changed_at: Callable[[Mapping[str, Any]], datetime | None]
) -> None:
    """A trigger refuses at the commit, after everything else has succeeded."""
    refuse = """
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
        CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON inbox DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION refuse()
    """
    with engine.begin() as connection:
        connection.execute(text(refuse))
    try:
        with pytest.raises(SQLAlchemyError):
            collect(engine, [Org([row(1, NOW - DAY)]).feed(changed_at)], now=NOW)
    finally:
        with engine.begin() as connection:
            connection.execute(text("DROP FUNCTION refuse CASCADE"))
    assert mark(engine) is None


def test_a_dry_run_moves_nothing(engine: Engine, changed_at: Callable[[Mapping[str, Any]], datetime | None]) -> None:
    feed = Org([row(1, NOW - DAY)]).feed(changed_at)
    assert collect(engine, [feed], now=NOW, dry_run=True) == Collected(new=1)
    assert mark(engine) is None


def test_a_mark_never_goes_back(engine: Engine) -> None:
    with transaction(engine) as connection:
        raise_high_water_mark(connection, "pulled", NOW, at=NOW)
        raise_high_water_mark(connection, "pulled", NOW - DAY, at=NOW)
        raise_high_water_mark(connection, "other", NOW - DAY, at=NOW)
        assert high_water_marks(connection) == {"pulled": NOW, "other": NOW - DAY}


def test_slate_is_asked_on_its_own_clock(engine: Engine, tmp_path: Path) -> None:
    """15:00 in London is 10:00 in New York, where this Slate writes its times."""
    with scripted_server([rows(row(1, "2026-11-20T10:00:00")), rows()]) as server:
        for _ in range(2):
            collect(engine, [feed_of(tmp_path, server.url)], now=NOW)
    asked = [parse_qs(urlsplit(one.split()[1]).query).get("updated_since") for one in server.requests]
    assert asked == [None, ["2026-11-17T10:00:00"]]
    assert mark(engine) == datetime(2026, 11, 20, 15, tzinfo=UTC)


def test_staff_let_a_source_be_asked_for_everything_again(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(CHECKOUT / "config", tmp_path / "config")
    monkeypatch.setenv("CRM_HOME_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("CRM_DATABASE_URL", engine.url.render_as_string(hide_password=False))
    changed_at = source_of(tmp_path / "config" / "sources", UNPAGED).changed_at
    old, new = row(1, NOW - 9 * DAY), row(2, NOW - DAY)
    org = Org([new], [old, new], [])
    assert collect(engine, [org.feed(changed_at)], now=NOW) == Collected(new=1)
    for words, told in (
        (["--source", "pulled", "--since", "2026-11-20T00:00:00Z"], "since 20 November 2026, 00:00 UTC"),
        (["--source", "pulled"], "since 01 January 1970"),
        (["--source", "pulled"], "was not read so far"),
    ):
        assert told in CliRunner().invoke(app, ["sources", "reread", *words]).stdout
    assert CliRunner().invoke(app, ["sources", "reread", "--source", "webadmit"]).exit_code == 2
    assert collect(engine, [org.feed(changed_at)], now=NOW) == Collected(new=1, known=1)
    assert org.asked == [None, datetime(1970, 1, 1, tzinfo=UTC) - 3 * DAY]
    assert mark(engine) == NOW - DAY


def test_a_pull_that_is_under_way_takes_nothing_back(
    engine: Engine, changed_at: Callable[[Mapping[str, Any]], datetime | None]
) -> None:
    def lowered_meanwhile() -> Iterator[Mapping[str, Any]]:
        assert read_again(engine, "pulled", since=NOW - 90 * DAY, now=NOW)
        yield row(2, NOW - DAY)

    org = Org([row(1, NOW - 2 * DAY)], lowered_meanwhile())
    for _ in range(2):
        collect(engine, [org.feed(changed_at)], now=NOW)
    assert mark(engine) == NOW - 90 * DAY
