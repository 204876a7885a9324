"""Every email as every sample person gets it, compared with what was saved.

After a wanted change run `RENEW_SNAPSHOTS=1 pytest tests/unit/mail/test_snapshots.py`, and read the diff before you
commit it.
"""

import os
from pathlib import Path

import pytest

from enrollment_crm.mail.preview import render_previews
from enrollment_crm.mail.samples import SamplePerson
from enrollment_crm.mail.templates import RenderedEmail

SNAPSHOTS = Path(__file__).with_name("snapshots")
PREVIEWS = render_previews(Path(__file__).parents[3] / "templates" / "email")


def saved(person: SamplePerson, rendered: RenderedEmail) -> dict[Path, str]:
    stem = SNAPSHOTS / rendered.name / person.name
    return {
        stem.with_suffix(".html"): rendered.html,
        stem.with_suffix(".txt"): f"Subject: {rendered.subject}\n\n{rendered.text}",
    }


@pytest.mark.parametrize(
    ("person", "rendered"), PREVIEWS, ids=[f"{rendered.name}-{person.name}" for person, rendered in PREVIEWS]
)
def test_an_email_is_what_was_saved(person: SamplePerson, rendered: RenderedEmail) -> None:
    for path, text in saved(person, rendered).items():
        if os.environ.get("RENEW_SNAPSHOTS") == "1":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.exists(), f"{path.name} was never saved: renew the snapshots (see the top of this file)."
        assert text == path.read_text(encoding="utf-8")


def test_nothing_is_saved_that_nobody_gets() -> None:
    expected = {path for person, rendered in PREVIEWS for path in saved(person, rendered)}
    assert {path for path in SNAPSHOTS.rglob("*") if path.is_file()} == expected
    assert len(expected) == 194
