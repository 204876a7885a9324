"""Configuration is read once, and again when a file of it has changed."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from enrollment_crm.bootstrap import (
    NoDatabaseError,
    clock_of,
    engine_of,
    feed_watch_of,
    programs_of,
    rehearsal_parts_of,
    templates_of,
)
from enrollment_crm.domain.freshness import NOTHING_WATCHED, WatchedSource
from enrollment_crm.domain.scenarios import Scenario
from enrollment_crm.settings import CHECKOUT, Settings
from enrollment_crm.sources.programs import ProgramConfigurationError
from enrollment_crm.storage.engine import connect


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings over a copy of the configuration that a test may edit."""
    for name in ("config", "templates"):
        shutil.copytree(CHECKOUT / name, tmp_path / name)
    return Settings(home_directory=tmp_path, state_directory=tmp_path)


def test_an_unchanged_folder_is_read_once(settings: Settings) -> None:
    assert templates_of(settings) is templates_of(settings)


def test_an_edit_is_seen_at_once(settings: Settings) -> None:
    before = templates_of(settings)
    subject = settings.home_directory / "templates" / "email" / "welcome" / "subject.txt"
    subject.write_text(subject.read_text("utf-8").strip() + " - edited\n", "utf-8")

    assert templates_of(settings).template("welcome").version != before.template("welcome").version


def test_an_unknown_default_program_is_named_with_the_known_ones(settings: Settings) -> None:
    wrong = settings.model_copy(update={"default_program": "ms-underwater-basketry"})

    with pytest.raises(
        ProgramConfigurationError, match=r"ms-underwater-basketry.*ms-advanced-intelligent-manufacturing"
    ):
        programs_of(wrong)


def test_the_clock_stands_still_where_the_settings_stop_it() -> None:
    instant = datetime(2026, 11, 24, 15, tzinfo=UTC)

    assert clock_of(Settings(as_of=instant))() == instant
    assert clock_of(Settings(as_of=None))().utcoffset() is not None


def test_without_a_database_the_error_says_what_to_set() -> None:
    with pytest.raises(NoDatabaseError, match="CRM_DATABASE_URL"):
        engine_of(Settings())


NOON = datetime(2026, 11, 24, 17, tzinfo=UTC)
A_DAY = timedelta(hours=24)


def test_without_a_feed_no_source_is_set_up(settings: Settings) -> None:
    watch = feed_watch_of(settings.model_copy(update={"as_of": NOON}))
    assert watch.judged_at == NOON
    assert {one.source: one.is_set_up for one in watch.sources} == {"slate": False, "webadmit": False}


def test_a_slate_query_is_watched(settings: Settings) -> None:
    watch = feed_watch_of(settings.model_copy(update={"slate_query_url": "https://slate.example/q"}))
    assert WatchedSource("slate", A_DAY) in watch.sources


def test_files_are_dropped_beside_the_state_where_nobody_says_where(tmp_path: Path) -> None:
    assert Settings(state_directory=tmp_path).drop_directory == tmp_path / "drop"
    assert Settings(state_directory=tmp_path, drop_directory=tmp_path / "in").drop_directory == tmp_path / "in"


def test_a_dropped_export_is_watched_once_its_folder_is_there(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "drop" / "webadmit").mkdir(parents=True)
    (tmp_path / "drop" / "signups_csv").mkdir()
    watch = feed_watch_of(settings.model_copy(update={"drop_directory": tmp_path / "drop"}))
    assert {one.source: one.is_set_up for one in watch.sources} == {"slate": False, "webadmit": True}


def test_a_source_that_comes_two_ways_is_set_up_by_either(settings: Settings, tmp_path: Path) -> None:
    both = {"drop_directory": tmp_path / "drop", "slate_query_url": "https://slate.example/q"}
    watch = feed_watch_of(settings.model_copy(update=both))
    assert {one.source: one.is_set_up for one in watch.sources} == {"slate": True, "webadmit": False}


def test_a_source_that_is_not_watched_is_not(settings: Settings) -> None:
    slate = settings.home_directory / "config" / "sources" / "slate.yml"
    content = slate.read_text("utf-8").replace("freshness_budget_in_hours: 24", "freshness: not_watched")
    slate.write_text(content, "utf-8")
    watch = feed_watch_of(settings.model_copy(update={"slate_query_url": "https://slate.example/q"}))
    assert [one.source for one in watch.sources] == ["webadmit"]


def test_a_rehearsal_watches_no_feed(settings: Settings) -> None:
    shutil.copytree(CHECKOUT / "expectations", settings.home_directory / "expectations")
    with_slate = settings.model_copy(update={"slate_query_url": "https://slate.example/q"})
    scenario = Scenario("one", start=NOON, end=NOON + A_DAY, config={}, facts=())
    parts = rehearsal_parts_of(with_slate, connect("postgresql://nobody@localhost/none"), scenario)
    assert parts.outbox.freshness == NOTHING_WATCHED
