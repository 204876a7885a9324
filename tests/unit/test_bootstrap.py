"""Configuration is read once, and again when a file of it has changed."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from enrollment_crm.bootstrap import NoDatabaseError, clock_of, engine_of, programs_of, templates_of
from enrollment_crm.settings import CHECKOUT, Settings
from enrollment_crm.sources.programs import ProgramConfigurationError


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings over a copy of the configuration that a test may edit."""
    for name in ("config", "templates"):
        shutil.copytree(CHECKOUT / name, tmp_path / name)
    return Settings(home_directory=tmp_path)


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
