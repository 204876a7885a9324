"""Draining: the next batch is made ready beside the one before, and nothing is lost where one of them fails."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Event

import pytest
from sqlalchemy import Connection, Engine, text

from enrollment_crm.storage.engine import rolled_back
from enrollment_crm.workflows.draining import drained, made_ahead

PATIENCE_IN_SECONDS = 10
_OLDEST = "SELECT source FROM high_water_mark WHERE mark < 'today' ORDER BY source LIMIT 1 FOR UPDATE SKIP LOCKED"
_DONE = "UPDATE high_water_mark SET mark = 'tomorrow' WHERE source = :source"


@dataclass
class Work:
    """Rows of any table, of which a batch takes one: which of their halves began, and when."""

    engine: Engine
    steps: list[str] = field(default_factory=list)
    before_second_half: Callable[[str], object] = lambda _: None

    def first_half(self, connection: Connection, committed: Callable[[], object]) -> Callable[[], str] | None:
        name = connection.execute(text(_OLDEST)).scalar_one_or_none()
        self.steps.append(f"first {name}")
        self.committed = committed
        if name is None:
            return None

        def second_half() -> str:
            self.before_second_half(name)
            connection.execute(text(_DONE), {"source": name})
            self.steps.append(f"second {name}")
            return str(name)

        return second_half

    def left(self) -> list[str]:
        with self.engine.begin() as connection:
            return list(connection.execute(text("SELECT source FROM high_water_mark WHERE mark < 'today'")).scalars())


@pytest.fixture
def work(engine: Engine) -> Work:
    with engine.begin() as connection:
        for name in "abc":
            connection.execute(text("INSERT INTO high_water_mark VALUES (:name, 'yesterday', now())"), {"name": name})
    return Work(engine)


def test_the_next_batch_is_made_ready_while_one_is_written(work: Work) -> None:
    b_is_ready = Event()

    def first_half(connection: Connection, committed: Callable[[], object]) -> Callable[[], str] | None:
        second_half = work.first_half(connection, committed)
        if "first b" in work.steps:
            b_is_ready.set()
        return second_half

    def wait(name: str) -> None:
        assert name != "a" or b_is_ready.wait(PATIENCE_IN_SECONDS), "b waits until a is written"

    work.before_second_half = wait
    assert list(drained(work.engine, first_half)) == ["a", "b", "c"]
    assert work.left() == []
    seconds = [step for step in work.steps if step.startswith("second")]
    assert seconds == ["second a", "second b", "second c"]


def test_a_batch_can_wait_for_the_one_before(work: Work) -> None:
    seen = []

    def first_half(connection: Connection, committed: Callable[[], object]) -> Callable[[], str] | None:
        second_half = work.first_half(connection, committed)
        committed()
        seen.append(sorted(connection.execute(text("SELECT source FROM high_water_mark WHERE mark > now()")).scalars()))
        return second_half

    list(drained(work.engine, first_half))
    assert seen[:3] == [[], ["a"], ["a", "b"]]


@pytest.mark.parametrize("half", ["first", "second"])
def test_a_batch_that_fails_takes_nothing_with_it(work: Work, half: str) -> None:
    """What was before it is kept; it and what was made ready beside it wait for the next run."""

    def first_half(connection: Connection, committed: Callable[[], object]) -> Callable[[], str] | None:
        second_half = work.first_half(connection, committed)
        if half == "first" and work.steps[-1] == "first b":
            raise OSError
        return second_half

    def fail(name: str) -> None:
        if half == "second" and name == "b":
            raise OSError

    work.before_second_half = fail
    with pytest.raises(OSError):  # noqa: PT011 - raised above, without words
        list(drained(work.engine, first_half))
    assert work.left() == ["b", "c"]
    work.before_second_half = lambda _: None
    assert list(drained(work.engine, work.first_half)) == ["b", "c"]


def test_what_comes_of_a_batch_is_drained_too(work: Work) -> None:
    """Nothing was left to begin beside the last one, but the last one itself makes more."""

    def make_more(name: str) -> None:
        if name == "c":
            with work.engine.begin() as connection:
                connection.execute(text("INSERT INTO high_water_mark VALUES ('d', 'yesterday', now())"))

    work.before_second_half = make_more
    assert list(drained(work.engine, work.first_half)) == ["a", "b", "c", "d"]


def test_a_dry_run_is_one_batch_and_keeps_nothing(work: Work) -> None:
    assert list(drained(work.engine, work.first_half, dry_run=True)) == ["a"]
    assert sorted(work.left()) == ["a", "b", "c"]


def test_batches_that_are_all_rolled_back_do_not_overlap(work: Work) -> None:
    """They share a connection."""
    with rolled_back(work.engine) as engine:
        assert list(drained(engine, work.first_half)) == ["a", "b", "c"]
    assert work.steps[:4] == ["first a", "second a", "first b", "second b"]
    assert sorted(work.left()) == ["a", "b", "c"]


def test_items_are_made_while_the_one_before_is_at_work() -> None:
    second_is_made = Event()

    def items() -> Iterator[int]:
        yield 1
        second_is_made.set()
        yield 2

    ahead = made_ahead(items())
    assert next(ahead) == 1
    assert second_is_made.wait(PATIENCE_IN_SECONDS)
    assert list(ahead) == [2]


def test_an_item_that_cannot_be_made_is_raised_in_its_turn() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError

    ahead = made_ahead(items())
    assert next(ahead) == 1
    with pytest.raises(OSError):  # noqa: PT011 - raised above, without words
        next(ahead)
