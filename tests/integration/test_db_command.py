"""`enrollment-crm db upgrade` on a database of its own: what it says it added is what is there."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from enrollment_crm.cli.db import app


def test_an_upgrade_counts_what_it_adds_and_adds_it_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_STATE_DIRECTORY", str(tmp_path))
    monkeypatch.delenv("CRM_DATABASE_URL", raising=False)
    first, second = (json.loads(CliRunner().invoke(app, ["upgrade", "--json"]).stdout) for _ in range(2))
    assert first["deadlines_added"] > 0
    assert (second["deadlines_added"], second["prep_sessions_added"]) == (0, 0)
    assert first["revision"] == second["revision"]
