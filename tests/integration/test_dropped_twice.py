"""The same file is dropped twice, or two workers take it at once: each row is kept once, and no file is lost."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import Engine, text

from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.sources.feeds import Delivery, Feed, drop_feed
from enrollment_crm.workflows.inbox import Collected, collect

NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)
LONG_AGO = 1_700_000_000
ROWS = 500
CONTENT = "Email,Name\n" + "".join(f"p{number}@example.edu,{number}\n" for number in range(ROWS))


def put(folder: Path, name: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(CONTENT, "utf-8")
    os.utime(folder / name, (LONG_AGO, LONG_AGO))


def kept(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM inbox")).scalar_one())


def counted(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text("SELECT coalesce(sum(rows_read), 0) FROM delivery")).scalar_one())


@contextmanager
def workers(number: int) -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(number) as pool:
        yield pool


def together(feed: Feed, barrier: Barrier) -> Feed:
    """The feed of a worker that has seen the files when the other has as well."""

    def deliveries() -> Iterator[Delivery]:
        found = list(feed.deliveries())
        barrier.wait(timeout=30)
        yield from found

    return Feed(feed.source, feed.kind, deliveries)


@pytest.mark.parametrize("names", [["export.csv"], ["export.csv", "export (1).csv"]])
def test_two_workers_at_once_keep_each_row_once(engine: Engine, tmp_path: Path, names: list[str]) -> None:
    for name in names:
        put(tmp_path / "signups_csv", name)
    feed = drop_feed("signups_csv", RecordKind.SIGNUP, drop_directory=tmp_path)
    barrier = Barrier(2)
    with workers(2) as pool:
        found = list(pool.map(lambda _: collect(engine, [together(feed, barrier)], now=NOW), range(2)))
    total = found[0] + found[1]
    assert (kept(engine), total.new) == (ROWS, ROWS)
    assert counted(engine) == total.new + total.known
    assert sorted(one.name for one in (tmp_path / "signups_csv" / "done").iterdir()) == sorted(names)
    assert [one.name for one in (tmp_path / "signups_csv").iterdir()] == ["done"]


def test_the_same_file_again_brings_nothing_new_and_is_kept_beside_the_first(engine: Engine, tmp_path: Path) -> None:
    feed = drop_feed("signups_csv", RecordKind.SIGNUP, drop_directory=tmp_path)
    put(tmp_path / "signups_csv", "export.csv")
    assert collect(engine, [feed], now=NOW) == Collected(new=ROWS)
    put(tmp_path / "signups_csv", "export.csv")
    assert collect(engine, [feed], now=NOW) == Collected(known=ROWS)
    assert len(list((tmp_path / "signups_csv" / "done").iterdir())) == 2
