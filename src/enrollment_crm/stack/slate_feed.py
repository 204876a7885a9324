"""A stand-in for the query service of Slate: serves the rows of a JSON file as Slate serves a query's.

    CRM_SLATE_QUERY_KEY=... python -m enrollment_crm.stack.slate_feed --port 8090 --query ID --file rows.json

`GET /manage/query/run?id=ID&h=KEY&cmd=service&output=json` answers `{"row": [...]}`. The file is read at each
request: what is written to it arrives with the next pull. On loopback only; the key never comes into a log.
"""

import argparse
import json
import os
import sys
from dataclasses import dataclass, field
from hmac import compare_digest
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

from enrollment_crm.stack.ports import LOOPBACK, free_port
from enrollment_crm.stack.programs import Service, answers

_PATH = "/manage/query/run"
_HEALTH_PATH = "/health"
_FORMAT = {"cmd": "service", "output": "json"}


@dataclass(frozen=True)
class SlateFeed:
    """One query of a Slate that is not there."""

    file: Path
    key: str = field(repr=False)
    query: str = "5ad8a2c1-7f0e-4a3b-9c55-0c1d2e3f4a5b"
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        """Address of the query, without its key: the value of CRM_SLATE_QUERY_URL."""
        return f"http://{LOOPBACK}:{self.port}{_PATH}?{urlencode({'id': self.query, **_FORMAT})}"

    def service(self) -> Service:
        """The feed as a service of the stack."""
        options = ("--port", str(self.port), "--query", self.query, "--file", str(self.file))
        return Service(
            "slate-feed",
            [sys.executable, "-m", __name__, *options],
            is_ready=answers(f"http://{LOOPBACK}:{self.port}{_HEALTH_PATH}"),
            environment={"CRM_SLATE_QUERY_KEY": self.key},
            stop_within_in_seconds=3,
        )

    def answer(self, target: str) -> tuple[HTTPStatus, object]:
        """Status and JSON of the answer to a request target."""
        address = urlsplit(target)
        asked = {name: values[-1] for name, values in parse_qs(address.query).items()}
        if address.path == _HEALTH_PATH:
            return HTTPStatus.OK, {"status": "alive"}
        if address.path != _PATH or asked.get("id") != self.query:
            return HTTPStatus.NOT_FOUND, {"error": "There is no such query."}
        if "h" not in asked:
            return HTTPStatus.UNAUTHORIZED, {"error": "The query needs its key: h=KEY."}
        if not compare_digest(asked["h"].encode(), self.key.encode()):
            return HTTPStatus.FORBIDDEN, {"error": "This is not the key of the query."}
        if any(asked.get(name) != value for name, value in _FORMAT.items()):
            return HTTPStatus.BAD_REQUEST, {"error": "Ask with cmd=service and output=json."}
        return HTTPStatus.OK, {"row": _rows_of(self.file)}

    def serve(self) -> None:
        """Serve until the process is ended."""
        feed = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, content = feed.answer(self.path)
                body = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_request(self, code: object = "-", size: object = "-") -> None:
                self.log_message("%s %s -> %s %s", self.command, urlsplit(self.path).path, code, size)

        ThreadingHTTPServer((LOOPBACK, self.port), Handler).serve_forever()


def _rows_of(file: Path) -> list[object]:
    """The rows, from a file that is a list or the answer of a real query."""
    content = json.loads(file.read_text(encoding="utf-8"))
    rows: list[object] = content["row"] if isinstance(content, dict) else content
    return rows


def main() -> None:
    """The command line of this module."""
    parser = argparse.ArgumentParser(prog="python -m enrollment_crm.stack.slate_feed", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--query", required=True)
    parser.add_argument("--file", type=Path, required=True)
    arguments = parser.parse_args()
    key = os.environ["CRM_SLATE_QUERY_KEY"]
    SlateFeed(arguments.file, key, arguments.query, arguments.port).serve()


if __name__ == "__main__":
    main()
