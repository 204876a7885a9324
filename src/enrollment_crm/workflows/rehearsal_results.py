"""What a rehearsal found, in the words of its format: sends, withheld, reviews, warnings."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Connection

from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.storage.rehearsal import RecordedCover, recorded_covers, recorded_reviews
from enrollment_crm.workflows.rehearsed_facts import FactDesk, in_text

#: What only a person can decide, as the format names it; other questions are of the pipeline's own.
_REVIEWS = ("residency", "late_application", "term", "listing_year")
_REMINDERS = (MessageKind.DEADLINE_REMINDER.value,)


@dataclass(frozen=True)
class RehearsalResult:
    """Everything that went out or was withheld, in the order of the virtual clock. pii: addresses of a scenario."""

    id: str
    sends: tuple[dict[str, Any], ...]
    withheld: tuple[dict[str, Any], ...]
    reviews: tuple[dict[str, Any], ...]
    warnings: tuple[dict[str, Any], ...]

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)


def result_of(connection: Connection, scenario: str, addresses: Mapping[int, str], desk: FactDesk) -> RehearsalResult:
    """The result that the database holds."""
    covers = recorded_covers(connection)
    sent = [one for one in covers if one.message_id is not None and one.withheld is None]
    return RehearsalResult(
        id=scenario,
        sends=tuple(_sends(sent, addresses)),
        withheld=tuple(_withheld(one, addresses) for one in covers if one.withheld is not None),
        reviews=tuple(sorted([*_reviews(connection, addresses), *desk.reviews], key=lambda one: str(one["at"]))),
        warnings=tuple(desk.warnings),
    )


def _reviews(connection: Connection, addresses: Mapping[int, str]) -> list[dict[str, str]]:
    return [
        {"at": in_text(at), "email": addresses.get(person_id, ""), "about": about, "detail": detail}
        for person_id, about, detail, at in recorded_reviews(connection)
        if about in _REVIEWS
    ]


def _sends(sent: Sequence[RecordedCover], addresses: Mapping[int, str]) -> list[dict[str, Any]]:
    messages = [list(covers) for _, covers in groupby(sorted(sent, key=_of_message), key=_of_message)]
    sends = [
        {
            "at": in_text(covers[0].at),
            "email": addresses.get(covers[0].person_id, ""),
            "kind": covers[0].message_kind,
            "covers": [_cover(one) for one in covers],
        }
        for covers in messages
    ]
    return sorted(sends, key=lambda one: (str(one["at"]), str(one["email"]), str(one["kind"])))


def _of_message(cover: RecordedCover) -> int:
    return cover.message_id or 0


def _cover(cover: RecordedCover) -> dict[str, Any]:
    key = cover.key
    if key.prep_session_id is not None:
        shown = {"session": key.prep_session_id, "offset": key.offset}
    else:
        shown = {
            "program": key.program,
            "entry_term": key.entry_term,
            "round": key.round,
            "date": key.stated_date.isoformat() if key.stated_date else None,
            "offset": key.offset,
        }
    if str(key.offset).startswith("v"):  # the version that a notice tells of is ours alone
        shown["offset"] = None
    shown = {name: value for name, value in shown.items() if value is not None}
    if cover.kind in _REMINDERS:
        shown["catch_up"] = key.catch_up
    return shown


def _withheld(cover: RecordedCover, addresses: Mapping[int, str]) -> dict[str, Any]:
    key = {name: value for name, value in _cover(cover).items() if name != "catch_up"}
    about = {"at": in_text(cover.at), "email": addresses.get(cover.person_id, ""), "kind": cover.kind}
    return {**about, **key, "reason": cover.withheld}
