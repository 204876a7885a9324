"""Composition: what a message says, from the ledger's row, the calendar and the program."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import NamedTuple
from zoneinfo import ZoneInfo

from enrollment_crm.domain.checklist_reminders import missing_in_words
from enrollment_crm.domain.checklists import MissingItems
from enrollment_crm.domain.dates_in_words import days_left_in_words, for_reader, in_boston
from enrollment_crm.domain.deadlines import Deadline, Round, deadlines_of, ends_at
from enrollment_crm.domain.ledger import ClaimedMessage, Cover
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.prep_sessions import PrepSession
from enrollment_crm.domain.programs import Program
from enrollment_crm.domain.sessions_in_words import session_in_list, session_in_words
from enrollment_crm.domain.terms import EntryTerm

_ROUND_NAMES = {Round.EARLY_ACTION.value: "early action", Round.FINAL.value: "final"}

Record = dict[str, str | int]
Context = dict[str, object]


class StatedDate(NamedTuple):
    """One date of a program, as covers and deadlines name it."""

    program: str | None
    entry_term: str | None
    round: str | None
    stated_date: date | None


@dataclass(frozen=True)
class Calendar:
    """Deadlines in force and sessions ahead, as they stood when the messages were claimed."""

    deadlines: Sequence[Deadline]
    #: Sessions that will take place.
    prep_sessions: Sequence[PrepSession]
    #: Sessions that would still be ahead, had they not been cancelled.
    cancelled_sessions: Sequence[PrepSession] = ()

    @cached_property
    def by_date(self) -> Mapping[StatedDate, Sequence[Deadline]]:
        """The deadlines that a cover of a message speaks of, in their order."""
        found: dict[StatedDate, list[Deadline]] = {}
        for one in self.deadlines:
            group = one.group
            key = StatedDate(group.program, str(group.entry_term), group.round.value, one.stated_date)
            found.setdefault(key, []).append(one)
        return found


@dataclass(frozen=True)
class Known:
    """What was recorded before of the reader of one message, where its kind asks for it."""

    #: Of a receipt: when the application was submitted, by its source's clock; None: as it reached us.
    submitted_at: datetime | None = None
    #: Of a moved deadline: by cover, the date that the reader was told before. Absent: none that we know of.
    told_before: Mapping[Cover, date] = field(default_factory=dict)
    #: Of a checklist reminder: what the reader's applications await.
    missing: Sequence[MissingItems] = ()


@dataclass(frozen=True)
class Links:
    """The links of one reader's own."""

    #: The way out of the topic; empty in transactional mail.
    unsubscribe: str
    preferences: str
    calendar: str


@dataclass(frozen=True)
class Letterhead:
    """What every email says of its sender."""

    sender_name: str
    postal_address: str


class SessionGoneError(LookupError):
    """The session has begun, or was cancelled or moved, since the message about it was claimed. Nothing to mend."""


class ChecklistCompleteError(LookupError):
    """Everything that the message would name has been processed since it was claimed. Nothing to mend."""


@dataclass(frozen=True)
class _Reading:
    """Where and when a date is read."""

    zone: str
    program: Program
    calendar: Calendar
    now: datetime

    def cut_off_zone(self, cover: Cover, stated_date: date) -> str:
        """The clock on which a date ends: as it is in force, else as the program has it (R1)."""
        about = StatedDate(cover.program or self.program.key, cover.entry_term, cover.round, stated_date)
        return next((one.cut_off_zone for one in self.calendar.by_date.get(about, ())), self.program.cut_off_zone)


def context_of(
    message: ClaimedMessage,
    *,
    program: Program,
    calendar: Calendar,
    letterhead: Letterhead,
    links: Links,
    known: Known,
    now: datetime,
) -> Context:
    """The values that the template of this message may use: text, numbers, and lists of records of those.

    Raises:
        SessionGoneError: the session that the message is about is not what the message would say.
        ChecklistCompleteError: the application that the message is about awaits nothing any more.
    """
    reader = message.reader
    counselor = program.counselors[reader.residency]
    common: Context = {
        "greeting": f"Hello {reader.first_name}," if reader.first_name else "Hello,",
        "program_name": program.name,
        "program_url": program.url,
        "request_info_url": program.request_info_url,
        "apply_url": program.apply_url,
        "entry_term": next((cover.entry_term for cover in message.covers if cover.entry_term), ""),
        "residency": reader.residency.value,
        "counselor_name": counselor.name,
        "counselor_email": counselor.address,
        "sender_name": letterhead.sender_name,
        "postal_address": letterhead.postal_address,
        "unsubscribe_url": links.unsubscribe,
        "preferences_url": links.preferences,
        "calendar_url": links.calendar,
    }
    return common | _about(message, program, calendar, known, now)


def _about(message: ClaimedMessage, program: Program, calendar: Calendar, known: Known, now: datetime) -> Context:
    match message.kind:
        case MessageKind.WELCOME:
            return _welcome(message, program, calendar, now)
        case MessageKind.DEADLINE_REMINDER:
            return _deadline_reminder(message, program, calendar, now)
        case MessageKind.CHECKLIST_REMINDER:
            reader = _Reading(message.reader.zone, program, calendar, now)
            return _checklist_reminder(message, known.missing, reader)
        case MessageKind.DEADLINE_MOVED:
            reader = _Reading(message.reader.zone, program, calendar, now)
            told = known.told_before
            return {"moved_deadlines": [_moved_deadline(one, told.get(one), reader) for one in message.covers]}
        case MessageKind.APPLICATION_RECEIVED:
            return {"submitted_on_in_boston": in_boston(known.submitted_at or message.due_at, now=now)}
        case (
            MessageKind.SESSION_INVITATION
            | MessageKind.SESSION_CONFIRMATION
            | MessageKind.SESSION_REMINDER
            | MessageKind.SESSION_MOVED
            | MessageKind.SESSION_CANCELLED
        ):
            return {**session_in_words(session_of(message, calendar), message.reader.zone, now=now)}


def _welcome(message: ClaimedMessage, program: Program, calendar: Calendar, now: datetime) -> Context:
    reader, term = message.reader, message.covers[0].entry_term
    theirs = (
        deadlines_of(
            calendar.deadlines,
            program=program.key,
            entry_term=EntryTerm.parse(term),
            residency=reader.residency,
            now=now,
        )
        if term
        else []
    )
    ahead = [one for one in theirs if one.ends_at() > now]
    reading = _Reading(reader.zone, program, calendar, now)
    return {
        "deadlines": [
            _deadline(one.group.round.value, str(one.group.entry_term), one.stated_date, reading, one.cut_off_zone)
            for one in ahead
        ],
        "sessions": [session_in_list(one, reader.zone, now=now) for one in helpful_sessions(calendar, ahead)],
    }


def helpful_sessions(calendar: Calendar, deadlines: Sequence[Deadline]) -> list[PrepSession]:
    """Sessions that still help: those that end before the reader's next deadline; all, where none is known."""
    last = min((one.ends_at() for one in deadlines), default=None)
    return [one for one in calendar.prep_sessions if last is None or one.ends < last]


def _deadline_reminder(message: ClaimedMessage, program: Program, calendar: Calendar, now: datetime) -> Context:
    """The deadlines, and the invitations that were folded in (R8) to sessions that still are what was claimed."""
    zone = message.reader.zone
    reading = _Reading(zone, program, calendar, now)
    invitations = [_as_announced(one, calendar.prep_sessions) for one in message.covers if one.prep_session_id]
    return {
        "deadlines": [_covered_deadline(one, reading) for one in message.covers if not one.prep_session_id],
        "sessions": [session_in_list(one, zone, now=now) for one in invitations if one],
    }


def _checklist_reminder(message: ClaimedMessage, missing: Sequence[MissingItems], reader: _Reading) -> Context:
    """The deadlines of applications that still await something, and what they await."""
    awaited = {(one.program, one.entry_term) for one in missing}
    covers = [one for one in message.covers if (one.program, one.entry_term) in awaited]
    if not covers:
        raise ChecklistCompleteError(ChecklistCompleteError.__doc__)
    about = {(one.program, one.entry_term) for one in covers}
    in_words = missing_in_words(one for one in missing if (one.program, one.entry_term) in about)
    return {
        "deadlines": [_covered_deadline(one, reader) for one in covers],
        "missing_items": [{"entry_term": one.entry_term, "whence": one.whence, "what": one.what} for one in in_words],
    }


def session_of(message: ClaimedMessage, calendar: Calendar) -> PrepSession:
    """The session that a message is about, as it stands: for a cancellation a cancelled one, else one to come.

    Raises:
        SessionGoneError: there is none; an invitation also has none where the session has another start by now.
    """
    cover, sessions = message.covers[0], calendar.prep_sessions
    if message.kind is MessageKind.SESSION_CANCELLED:
        sessions = calendar.cancelled_sessions
    if message.kind is MessageKind.SESSION_INVITATION:
        session = _as_announced(cover, sessions)
    else:
        session = _by_id(cover, sessions)
    if session is None:
        raise SessionGoneError(SessionGoneError.__doc__)
    return session


def _by_id(cover: Cover, sessions: Sequence[PrepSession]) -> PrepSession | None:
    return next((one for one in sessions if one.id == cover.prep_session_id), None)


def _as_announced(cover: Cover, sessions: Sequence[PrepSession]) -> PrepSession | None:
    """The session of an invitation; None where it moved: its new start has a point, and an invitation, of its own."""
    session = _by_id(cover, sessions)
    return session if session and session.starts == cover.session_starts else None


def _moved_deadline(cover: Cover, told_before: date | None, reading: _Reading) -> Record:
    record = _covered_deadline(cover, reading)
    if told_before is None or cover.stated_date is None:
        return {**record, "was_in_boston": "", "change": ""}
    was = _last_minute(told_before, reading.cut_off_zone(cover, told_before))
    return {
        **record,
        "was_in_boston": in_boston(was, now=reading.now),
        "change": "later" if cover.stated_date > told_before else "earlier",
    }


def _covered_deadline(cover: Cover, reading: _Reading) -> Record:
    if cover.round is None or cover.entry_term is None or cover.stated_date is None:
        raise ValueError("A cover of a message about deadlines names no round, term or date: correct it in the ledger.")
    zone = reading.cut_off_zone(cover, cover.stated_date)
    return _deadline(cover.round, cover.entry_term, cover.stated_date, reading, zone)


def _deadline(a_round: str, entry_term: str, stated_date: date, reading: _Reading, cut_off_zone: str) -> Record:
    last_minute, now = _last_minute(stated_date, cut_off_zone), reading.now
    # East of Boston the stated date can be over on the reader's calendar while the deadline is still ahead.
    days = max(0, (stated_date - now.astimezone(ZoneInfo(reading.zone)).date()).days)
    return {
        "name": _ROUND_NAMES[a_round],
        "entry_term": entry_term,
        "date_in_boston": in_boston(last_minute, now=now),
        "date_for_reader": for_reader(last_minute, reading.zone, now=now),
        "days_left": days,
        "days_left_in_words": days_left_in_words(days),
    }


def _last_minute(stated_date: date, cut_off_zone: str) -> datetime:
    """What readers take for the deadline: midnight after a date is read as midnight before it."""
    return ends_at(stated_date, cut_off_zone) - timedelta(minutes=1)


def program_of(message: ClaimedMessage, programs: Mapping[str, Program], default_program: str) -> Program:
    """The program that a message speaks of; the default one, where its key names none."""
    named = next((cover.program for cover in message.covers if cover.program), None)
    return programs.get(named or default_program, programs[default_program])
