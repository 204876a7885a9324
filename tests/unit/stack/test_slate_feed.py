"""The stand-in for Slate, over real HTTP."""

import json
from pathlib import Path

import pytest
import requests

from enrollment_crm.stack.processes import Supervisor
from enrollment_crm.stack.slate_feed import SlateFeed

KEY = "0123-key"
ROWS = [{"aid": "1", "Email": "ada@people.example"}, {"aid": "2", "Email": None}]


@pytest.fixture
def feed(supervisor: Supervisor, tmp_path: Path) -> SlateFeed:
    file = tmp_path / "rows.json"
    file.write_text(json.dumps(ROWS), encoding="utf-8")
    serving = SlateFeed(file, KEY)
    supervisor.launch(serving.service())
    supervisor.wait_until_ready()
    return serving


def get(url: str, **parameters: str) -> requests.Response:
    return requests.get(url, params=parameters, timeout=10)


def test_rows(feed: SlateFeed) -> None:
    answer = get(feed.url, h=KEY)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.json() == {"row": ROWS}


def test_what_is_written_to_the_file_arrives_with_the_next_pull(feed: SlateFeed) -> None:
    feed.file.write_text(json.dumps({"row": ROWS[:1]}), encoding="utf-8")
    assert get(feed.url, h=KEY).json() == {"row": ROWS[:1]}


def test_without_key(feed: SlateFeed) -> None:
    assert get(feed.url).status_code == 401


def test_wrong_key(feed: SlateFeed) -> None:
    answer = get(feed.url, h="guess")
    assert answer.status_code == 403
    assert "ada@people.example" not in answer.text


def test_unknown_query(feed: SlateFeed) -> None:
    assert get(feed.url.replace(feed.query, "another"), h=KEY).status_code == 404


def test_other_formats(feed: SlateFeed) -> None:
    assert get(feed.url.replace("output=json", "output=xml"), h=KEY).status_code == 400


def test_key_is_neither_in_the_log_nor_on_the_command_line(feed: SlateFeed, tmp_path: Path) -> None:
    get(feed.url, h=KEY)
    get(feed.url, h="guess")
    log = (tmp_path / "logs" / "slate-feed.log").read_text()
    assert "/manage/query/run -> 200" in log
    assert KEY not in log
    assert "guess" not in log
    assert KEY not in " ".join(feed.service().command)
    assert KEY not in repr(feed)
