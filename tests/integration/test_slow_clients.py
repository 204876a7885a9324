"""Clients that hold connections on purpose: a head and a body must come in time; whoever is quick is served."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import requests
import uvicorn
from tests.unit.web.public.stand_ins import Workflows

from enrollment_crm.stack.ports import free_port
from enrollment_crm.web.public import bodies, connections
from enrollment_crm.web.public.site import build_site

PATIENCE_IN_SECONDS = 0.6


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of a site that loses patience soon."""
    monkeypatch.setattr(bodies, "PATIENCE_IN_SECONDS", PATIENCE_IN_SECONDS)
    monkeypatch.setattr(connections, "HEAD_WITHIN_IN_SECONDS", PATIENCE_IN_SECONDS)
    port = free_port()
    app, protocol = build_site(Workflows().parts()), connections.PatientProtocol
    server = uvicorn.Server(uvicorn.Config(app, port=port, http=protocol, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield port
    server.should_exit = True
    thread.join()


def trickle(port: int, begin: bytes, piece: bytes) -> tuple[float, bytes]:
    """Send something, and then a little again and again: for how long that goes, and what is answered."""
    began, answer = time.monotonic(), b""
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.settimeout(0.05)
        client.sendall(begin)
        while time.monotonic() - began < 10:
            try:
                client.sendall(piece)
                received = client.recv(65536)
            except TimeoutError:
                continue
            except OSError:
                break
            if not received:
                break
            answer += received
    return time.monotonic() - began, answer


@pytest.mark.parametrize("begin", [b"GET /health HTTP/1.1\r\nhost: x\r\n", b"GET /health HTTP/1.1\r\nhost: x\r\nx-a: "])
def test_a_head_without_end_is_not_kept(port: int, monkeypatch: pytest.MonkeyPatch, begin: bytes) -> None:
    """As many headers, or one as long, as the network carries in that time would all be in memory."""
    monkeypatch.setattr(connections, "HEAD_WITHIN_IN_SECONDS", 60)
    piece = b"x-a: b\r\n" if begin.endswith(b"\n") else b"a"
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        try:
            client.sendall(begin + piece * (2 * 1024**2 // len(piece)))
            is_over = not client.recv(65536)
        except ConnectionError:
            is_over = True
    assert is_over


@pytest.mark.parametrize("begin", [b"", b"GET /health HTTP/1.1\r\n", b"POST /webhooks/fair HTTP/1.1\r\nhost: x\r\n"])
def test_a_head_that_does_not_come_is_not_awaited(port: int, begin: bytes) -> None:
    taken, answer = trickle(port, begin, b"x-a: b\r\n" if begin else b"")
    assert PATIENCE_IN_SECONDS * 0.9 < taken < 5
    assert answer == b""


@pytest.mark.parametrize("path", [b"/webhooks/fair", b"/request-info"])
def test_a_body_that_does_not_come_is_not_awaited(port: int, path: bytes) -> None:
    begin = b"POST " + path + b" HTTP/1.1\r\nhost: x\r\naccept: application/json\r\ncontent-length: 60000\r\n\r\n"
    taken, answer = trickle(port, begin, b"x")
    assert PATIENCE_IN_SECONDS * 0.9 < taken < 5
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"took too long" in answer


def test_whoever_holds_connections_keeps_nobody_out(port: int) -> None:
    held = [socket.create_connection(("127.0.0.1", port)) for _ in range(100)]
    for one in held:
        one.sendall(b"POST /webhooks/fair HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n")
    began = time.monotonic()
    assert requests.get(f"http://127.0.0.1:{port}/request-info", timeout=10).status_code == 200
    assert time.monotonic() - began < PATIENCE_IN_SECONDS * 5
    for one in held:
        one.close()


def test_a_kept_connection_is_served_again_and_again(port: int) -> None:
    with requests.Session() as session:
        for _ in range(3):
            answer = session.get(f"http://127.0.0.1:{port}/health", timeout=10)
            assert answer.status_code == 200
            time.sleep(PATIENCE_IN_SECONDS * 1.5)
