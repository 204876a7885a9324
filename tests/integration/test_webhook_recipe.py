"""The recipe for webhooks: its sender is understood by the real app, and it names every reason and every limit."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from tests.integration.public_app import SECRET, running_public_app

from enrollment_crm.bootstrap import field_maps_of
from enrollment_crm.domain.field_maps import translate
from enrollment_crm.domain.webhooks import REMEMBERED, WINDOW, Refusal, key_of
from enrollment_crm.settings import CHECKOUT, Settings
from enrollment_crm.sources.webhooks import DEEPEST, MOST_ROWS
from enrollment_crm.stack.postgres import Cluster
from enrollment_crm.web.public.bodies import PATIENCE_IN_SECONDS
from enrollment_crm.web.public.webhooks import MAX_BODY_IN_BYTES

RECIPE = (CHECKOUT / "docs" / "how-to" / "receive-webhooks.md").read_text("utf-8")
SENDER = re.findall(r"```python\n(.*?)```", RECIPE, re.DOTALL)[0]


def test_its_sender_is_understood(engine: Engine, cluster: Cluster, tmp_path: Path) -> None:
    with running_public_app(cluster.url("crm"), tmp_path) as app:
        place = {"WEBHOOK_URL": f"{app.url}/webhooks/events_webhook", "EVENTS_WEBHOOK_SECRET": SECRET}
        sent = subprocess.run(
            [sys.executable, "-c", SENDER], capture_output=True, text=True, check=False, env=place, timeout=60
        )
    assert sent.stdout == '200 {"received":true}\n', sent.stderr
    with engine.connect() as connection:
        (row,) = connection.execute(text("SELECT raw FROM inbox")).scalars()
    canonical = translate(row, field_maps_of(Settings())["events_webhook"])
    said = {name: value for name, value in canonical.items() if value is not None}
    assert said == {
        "email": "ana@example.edu",
        "first_name": "Ana",
        "entry_term": "fall 2027",
        "consent": "yes",
        "submission": "r-1",
    }


def test_its_secret_is_one() -> None:
    (program,) = re.findall(r'python -c "(.*)"', RECIPE)
    made = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert len(key_of(made)) == 32


@pytest.mark.parametrize("reason", Refusal)
def test_it_names_every_reason(reason: Refusal) -> None:
    assert f"`{reason.value}`" in RECIPE


def test_it_says_the_limits() -> None:
    assert f"{MOST_ROWS:,} at most" in RECIPE
    assert f"deeper than {DEEPEST} levels" in RECIPE
    assert f"{WINDOW.seconds} seconds, either way" in RECIPE
    assert f"remembered for {REMEMBERED.days} days" in RECIPE
    assert f"more than {PATIENCE_IN_SECONDS:g} seconds" in RECIPE
    assert f"more than {MAX_BODY_IN_BYTES // 1024 // 1024} MB" in RECIPE
