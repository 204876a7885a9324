"""The public app as it runs: uvicorn in a process of its own, on a database that tests may take away.

``create_app`` is the real site. Where a file is laid at the place that ``CRM_TEST_TRAP`` names, it takes one webhook
more, and is killed between the commit and the answer.
"""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
from standardwebhooks import Webhook
from starlette.types import ASGIApp

from enrollment_crm.domain.webhooks import WebhookSource
from enrollment_crm.settings import CHECKOUT, Settings
from enrollment_crm.stack.ports import free_port
from enrollment_crm.storage.inbox import Kept
from enrollment_crm.web.public.app import parts_of
from enrollment_crm.web.public.site import build_site

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
_TRAP = "CRM_TEST_TRAP"
_OPTIONS = (
    *("--no-access-log", "--no-server-header", "--no-proxy-headers"),
    *("--http", "enrollment_crm.web.public.connections:PatientProtocol"),
)


def create_app() -> ASGIApp:
    """The site of the settings, with the trap."""
    parts = parts_of(Settings())

    def receive(source: WebhookSource, event_id: str, rows: Sequence[Mapping[str, Any]], now: datetime) -> Kept | None:
        kept = parts.receive_webhook(source, event_id, rows, now)
        trap = Path(os.environ[_TRAP])
        if trap.exists():
            trap.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        return kept

    return build_site(dataclasses.replace(parts, receive_webhook=receive))


@dataclass
class PublicApp:
    """A running one; ``start`` it again after it was killed."""

    port: int
    database_url: str
    directory: Path
    factory: str = "tests.integration.public_app:create_app"
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def trap(self) -> Path:
        return self.directory / "trap"

    @property
    def log(self) -> str:
        return (self.directory / "public-app.log").read_text()

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self.directory / "public-app.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "uvicorn", "--factory", self.factory, *_OPTIONS, "--port", str(self.port)],
                cwd=CHECKOUT, stdout=log, stderr=log, env=self._environment(),
            )  # fmt: skip
        deadline = time.monotonic() + 60
        while not self._answers():
            assert self.process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.1)

    def stop(self) -> None:
        """End it, if it has not ended."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=30)

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/health", timeout=2).ok
        except requests.RequestException:
            return False

    def _environment(self) -> dict[str, str]:
        ours = {"CRM_DATABASE_URL": self.database_url, "EVENTS_WEBHOOK_SECRET": SECRET, _TRAP: str(self.trap)}
        return {**os.environ, "PYTHONPATH": str(CHECKOUT), "no_proxy": "127.0.0.1", **ours}


@contextmanager
def running_public_app(database_url: str, directory: Path, factory: str | None = None) -> Iterator[PublicApp]:
    """The public app on a free port, until the end of the block."""
    app = PublicApp(free_port(), database_url, directory)
    app.factory = factory or app.factory
    try:
        app.start()
        yield app
    finally:
        app.stop()


def headers_for(body: str, event: str) -> dict[str, str]:
    """What a sender signs now, with the package of the specification."""
    now = datetime.now(UTC)  # noqa: TID251 - the app reads the clock too
    return {
        "webhook-id": event,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(SECRET).sign(event, now, body),
        "content-type": "application/json",
    }
