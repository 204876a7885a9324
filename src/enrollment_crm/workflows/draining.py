"""Draining: batch by batch until nothing waits (ADR 0003), the next made ready while PostgreSQL writes the one before.

A batch has two halves. The first finds its rows and works out what they mean, which no other batch changes; the second
decides by what is known of people, and writes. Second halves run in the order of the batches, each once the one before
it is committed. Beside one, which is PostgreSQL's work for the most part, runs the first half of the next batch, which
is Python's (ADR 0019).
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from typing import TypeAlias, TypeVar

from sqlalchemy import Connection, Engine

from enrollment_crm.storage.engine import has_many_connections, transaction
from enrollment_crm.storage.plans import planned_for_these_rows
from enrollment_crm.workflows.garbage import garbage_is_left

T = TypeVar("T")

#: The second half of a batch; gives what came of it.
SecondHalf: TypeAlias = Callable[[], T]
#: The first half, in the transaction of its batch. Beside that it is given what waits until the batch before is
#: committed, for what depends on it. None: nothing waits.
FirstHalf: TypeAlias = Callable[[Connection, Callable[[], object]], SecondHalf[T] | None]


def drained(engine: Engine, first_half: FirstHalf[T], *, dry_run: bool = False) -> Iterator[T]:
    """What came of each batch, in their order, until nothing waits; a batch is a transaction, planned for its rows.

    Args:
        engine: the database; one with a single connection has one batch after the other.
        first_half: of the oldest batch that waits and that no other transaction has locked.
        dry_run: one batch, of which nothing is kept.
    """
    with garbage_is_left():
        if dry_run or not has_many_connections(engine):
            yield from _one_by_one(engine, first_half, dry_run=dry_run)
        else:
            yield from _overlapping(engine, first_half)


def _one_by_one(engine: Engine, first_half: FirstHalf[T], *, dry_run: bool) -> Iterator[T]:
    while True:
        with transaction(engine, dry_run=dry_run) as connection, planned_for_these_rows(connection):
            second_half = first_half(connection, _nothing)
            if second_half is None:
                return
            done = second_half()
        yield done
        if dry_run:
            return


def _overlapping(engine: Engine, first_half: FirstHalf[T]) -> Iterator[T]:
    with ThreadPoolExecutor(1, thread_name_prefix="second-half") as beside:
        before: Future[T] | None = None
        while True:
            with ExitStack() as batch:
                connection = batch.enter_context(transaction(engine))
                batch.enter_context(planned_for_these_rows(connection))
                second_half = first_half(connection, before.result if before else _nothing)
                if before:
                    yield before.result()
                elif second_half is None:
                    return
                before = beside.submit(_finish, batch.pop_all(), second_half) if second_half else None


def _finish(batch: AbstractContextManager[object], second_half: SecondHalf[T]) -> T:
    with batch:
        return second_half()


def made_ahead(items: Iterator[T]) -> Iterator[T]:
    """The items, each made while the one before it is at work; what making one raises is raised in its turn."""
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as beside:
        coming = beside.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = beside.submit(next, items, None)
            yield item


def _nothing() -> None:
    """No batch is under way."""
