"""The golden calendar: what a made-up cohort gets over a cycle, as a page that a person reads.

``python -m tests.rehearsal.golden_calendar`` writes it anew after a change of rules; the diff is for the review.
"""

from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from enrollment_crm.cli.database import crm_database
from enrollment_crm.cli.rehearsal_table import calendar_rows
from enrollment_crm.cli.rehearsal_worker import stage_on
from enrollment_crm.settings import CHECKOUT, Settings

COHORT = Path(__file__).parent / "golden" / "cohort.json"
PAGE = CHECKOUT / "docs" / "golden-calendar.md"

_HEAD = """# The golden calendar

What the people of [a made-up cohort](../tests/rehearsal/golden/cohort.json) get between October 2026 and August 2027,
by `enrollment-crm rehearse`. In brackets stands what was withheld. A change of rules shows here as a diff. After one,
write the page anew with `.venv/bin/python -m tests.rehearsal.golden_calendar`, and read what changed.
"""


def page_of(result: Mapping[str, Any]) -> str:
    """The calendar as Markdown: a table a month."""
    parts = [_HEAD]
    for month, rows in groupby(calendar_rows(result), key=lambda row: row[0][:7]):
        parts.append(f"\n## {month}\n\n| when (UTC) | who | what | about |\n|---|---|---|---|\n")
        parts += [f"| {_row(row)} |\n" for row in rows]
    return "".join(parts)


def _row(row: tuple[str, ...]) -> str:
    when, who, what, about = row
    return " | ".join([when[8:16].replace("T", " "), who.partition("@")[0], what, about.replace("\n", "<br>")])


def main() -> None:
    """Write the page."""
    with (
        crm_database(Settings(), upgrade=False) as engine,
        stage_on(engine.url.render_as_string(hide_password=False)) as stage,
    ):
        PAGE.write_text(page_of(stage.perform(COHORT)), "utf-8")


if __name__ == "__main__":
    main()
