"""Rows of many pages, set down until the last page is there: half a delivery is none, and memory is no limit."""

import json
from collections.abc import Iterable, Iterator
from tempfile import SpooledTemporaryFile
from typing import Any, TypeAlias

Row: TypeAlias = dict[str, Any]

#: What is more goes to a file without a name, which is gone with the process.
_IN_MEMORY_IN_BYTES = 32 * 1024 * 1024


def spooled(pages: Iterable[list[Row]]) -> Iterator[Row]:
    """The rows of all pages, given only once all of them could be read; whatever a page raises is raised at once."""
    spool = SpooledTemporaryFile(_IN_MEMORY_IN_BYTES)  # noqa: SIM115 - closed with the last row
    try:
        for page in pages:
            spool.writelines(json.dumps(row).encode() + b"\n" for row in page)
    except BaseException:
        spool.close()
        raise
    return _rows(spool)


def _rows(spool: Any) -> Iterator[Row]:
    with spool:
        spool.seek(0)
        for line in spool:
            yield json.loads(line)
