"""docs/dags.md says what the DAG files say."""

from pathlib import Path

import pytest
from tests.dags.conftest import DAGS
from tests.dags.runbooks import PAGE, runbooks
from tests.dags.test_dags import LISTED


def test_the_page_is_current() -> None:
    assert PAGE.read_text("utf-8") == runbooks(), "write it again: .venv/bin/python -m tests.dags.runbooks"


@pytest.mark.parametrize("dag_id", LISTED)
def test_every_dag_has_its_section(dag_id: str) -> None:
    section = runbooks().partition(f"\n## {dag_id}\n")[2].partition("\n## ")[0]
    for part in ("**What it does.**", "**When it is red.**", "**Safe to clear?**", "Tasks: "):
        assert part in section


def test_a_changed_runbook_changes_the_page(tmp_path: Path) -> None:
    text = (DAGS / "send_reminders.py").read_text("utf-8")
    (tmp_path / "send_reminders.py").write_text(text.replace("Safe to clear?", "Safe to clear, then?"), "utf-8")
    assert "**Safe to clear, then?**" in runbooks(tmp_path)
