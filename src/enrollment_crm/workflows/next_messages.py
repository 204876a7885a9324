"""The next messages of one person: what sweeps will send them, and withhold, by which rule."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from enrollment_crm.domain.deadlines import DeadlineGroup, FollowedDeadlines, Round, in_force_at
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.reminders import Span, in_words
from enrollment_crm.domain.residency import Residency
from enrollment_crm.domain.terms import EntryTerm
from enrollment_crm.storage.answers import owed_answers
from enrollment_crm.storage.forecast import covers_ahead, rows_of_person
from enrollment_crm.storage.notices import owed_session_notices, told_of_moved
from enrollment_crm.storage.session_reminders import covers_of_session
from enrollment_crm.workflows.forecast import ANSWERS
from enrollment_crm.workflows.holds import holds_in
from enrollment_crm.workflows.notices import SESSION_NOTICES
from enrollment_crm.workflows.outbox import Outbox
from enrollment_crm.workflows.outlook import OnePerson, Outlook, outlook

_REMINDER, _INVITATION = MessageKind.DEADLINE_REMINDER.value, MessageKind.SESSION_INVITATION.value
#: What comes at the points of deadlines.
_AT_POINTS = {_REMINDER, MessageKind.CHECKLIST_REMINDER.value}


@dataclass(frozen=True, kw_only=True)
class NextCover:
    """One key that a message will cover, with the rule by which it comes."""

    kind: str
    rule: str
    program: str | None = None
    entry_term: str | None = None
    round: str | None = None
    stated_date: date | None = None
    #: Which of the dates that the group has had it is.
    deadline_version: int | None = None
    prep_session_id: str | None = None
    session_starts: datetime | None = None
    offset: str | None = None
    catch_up: bool = False


@dataclass(frozen=True, kw_only=True)
class NextMessage:
    """A message to come, or one that would be withheld as things stand, with the reason."""

    at: datetime
    kind: str
    covers: tuple[NextCover, ...]
    template_version: str
    withheld: str | None = None
    #: Why it does not go out now, although it is due: all of its kind is held. What comes later is not foretold.
    held: str | None = None


@dataclass(frozen=True)
class _Due:
    at: datetime
    #: The kind of the message, which can be another than the cover's (R8).
    message_kind: str
    withheld: str | None
    cover: NextCover


def next_messages(
    connection: Connection, outbox: Outbox, span: Span, person: OnePerson, residency: str
) -> list[NextMessage]:
    """What sweeps from now on send this person, and withhold, up to the end of the span; earliest first."""
    ahead = outlook(connection, outbox, span, person)
    due = [
        *_owed(connection, outbox, ahead, person.person_id),
        *_of_sessions(connection, outbox, ahead, person.person_id),
        *_of_deadlines(connection, ahead, residency),
    ]
    held = holds_in(connection, outbox, span.after)
    messages: defaultdict[tuple[Any, ...], list[NextCover]] = defaultdict(list)
    for place, one in enumerate(due):
        # Several keys become one message by R8 alone: a deadline's and those of the invitations of that day.
        merged = one.message_kind in {*_AT_POINTS, _INVITATION}
        messages[one.at, one.message_kind, one.withheld, None if merged else place].append(one.cover)
    return [
        NextMessage(
            at=at,
            kind=kind,
            covers=tuple(_merged(covers) if withheld is None else covers),
            template_version=outbox.templates.template(MessageKind(kind).template_name).version,
            withheld=withheld,
            held=held.get(kind) if withheld is None and at == span.after else None,
        )
        for (at, kind, withheld, _), covers in sorted(messages.items(), key=lambda one: (one[0][0], str(one[0][1:])))
    ]


def _owed(connection: Connection, outbox: Outbox, ahead: Outlook, person_id: int) -> Iterator[_Due]:
    now = ahead.view.now
    due = [
        (kind, owed_answers(kind, outbox.topic_of(kind)), "Owed at once: the answer to what they did.")
        for kind in ANSWERS
    ]
    due += [
        (kind, owed_session_notices(kind, outbox.topic_of(kind), now), "R10: at once, to those who registered.")
        for kind in SESSION_NOTICES
    ]
    moved_kind = MessageKind.DEADLINE_MOVED
    due += [
        (
            moved_kind,
            told_of_moved(one, outbox.topic_of(moved_kind)),
            "R9: a date that they were reminded of has moved.",
        )
        for one in ahead.moved
    ]
    for kind, rows, rule in due:
        for row in rows_of_person(connection, rows, person_id):
            yield _Due(now, kind.value, row.withheld, _cover(row, kind.value, rule))


def _of_sessions(connection: Connection, outbox: Outbox, ahead: Outlook, person_id: int) -> Iterator[_Due]:
    kind = MessageKind.SESSION_REMINDER
    for at, due in ahead.sessions:
        rule = f"R10: {in_words(due.offset)} before the session that they registered for."
        for row in rows_of_person(connection, covers_of_session(due, outbox.topic_of(kind)), person_id):
            yield _Due(at, kind.value, row.withheld, _cover(row, kind.value, rule))


def _of_deadlines(connection: Connection, ahead: Outlook, residency: str) -> Iterator[_Due]:
    for people in ahead.people:
        for row in covers_ahead(connection, people.question):
            at = people.looks[row.look].at
            goes_along = row.along and row.withheld is None
            version = _version(ahead, row, residency, at) if row.kind in _AT_POINTS else None
            cover = _cover(row, row.kind, _rule(row, at, ahead.view.now), version)
            yield _Due(at, _REMINDER if goes_along else row.kind, row.withheld, cover)


def _rule(row: Any, at: datetime, now: datetime) -> str:
    if row.kind == _INVITATION:
        folded = "R8: folded into the deadline reminder of that day; " if row.along and row.withheld is None else ""
        return f"{folded}R10: invited {in_words(row.offset)} before the session, as they are not registered for it."
    if row.kind != _REMINDER:
        missed = "was missed, and is caught up with" if row.catch_up else "is for what their application still awaits"
        return f"{'R6' if row.catch_up else 'R3'}: the checklist reminder of {in_words(row.offset)} before {missed}."
    if row.catch_up:
        when = "at their next ten o'clock" if at > now else "now"
        return f"R6: the reminder of {in_words(row.offset)} before was missed, and is caught up with {when}."
    return f"R3: {in_words(row.offset)} before the date, at the hour of their own clock."


def _merged(covers: list[NextCover]) -> Iterable[NextCover]:
    deadlines = sum(one.kind in _AT_POINTS for one in covers)
    if deadlines < 2:  # noqa: PLR2004
        return covers
    words = f" R8: one message with {deadlines - 1} other deadline{'s' if deadlines > 2 else ''} of that instant."  # noqa: PLR2004
    return [_with_rule(one, one.rule + words) if one.kind in _AT_POINTS else one for one in covers]


def _with_rule(cover: NextCover, rule: str) -> NextCover:
    return NextCover(**{**vars(cover), "rule": rule})


def _version(ahead: Outlook, row: Any, residency: str, at: datetime) -> int | None:
    group = DeadlineGroup(row.program, EntryTerm.parse(row.entry_term), Round(row.round), Residency(residency))
    deadline = FollowedDeadlines(in_force_at(ahead.view.records, at), at).followed_by(group)
    return deadline.version if deadline and deadline.stated_date == row.stated_date else None


_KEY = ("program", "entry_term", "round", "stated_date", "prep_session_id", "session_starts", "offset", "catch_up")


def _cover(row: Any, kind: str, rule: str, version: int | None = None) -> NextCover:
    key = {name: getattr(row, name) for name in _KEY if hasattr(row, name)}
    return NextCover(kind=kind, rule=rule, deadline_version=version, **key)
