"""Composition: what a message says, from the ledger's row, the calendar and the program."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from enrollment_crm.domain.dates_in_words import days_left_in_words, for_reader, in_boston
from enrollment_crm.domain.deadlines import Deadline, Round, deadlines_of, ends_at
from enrollment_crm.domain.ledger import ClaimedMessage, Cover
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.prep_sessions import PrepSession
from enrollment_crm.domain.programs import Program
from enrollment_crm.domain.terms import EntryTerm

_ROUND_NAMES = {Round.EARLY_ACTION.value: "early action", Round.FINAL.value: "final"}

#: Closer than this, a session's start is told in hours: "tomorrow" would be wrong half an hour before midnight.
_HALF_A_DAY = timedelta(hours=12)

Record = dict[str, str | int]
Context = dict[str, object]


@dataclass(frozen=True)
class Calendar:
    """Deadlines in force and sessions ahead, as they stood when the messages were claimed."""

    deadlines: Sequence[Deadline]
    prep_sessions: Sequence[PrepSession]


@dataclass(frozen=True)
class Letterhead:
    """What every email says of its sender."""

    sender_name: str
    postal_address: str


class SessionGoneError(LookupError):
    """The session has begun or was cancelled since its reminder was claimed. Nothing to mend."""


def context_of(
    message: ClaimedMessage,
    *,
    program: Program,
    calendar: Calendar,
    letterhead: Letterhead,
    unsubscribe_url: str,
    submitted_at: datetime | None,
    now: datetime,
) -> Context:
    """The values that the template of this message may use: text, numbers, and lists of records of those.

    Args:
        submitted_at: for a receipt, when the application was submitted by its source's clock; None: as it reached us.
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
        "unsubscribe_url": unsubscribe_url,
    }
    return common | _about(message, program, calendar, submitted_at, now)


def _about(
    message: ClaimedMessage,
    program: Program,
    calendar: Calendar,
    submitted_at: datetime | None,
    now: datetime,
) -> Context:
    match message.kind:
        case MessageKind.WELCOME:
            return _welcome(message, program, calendar, now)
        case MessageKind.DEADLINE_REMINDER:
            return {"deadlines": [_covered_deadline(one, message.reader.zone, now) for one in message.covers]}
        case MessageKind.SESSION_REMINDER:
            return _session_reminder(message, calendar, now)
        case MessageKind.APPLICATION_RECEIVED:
            return {"submitted_on_in_boston": in_boston(submitted_at or message.due_at, now=now)}


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
    return {
        "deadlines": [
            _deadline(one.group.round.value, str(one.group.entry_term), one.stated_date, reader.zone, now)
            for one in ahead
        ],
        "sessions": [_session(one, reader.zone, now) for one in helpful_sessions(calendar, ahead)],
    }


def helpful_sessions(calendar: Calendar, deadlines: Sequence[Deadline]) -> list[PrepSession]:
    """Sessions that still help: those that end before the reader's next deadline; all, where none is known."""
    last = min((one.ends_at() for one in deadlines), default=None)
    return [one for one in calendar.prep_sessions if last is None or one.ends < last]


def _covered_deadline(cover: Cover, zone: str, now: datetime) -> Record:
    if cover.round is None or cover.entry_term is None or cover.stated_date is None:
        raise ValueError("A cover of a deadline reminder names no round, term or date: correct it in the ledger.")
    return _deadline(cover.round, cover.entry_term, cover.stated_date, zone, now)


def _deadline(a_round: str, entry_term: str, stated_date: date, zone: str, now: datetime) -> Record:
    last_minute = ends_at(stated_date) - timedelta(minutes=1)
    # East of Boston the stated date can be over on the reader's calendar while the deadline is still ahead.
    days = max(0, (stated_date - now.astimezone(ZoneInfo(zone)).date()).days)
    return {
        "name": _ROUND_NAMES[a_round],
        "entry_term": entry_term,
        "date_in_boston": in_boston(last_minute, now=now),
        "date_for_reader": for_reader(last_minute, zone, now=now),
        "days_left": days,
        "days_left_in_words": days_left_in_words(days),
    }


def _session(session: PrepSession, zone: str, now: datetime) -> Record:
    return {
        "title": session.title,
        "in_boston": in_boston(session.starts, now=now),
        "for_reader": for_reader(session.starts, zone, now=now),
        "url": session.url,
    }


def _session_reminder(message: ClaimedMessage, calendar: Calendar, now: datetime) -> Context:
    cover = message.covers[0]
    session = next((one for one in calendar.prep_sessions if one.id == cover.prep_session_id), None)
    if session is None:
        raise SessionGoneError(SessionGoneError.__doc__)
    zone = message.reader.zone
    return {
        "session_title": session.title,
        "session_in_boston": in_boston(session.starts, now=now),
        "session_for_reader": for_reader(session.starts, zone, now=now),
        "session_location": session.location,
        "session_url": session.url,
        "starts_in_words": _starts_in_words(session, now),
    }


def _starts_in_words(session: PrepSession, now: datetime) -> str:
    zone = ZoneInfo(session.zone)
    left = session.starts - now
    if left > _HALF_A_DAY:
        days = (session.starts.astimezone(zone).date() - now.astimezone(zone).date()).days
        return days_left_in_words(days)
    minutes = round(left.total_seconds() / 60)
    if minutes < 55:  # noqa: PLR2004 - sent late: an hour would be wrong
        return "in 1 minute" if minutes <= 1 else f"in {minutes} minutes"
    hours = round(minutes / 60)
    return "in 1 hour" if hours == 1 else f"in {hours} hours"


def program_of(message: ClaimedMessage, programs: Mapping[str, Program], default_program: str) -> Program:
    """The program that a message speaks of; the default one, where its key names none."""
    named = next((cover.program for cover in message.covers if cover.program), None)
    return programs.get(named or default_program, programs[default_program])
