"""Writes ``docs/dags.md`` from the runbooks of the DAG files: ``.venv/bin/python -m tests.dags.runbooks``.

The files are read, not run: no Airflow is needed.
"""

import ast
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parents[2]
PAGE = _CHECKOUT / "docs" / "dags.md"
_INTRODUCTION = """# DAGs and their runbooks

Written from the files in `dags/` by `.venv/bin/python -m tests.dags.runbooks`: change the runbook there. Airflow shows
the same text on the page of each DAG. Those of intake and reminders wake on an asset and every five minutes besides,
`sync_calendar` every morning. All belong to `enrollment-operations`.

When you trigger one by hand, its form offers *Dry run* (do everything, keep nothing, send nothing, count what would go
out) and *As of* (take another instant for now; one still to come is for dry runs only).
"""


def runbooks(folder: Path = _CHECKOUT / "dags") -> str:
    """The whole page, by name of the DAG."""
    sections = [_section(file) for file in sorted(folder.glob("*.py"))]
    return "\n".join([_INTRODUCTION, *sections])


def _section(file: Path) -> str:
    tree = ast.parse(file.read_text("utf-8"))
    title, _, runbook = (ast.get_docstring(tree) or "").partition("\n")
    (wiring,) = (node for node in tree.body if isinstance(node, ast.FunctionDef))
    tasks = (ast.get_docstring(wiring) or "").rstrip(".").lower()
    return f"## {file.stem}\n\n*{title.removeprefix('# ')}.* Tasks: {tasks}.\n\n{runbook.strip()}\n"


if __name__ == "__main__":
    PAGE.write_text(runbooks(), "utf-8")
