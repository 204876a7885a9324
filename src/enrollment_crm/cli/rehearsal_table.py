"""The result of a rehearsal as a calendar that a person reads."""

from collections.abc import Mapping
from typing import Any

from enrollment_crm.cli.output import print_rows

#: What the columns of a row hold.
COLUMNS = ("Instant (UTC)", "Who", "What", "About")


def print_calendar(result: Mapping[str, Any]) -> None:
    """The calendar as a table on the terminal."""
    print_rows(str(result["id"]), COLUMNS, calendar_rows(result))


def calendar_rows(result: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Everything that went out, was withheld or needs a person, in the order of the virtual clock."""
    rows = [(one["at"], one["email"], _words(one["kind"]), _covers(one["covers"])) for one in result["sends"]]
    rows += [
        (one["at"], one["email"], f"({_words(one['kind'])})", f"{_cover(one)}: withheld, {_words(one['reason'])}")
        for one in result["withheld"]
    ]
    rows += [(one["at"], one["email"], f"review: {_words(one['about'])}", one["detail"]) for one in result["reviews"]]
    return sorted(rows)


def _covers(covers: list[Mapping[str, Any]]) -> str:
    return "\n".join(_cover(one) + (", caught up" if one.get("catch_up") else "") for one in covers)


def _cover(cover: Mapping[str, Any]) -> str:
    about = [cover.get("session"), _words(cover.get("round") or ""), cover.get("entry_term"), cover.get("date")]
    said = " ".join(str(one) for one in about if one)
    return f"{said} ({cover['offset']})" if cover.get("offset") else said


def _words(name: str) -> str:
    return name.replace("_", " ")
