"""Writing: a claimed message becomes the bytes that leave."""

from dataclasses import dataclass
from datetime import date, datetime

from enrollment_crm.domain.calendar_feeds import CalendarDeadline
from enrollment_crm.domain.checklist_reminders import expectations_of
from enrollment_crm.domain.checklists import MissingItems
from enrollment_crm.domain.ledger import ClaimedMessage, Cover, message_key
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.mail.addresses import AddressInvalid, mailbox_of
from enrollment_crm.mail.bodies import CalendarFile, CalendarMethod, ContentRefused
from enrollment_crm.mail.calendar_deadlines import deadline_file
from enrollment_crm.mail.calendar_files import calendar_file_of
from enrollment_crm.mail.contexts import ContextInvalid
from enrollment_crm.mail.headers import HeaderRefused
from enrollment_crm.mail.messages import (
    OutgoingMessage,
    Recipient,
    build_message,
    envelope_sender_of,
    message_id_of,
)
from enrollment_crm.mail.personal_links import PersonalLink, personal_token
from enrollment_crm.mail.unsubscribe import unsubscribe_token
from enrollment_crm.storage.applications import known_report
from enrollment_crm.storage.checklists import missing_items
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.ledger import date_told_before
from enrollment_crm.workflows.composition import (
    Calendar,
    ChecklistCompleteError,
    Known,
    Links,
    SessionGoneError,
    StatedDate,
    context_of,
    program_of,
    session_of,
)
from enrollment_crm.workflows.outbox import Outbox

#: Messages about a session that one registered for carry its calendar file, but for the reminders.
_CALENDAR_METHODS = {
    MessageKind.SESSION_CONFIRMATION: CalendarMethod.PUBLISH,
    MessageKind.SESSION_MOVED: CalendarMethod.PUBLISH,
    MessageKind.SESSION_CANCELLED: CalendarMethod.CANCEL,
}
#: Messages about deadlines carry the entries of the dates that they name.
_ABOUT_DEADLINES = (MessageKind.DEADLINE_REMINDER, MessageKind.DEADLINE_MOVED)


@dataclass(frozen=True)
class Written:
    """A message ready to leave, and the version of the template it was made of; None: made at an earlier attempt."""

    outgoing: OutgoingMessage
    template_version: str | None


class CannotBeReached(Exception):
    """No mail can be sent to this address, or what the message is about is over: it ends here."""


class FrozenBytesChangedError(Exception):
    """Its bytes are not those that were frozen: nothing is sent. Find out who has changed the database."""


class CannotBeWritten(Exception):
    """The message cannot be composed. Mend the template, the program file or the person's data that the reason names.

    It is tried again with growing pauses, so that a mistake of ours costs nobody their message.
    """


def write_message(outbox: Outbox, message: ClaimedMessage, calendar: Calendar, *, now: datetime) -> Written:
    """Render and build the message; its bytes follow from the ledger's row and the calendar alone.

    Raises:
        CannotBeReached: the reader's address cannot be one, or the session is over.
        CannotBeWritten: a header or a value of the template is not usable. The reasons name no person's data.
    """
    try:
        return _write(outbox, message, calendar, now)
    except SessionGoneError as error:
        raise CannotBeReached(_in_words(error)) from error
    except AddressInvalid as error:
        raise (CannotBeReached if _is_the_readers(message) else CannotBeWritten)(_in_words(error)) from error
    except (ChecklistCompleteError, ContentRefused, ContextInvalid, HeaderRefused) as error:
        # A checklist that is complete by now: tried again, it is withheld for that reason.
        raise CannotBeWritten(_in_words(error)) from error


def _is_the_readers(message: ClaimedMessage) -> bool:
    """Whether it is the reader's address that cannot be one, and not ours."""
    try:
        mailbox_of(message.reader.email)
    except AddressInvalid:
        return True
    return False


def _in_words(error: Exception) -> str:
    return f"{type(error).__name__}: {(type(error).__doc__ or '').strip()}"


def _write(outbox: Outbox, message: ClaimedMessage, calendar: Calendar, now: datetime) -> Written:
    program = program_of(message, outbox.programs, outbox.default_program)
    template = outbox.templates.template(message.kind.template_name)
    links = _links(outbox, message, is_marketing=template.manifest.purpose == "marketing")
    context = context_of(
        message,
        program=program,
        calendar=calendar,
        letterhead=outbox.letterhead,
        links=links,
        known=_known(outbox, message),
        now=now,
    )
    rendered = template.render(context)
    sender = outbox.sender
    message_id = message_id_of(message_key(message), secret=outbox.secret, mail_domain=sender.mail_domain)
    outgoing = build_message(
        rendered,
        recipient=Recipient(f"{message.reader.first_name} {message.reader.last_name}".strip(), message.reader.email),
        sender=sender,
        message_id=message_id,
        envelope_sender=envelope_sender_of(message_id, secret=outbox.secret, mail_domain=sender.mail_domain),
        feedback_id=f"{message.kind.template_name}:{program.key}:{rendered.template_version}:{sender.mail_domain}",
        unsubscribe_url=links.unsubscribe or None,
        calendar=_calendar_file(outbox, message, calendar, now),
        now=now,
    )
    return Written(outgoing, rendered.template_version)


def _links(outbox: Outbox, message: ClaimedMessage, *, is_marketing: bool) -> Links:
    site, secret, person_id = outbox.public_url.rstrip("/"), outbox.secret, message.reader.person_id
    way_out = unsubscribe_token(person_id, outbox.topic_of(message.kind), secret=secret) if is_marketing else ""
    return Links(
        unsubscribe=f"{site}/unsubscribe/{way_out}" if is_marketing else "",
        preferences=f"{site}/preferences/{personal_token(PersonalLink.PREFERENCES, person_id, secret=secret)}",
        calendar=f"{site}/calendar/{personal_token(PersonalLink.CALENDAR, person_id, secret=secret)}.ics",
    )


def _calendar_file(outbox: Outbox, message: ClaimedMessage, calendar: Calendar, now: datetime) -> CalendarFile | None:
    """The calendar entries of a message: its deadlines, or the session that the reader registered for."""
    if message.kind in _ABOUT_DEADLINES:
        return _deadline_file(outbox, message, calendar, now)
    method = _CALENDAR_METHODS.get(message.kind)
    if method is None:
        return None
    return calendar_file_of(session_of(message, calendar), method=method, sender=outbox.sender, now=now)


def _deadline_file(outbox: Outbox, message: ClaimedMessage, calendar: Calendar, now: datetime) -> CalendarFile | None:
    about = [StatedDate(one.program, one.entry_term, one.round, one.stated_date) for one in message.covers]
    dates = []
    for one in dict.fromkeys(about):
        program = outbox.programs.get(one.program or "")
        if program and one in calendar.by_date:
            # Of groups with the same date one entry: its version counts for nothing in a mailed file.
            dates.append(CalendarDeadline(calendar.by_date[one][0], program.name, program.apply_url, now))
    return deadline_file(tuple(dates), sender=outbox.sender, now=now) if dates else None


def _known(outbox: Outbox, message: ClaimedMessage) -> Known:
    match message.kind:
        case MessageKind.APPLICATION_RECEIVED:
            return Known(submitted_at=_submitted_at(outbox, message))
        case MessageKind.CHECKLIST_REMINDER:
            return Known(missing=_missing(outbox, message))
        case MessageKind.DEADLINE_MOVED:
            return Known(told_before=_told_before(outbox, message))
        case _:
            return Known()


def _submitted_at(outbox: Outbox, message: ClaimedMessage) -> datetime | None:
    """When the application that a receipt is for was submitted, by the source's own clock."""
    cover = message.covers[0]
    with transaction(outbox.engine) as connection:
        report = known_report(
            connection,
            person_id=message.reader.person_id,
            program=cover.program,
            entry_term=cover.entry_term or "",
        )
    return report.occurred_at if report else None


def _missing(outbox: Outbox, message: ClaimedMessage) -> list[MissingItems]:
    """What the reader's applications await right now."""
    expectations = expectations_of(outbox.programs)
    if not expectations:
        return []
    with transaction(outbox.engine) as connection:
        return missing_items(
            connection,
            expectations,
            person_id=message.reader.person_id,
            residency=message.reader.residency.value,
            default_program=outbox.default_program,
        )


def _told_before(outbox: Outbox, message: ClaimedMessage) -> dict[Cover, date]:
    """The dates that the reader knows for the deadlines that have moved."""
    person_id = message.reader.person_id
    with transaction(outbox.engine) as connection:
        told = {one: date_told_before(connection, one, person_id=person_id) for one in message.covers}
    return {cover: stated_date for cover, stated_date in told.items() if stated_date}
