"""Garbage: Python's search for it, put off while a batch is in memory."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def garbage_is_left() -> Iterator[None]:
    """Look for no cycles of objects until the end of the block.

    A batch is made of some hundred thousand objects, none of them garbage, and Python would walk through all of them
    again and again as they grow in number: that took a third of the time of an import. What nobody refers to is freed
    as ever; of cycles, which our rows do not form, those of one batch are left until its end.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
