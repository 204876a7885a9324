"""Webhooks at 100 a second, beside an empty endpoint of the same process: the real server, app and PostgreSQL.

The sender is open-loop: each post is due at its instant, however slow the others are, and its latency is counted from
that instant. Posts to both endpoints are sent in turn.
"""

import asyncio
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response
from standardwebhooks import Webhook
from starlette.routing import Mount, Route
from starlette.types import ASGIApp
from tests.benchmarks.measurement import Measurement

from enrollment_crm.settings import CHECKOUT
from enrollment_crm.stack.ports import free_port
from enrollment_crm.stack.postgres import Cluster, start_cluster
from enrollment_crm.stack.processes import Supervisor
from enrollment_crm.storage.engine import connect
from enrollment_crm.storage.schema import upgrade_schema
from enrollment_crm.web.public import app as public_app

_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
_POSTS_A_SECOND, _SECONDS, _WARM_UP_IN_SECONDS = 100, 20, 3
_GOAL_P99_IN_MILLISECONDS = 50.0
_OPTIONS = (
    *("--no-access-log", "--no-server-header", "--no-proxy-headers"),
    *("--http", "enrollment_crm.web.public.connections:PatientProtocol"),
)


def create_app() -> ASGIApp:
    """The real site, and beside it an endpoint that takes a body and does nothing with it."""
    return FastAPI(routes=[Route("/empty", _empty, methods=["POST"]), Mount("/", public_app.create_app())])


async def _empty(request) -> Response:  # type: ignore[no-untyped-def]
    await request.body()
    return JSONResponse({"received": True})


def measure() -> list[Measurement]:
    """Median and 99th percentile of both endpoints."""
    with tempfile.TemporaryDirectory(prefix="enrollment-crm-bench-") as folder:
        directory = Path(folder)
        cluster, port = Cluster(directory / "postgresql"), free_port()
        with Supervisor(log_directory=directory / "logs") as supervisor:
            start_cluster(cluster, supervisor, databases=("crm",))
            engine = connect(cluster.url("crm"))
            upgrade_schema(engine)
            engine.dispose()
            command = [sys.executable, "-m", "uvicorn", "--factory", "tests.benchmarks.webhooks:create_app", *_OPTIONS]
            ours = {"CRM_DATABASE_URL": cluster.url("crm"), "EVENTS_WEBHOOK_SECRET": _SECRET}
            with (directory / "app.log").open("wb") as log:
                environment = {**os.environ, **ours, "PYTHONPATH": str(CHECKOUT)}
                server = subprocess.Popen([*command, "--port", str(port)], stdout=log, stderr=log, env=environment)
            try:
                return asyncio.run(_measure(port))
            finally:
                server.terminate()
                server.wait(timeout=30)


@dataclass
class _Sender:
    """Sends posts over connections that it keeps."""

    port: int
    idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=list)

    async def post(self, path: str, body: bytes, headers: str) -> int:
        """Status of one post."""
        while self.idle and self.idle[-1][0].at_eof():  # idle for so long that the server closed it
            self.idle.pop()
        connection = self.idle.pop() if self.idle else await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = connection
        writer.write(f"POST {path} HTTP/1.1\r\nhost: x\r\n{headers}content-length: {len(body)}\r\n\r\n".encode() + body)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.partition(b":")[2]))
        self.idle.append(connection)
        return int(head.split(b" ", 2)[1])


async def _measure(port: int) -> list[Measurement]:
    sender = _Sender(port)
    while True:
        try:
            await sender.post("/empty", b"{}", "")
            break
        except OSError:
            await asyncio.sleep(0.1)
    await _send(sender, _WARM_UP_IN_SECONDS, "warm-up")
    return _rows(*await _send(sender, _SECONDS, "measured"))


async def _send(sender: _Sender, seconds: int, name: str) -> tuple[list[float], list[float]]:
    """Milliseconds that posts took: webhooks, and posts to the empty endpoint halfway between them."""
    began, interval = time.monotonic() + 0.1, 1 / _POSTS_A_SECOND
    async with asyncio.TaskGroup() as posts:
        webhooks, empties = [], []
        for number in range(seconds * _POSTS_A_SECOND):
            due = began + number * interval
            webhooks.append(posts.create_task(_webhook(sender, f"{name}-{number}", due)))
            empties.append(posts.create_task(_empty_post(sender, due + interval / 2)))
    return [one.result() for one in webhooks], [one.result() for one in empties]


async def _webhook(sender: _Sender, event: str, due: float) -> float:
    await asyncio.sleep(due - 0.005 - time.monotonic())
    row = {"email": f"{event}@example.edu", "first_name": "Ana", "last_name": "Silva", "consent": "yes"}
    body, now = json.dumps(row | {"entry_term": "fall 2027", "country": "BR"}), datetime.now(UTC)  # noqa: TID251
    headers = (
        f"webhook-id: {event}\r\nwebhook-timestamp: {int(now.timestamp())}\r\n"
        f"webhook-signature: {Webhook(_SECRET).sign(event, now, body)}\r\ncontent-type: application/json\r\n"
    )
    return await _timed(sender, "/webhooks/events_webhook", body.encode(), headers, due)


async def _empty_post(sender: _Sender, due: float) -> float:
    return await _timed(sender, "/empty", b"{}", "", due)


async def _timed(sender: _Sender, path: str, body: bytes, headers: str, due: float) -> float:
    await asyncio.sleep(max(0.0, due - time.monotonic()))
    status = await sender.post(path, body, headers)
    if status != 200:
        raise RuntimeError(f"{path} answered {status}: nothing was measured")
    return (time.monotonic() - due) * 1000


def _rows(webhooks: list[float], empties: list[float]) -> list[Measurement]:
    rows = []
    for name, of, goal in (
        ("p50", statistics.median, math.inf),
        ("p99", lambda taken: statistics.quantiles(taken, n=100)[-1], _GOAL_P99_IN_MILLISECONDS),
    ):
        value, reference = of(webhooks), of(empties)
        words = f"<= {goal:g} ms" if goal < math.inf else ""
        label = f"webhook committed and answered at {_POSTS_A_SECOND}/s, {name}, beside an empty endpoint"
        rows.append(Measurement(label, value, "ms", reference, value / reference, words, value <= goal))
    return rows
