"""Tables that people read."""

import io

from rich.console import Console

from enrollment_crm.cli.output import print_rows

LONG = "nine words that would like to stand beside others"


def lines_of(at_most: dict[str, int]) -> list[str]:
    console = Console(file=io.StringIO(), width=80, force_terminal=True, no_color=True)
    print_rows("Title", ("First", "Second"), [(LONG, LONG)], console=console, at_most=at_most)
    assert isinstance(console.file, io.StringIO)
    return [line for line in console.file.getvalue().splitlines() if line.startswith("│")]


def test_columns_share_the_room_unless_one_is_kept_narrow() -> None:
    assert not any(LONG in line for line in lines_of({}))
    assert LONG in lines_of({"First": 14})[0]
