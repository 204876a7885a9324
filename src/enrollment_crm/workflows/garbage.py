"""Garbage: Python's search for it, put off while batches are in memory."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def garbage_is_left() -> Iterator[None]:
    """Look for no cycles of objects until the end of the block.

    A batch is made of some hundred thousand objects, none of them garbage, and Python would walk through all of them
    again and again as they grow in number: that took a third of the time of an import. What nobody refers to is freed
    as ever.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def young_garbage_goes() -> None:
    """Look for cycles once, among what was made since the last time: after each batch that was judged.

    Data frames form them. Our rows do not, and to walk through those of a batch takes a quarter of a second.
    """
    gc.collect(0)
