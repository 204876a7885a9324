"""`enrollment-crm intake`: what cannot be read is named, and all others are taken in."""

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from enrollment_crm.cli import app

LONG_AGO = 1_700_000_000


def test_files_that_are_none_keep_nobody_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_STATE_DIRECTORY", str(tmp_path / "state"))
    monkeypatch.setenv("CRM_DROP_DIRECTORY", str(tmp_path / "drop"))
    for name in ("CRM_DATABASE_URL", "CRM_SLATE_QUERY_URL"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "drop" / "signups_csv"
    folder.mkdir(parents=True)
    (folder / "a-page.csv").write_text("<html>log in</html>")
    (folder / "b-people.csv").write_text("Email,Email Consent\nana@example.edu,yes\nben@example.edu,no\n")
    (folder / "c-broken.json").write_text('[{"Email":')
    for file in folder.iterdir():
        os.utime(file, (LONG_AGO, LONG_AGO))
    result = CliRunner().invoke(app, ["intake", "--json"])
    counts = json.loads(result.stdout)
    assert result.exit_code == 1
    assert counts["collect signups"] == {"new": 2, "known": 0}
    assert counts["load signups"]["loaded"] == 1
    assert "a-page.csv is a web page" in result.stderr
    assert "c-broken.json is no JSON" in result.stderr
    assert sorted(one.name for one in folder.iterdir()) == ["a-page.csv", "c-broken.json", "done"]
