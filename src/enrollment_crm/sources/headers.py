"""Headers: which row of a table names its columns, so that no row of a person is taken for one."""

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from enrollment_crm.domain.addresses import is_plausible_address
from enrollment_crm.sources.feed_errors import FeedUnreadableError

Row = TypeVar("Row")

#: Rows above the header; where more stand alone, the list is one column.
_MOST_TITLES = 5
#: Rows that are read to find the header: it, what stands above it, and some people below it.
ROWS_LOOKED_AT = 40
#: One known name may as well be a word of a title, or the key of a value that stands beside it.
FEWEST_NAMES = 2
#: With fewer cells, a row below a narrower one may as well be a value that holds a delimiter: "Doe, Jane".
_FEWEST_OF_A_TABLE = 3


def split_head(
    rows: Iterator[Row],
    texts_of: Callable[[Row], Sequence[str]],
    *,
    name: str,
    known: Container[str] = (),
    can_be_title: Callable[[Row], bool] = lambda _: True,
) -> tuple[Row, list[Row]]:
    """The header, and the rows below it that were read to find it.

    It is the row that names the most columns which the source is known to have, if it names two. Where none does, it
    is the first row with more than one cell filled; a few titles above it are passed over, and so are some that are
    half as wide at most, with people below. Where more than titles stands alone, the table is one column, and its first
    row the header.

    Args:
        rows: those with anything in them.
        texts_of: what is in the filled cells of a row.
        name: the file's.
        known: names of columns, as ``plain_name`` writes them.
        can_be_title: whether a row with one filled cell may be a title and not the header.

    Raises:
        FeedUnreadableError: there is no row, nothing above the first row of a person, or it cannot be told whether a
            narrow row is a title or the header.
    """
    head = list(islice(rows, ROWS_LOOKED_AT))
    if not head:
        raise FeedUnreadableError(f"{name} is empty, without even a header: ask for the export again.")
    texts = [texts_of(row) for row in head]
    named = _most_named(texts, known)
    if named is not None:
        return head[named], head[named + 1 :]
    if _holds_address(texts[0]):
        raise FeedUnreadableError(
            f"{name} has no header, its first row holds an address: write the names of the columns above it and "
            "drop it again."
        )
    first = 0 if len(texts[0]) > 1 or not can_be_title(head[0]) else _below_single_cells(texts)
    place = _below_titles(texts, first, name=name)
    return head[place], head[place + 1 :]


def plain_name(name: str) -> str:
    """A name of a column without case and quotation marks, and with single blanks."""
    return " ".join(name.replace('"', " ").casefold().split())


def names_known(cells: Iterable[str], known: Container[str]) -> int:
    """How many of the cells name a column that is known."""
    return sum(plain_name(cell) in known for cell in cells)


def _most_named(texts: Sequence[Sequence[str]], known: Container[str]) -> int | None:
    """The place of the row that names the most known columns; None: none names enough, or a person stands above it."""
    counts = [names_known(cells, known) for cells in texts]
    place = counts.index(max(counts))
    is_header = counts[place] >= FEWEST_NAMES and not any(map(_holds_address, texts[: place + 1]))
    return place if is_header else None


def _below_single_cells(texts: Sequence[Sequence[str]]) -> int:
    """The place of the first row with several cells, if only titles stand above it; else of the first row of all."""
    for number, cells in enumerate(texts[: _MOST_TITLES + 1]):
        if _holds_address(cells):
            return 0
        if len(cells) > 1:
            return number
    return 0


def _below_titles(texts: Sequence[Sequence[str]], first: int, *, name: str) -> int:
    """The place of a row at least twice as wide as the first, with people below that are as wide; else the first."""
    if any(_names_addresses(cell) for cell in texts[first]):
        return first
    for place in range(first + 1, min(first + 1 + _MOST_TITLES, len(texts))):
        cells, below = texts[place], texts[place + 1 :]
        if _holds_address(cells):
            return first
        if len(cells) < 2 * len(texts[first]):
            continue
        alike = [row for row in below if 2 * len(row) > len(cells)]
        if any(_holds_address(row) for row in alike):
            return place
        if alike and len(cells) >= _FEWEST_OF_A_TABLE:
            raise FeedUnreadableError(
                f"{name} begins with a row that is narrower than those below it: take it out if it is a title, or "
                "write a name above every column, and drop it again."
            )
    return first


def _holds_address(cells: Sequence[str]) -> bool:
    return any(is_plausible_address(one) for one in cells)


def _names_addresses(cell: str) -> bool:
    """It is what a column of addresses is called, and so no title: "Email", "Mail address"."""
    return "mail" in cell.lower() and len(cell.split()) <= 2  # noqa: PLR2004 - words
