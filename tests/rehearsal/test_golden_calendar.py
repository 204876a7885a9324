"""The golden calendar: a change of rules shows as a diff of a page."""

import pytest
from tests.rehearsal.golden_calendar import COHORT, PAGE, page_of

from enrollment_crm.cli.rehearsal_worker import Stage

pytestmark = pytest.mark.slow


def test_the_cohort_gets_what_the_page_says(stage: Stage) -> None:
    assert page_of(stage.perform(COHORT)) == PAGE.read_text("utf-8"), (
        "Is the change meant? Then write the page anew: .venv/bin/python -m tests.rehearsal.golden_calendar"
    )
