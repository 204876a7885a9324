"""The settings of a demonstration: what somebody has set, over what it needs."""

from pathlib import Path

import pytest

from enrollment_crm.cli.demo import demonstration_settings
from enrollment_crm.settings import CHECKOUT, Settings


@pytest.fixture(autouse=True)
def no_variables_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test sees the variables that it sets, whatever the developer's shell exports."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"CRM_{name.upper()}", raising=False)


@pytest.mark.parametrize(("as_of", "folder"), [("2026-11-24T10:00:00-05:00", "demo"), ("now", "demo-now")])
def test_each_clock_has_its_own_folder(as_of: str, folder: str) -> None:
    settings = demonstration_settings(as_of)
    assert settings.state_directory == CHECKOUT / "build" / folder
    assert settings.drop_directory == CHECKOUT / "build" / folder / "drop"


def test_a_folder_of_ones_own_holds_the_dropped_files_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CRM_STATE_DIRECTORY", str(tmp_path))
    settings = demonstration_settings("now")
    assert settings.state_directory == tmp_path
    assert settings.drop_directory == tmp_path / "drop"


def test_ports_are_fixed_by_the_same_variables_as_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_PUBLIC_PORT", "8000")
    monkeypatch.setenv("CRM_AIRFLOW_PORT", "8080")
    settings = demonstration_settings("now")
    assert (settings.public_port, settings.airflow_port) == (8000, 8080)
