"""Headers: which row of a table names its columns, so that no row of a person is taken for one."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from enrollment_crm.domain.addresses import is_plausible_address
from enrollment_crm.sources.feed_errors import FeedUnreadableError

Row = TypeVar("Row")

#: Rows with one cell above the header; of a list that is one column there are more.
_MOST_TITLES = 5


def split_head(
    rows: Iterator[Row],
    texts_of: Callable[[Row], Sequence[str]],
    *,
    name: str,
    can_be_title: Callable[[Row], bool] = lambda _: True,
) -> tuple[Row, list[Row]]:
    """The header, and the rows below it that were read to find it.

    It is the first row with more than one cell filled; a few titles above it are passed over. Where more than titles
    stands alone, the table is one column, and its first row the header.

    Args:
        rows: those with anything in them.
        texts_of: what is in the filled cells of a row.
        name: the file's.
        can_be_title: whether a row with one filled cell may be a title and not the header.

    Raises:
        FeedUnreadableError: there is no row, or nothing above the first row of a person.
    """
    alone: list[Row] = []
    for row in rows:
        texts = texts_of(row)
        holds_address = any(is_plausible_address(one) for one in texts)
        if holds_address and not alone:
            raise FeedUnreadableError(
                f"{name} has no header, its first row holds an address: write the names of the columns above it and "
                "drop it again."
            )
        if not holds_address and (len(texts) > 1 or not (alone or can_be_title(row))):
            return row, []
        alone.append(row)
        if holds_address or len(alone) > _MOST_TITLES:
            break
    if not alone:
        raise FeedUnreadableError(f"{name} is empty, without even a header: ask for the export again.")
    return alone[0], alone[1:]
