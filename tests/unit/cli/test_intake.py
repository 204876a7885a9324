"""`enrollment-crm intake`: what it says about its own options."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from enrollment_crm.cli import app


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str]:
    """Exit code and output, without the frames and line breaks of a terminal."""
    monkeypatch.setenv("TERMINAL_WIDTH", "200")
    result = CliRunner().invoke(app, ["intake", *arguments])
    return result.exit_code, " ".join(result.output.replace("│", " ").split())


def test_a_source_without_a_file_is_misuse(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CRM_STATE_DIRECTORY", str(tmp_path))
    code, output = run(monkeypatch, "--source", "slate")
    assert code == 2
    assert "Invalid value for --source: it says how to read a --file: name one" in output
    assert not list(tmp_path.iterdir())  # no database was started for it


def test_help_says_what_a_dry_run_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    code, output = run(monkeypatch, "--help")
    assert code == 0
    assert "judge what already waits in the inbox, and only count what the sources would deliver" in output
