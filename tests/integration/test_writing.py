"""Each kind of message, claimed as the ledger holds it, and read as it reached the relay."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

import pytest
import vobject
from sqlalchemy import literal, select
from tests.factories import ANA, HOUR, MINUTE, PROGRAM, SHANGHAI, STARTS, T_7, T_14, T_30, Office

from enrollment_crm.domain.ledger import ClaimedMessage, Cover
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.storage.claims import claim_due
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.ledger import messages_with_readers
from enrollment_crm.storage.models import MESSAGE_IDS, CoverRow, PersonRow
from enrollment_crm.workflows.answers import calendar_at
from enrollment_crm.workflows.delivery import deliver

#: A week before the session, at ten in Boston.
A_WEEK_BEFORE = STARTS - timedelta(days=7)
ABOUT_SESSIONS = (
    MessageKind.SESSION_INVITATION,
    MessageKind.SESSION_CONFIRMATION,
    MessageKind.SESSION_MOVED,
    MessageKind.SESSION_CANCELLED,
)
METHODS = {
    MessageKind.SESSION_CONFIRMATION: "PUBLISH",
    MessageKind.SESSION_MOVED: "PUBLISH",
    MessageKind.SESSION_CANCELLED: "CANCEL",
}
SESSION_COVER = Cover(prep_session_id="prep-1", session_starts=STARTS)
MOVED = Cover(
    program=PROGRAM, entry_term="fall 2027", round="early_action", stated_date=date(2026, 12, 15), offset="v2"
)


def owe(office: Office, kind: MessageKind, *covers: Cover, now: datetime) -> Sequence[int]:
    """A message of this kind to everybody, claimed."""
    ids: list[int] = []
    for cover in covers:
        columns = {name: value for name, value in vars(cover).items() if value is not None}
        due = select(
            MESSAGE_IDS.next_value().label("message_id"),
            PersonRow.id.label("person_id"),
            *(literal(value, CoverRow.__table__.c[name].type).label(name) for name, value in columns.items()),
            literal(now).label("due_at"),
            literal(None, PersonRow.owner.type).label("withheld"),
        )
        with transaction(office.engine) as connection:
            ids += claim_due(connection, due, kind=kind, lease=timedelta(seconds=30), now=now).message_ids
    office.change("UPDATE cover SET message_row_id = :id WHERE message_row_id = ANY(:ids)", id=ids[0], ids=ids)
    office.change("DELETE FROM message WHERE id = ANY(:ids)", ids=ids[1:])
    return ids[:1]


def held(office: Office, ids: Sequence[int]) -> list[ClaimedMessage]:
    """The messages as a worker that has claimed them holds them."""
    with transaction(office.engine) as connection:
        return messages_with_readers(connection, ids)


def send(office: Office, kind: MessageKind, *covers: Cover, now: datetime) -> dict[str, int]:
    """A message with these covers to everybody: messages by state."""
    ids = owe(office, kind, *covers, now=now)
    return dict(deliver(office.outbox, held(office, ids), calendar_at(office.outbox, now), now=now).counts)


def received(office: Office) -> EmailMessage:
    """The one message that the relay took last, as a mail program reads it."""
    read = BytesParser(policy=policy.default).parsebytes(office.relay.taken[-1].content)
    assert isinstance(read, EmailMessage)
    assert not [defect for part in read.walk() for defect in part.defects]
    return read


def words(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body
    return " ".join(body.get_content().split())


@pytest.fixture
def announced(office: Office, session: str) -> str:
    """A session, and Ana, who reads of it in Shanghai."""
    office.sign_up(ANA, time_zone=SHANGHAI)
    return session


@pytest.mark.parametrize("kind", ABOUT_SESSIONS)
def test_r10_a_message_about_a_session(office: Office, announced: str, kind: MessageKind) -> None:
    if kind is MessageKind.SESSION_CANCELLED:
        office.change("UPDATE prep_session SET cancelled_at = now(), sequence = 1")
    assert send(office, kind, SESSION_COVER, now=A_WEEK_BEFORE) == {"accepted": 1}
    message = received(office)
    assert "Prep Session" in message["Subject"]
    for when in ("Wednesday, November 25, 10:00 a.m. Boston", "Wednesday, November 25, 11:00 p.m. in Shanghai"):
        assert when in words(message)
    assert ("List-Unsubscribe" in message) == (kind is MessageKind.SESSION_INVITATION)
    assert len(list(message.iter_parts())) == (3 if kind in METHODS else 2)


@pytest.mark.parametrize(("kind", "method"), METHODS.items())
def test_r10_those_who_registered_get_the_calendar_file(
    office: Office, announced: str, kind: MessageKind, method: str
) -> None:
    sequence = {MessageKind.SESSION_CONFIRMATION: 0}.get(kind, 3)
    office.change("UPDATE prep_session SET sequence = :sequence", sequence=sequence)
    if method == "CANCEL":
        office.change("UPDATE prep_session SET cancelled_at = now()")
    send(office, kind, SESSION_COVER, now=A_WEEK_BEFORE)
    part = list(received(office).iter_parts())[-1]
    assert (part.get_content_type(), part["Content-Type"].params["method"]) == ("text/calendar", method)
    assert isinstance(part, EmailMessage)
    calendar = vobject.readOne(part.get_content())
    assert calendar.method.value == method
    assert calendar.vevent.uid.value == f"prep-session-prep-1@{office.outbox.sender.mail_domain}"
    assert (calendar.vevent.dtstart.value, calendar.vevent.sequence.value) == (STARTS, str(sequence))
    assert calendar.vevent.dtstamp.value == A_WEEK_BEFORE


@pytest.mark.parametrize("kind", ABOUT_SESSIONS)
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE prep_session SET starts = :earlier",
        "UPDATE prep_session SET cancelled_at = CASE WHEN cancelled_at IS NULL THEN now() END",
    ],
)
def test_nothing_is_said_of_a_session_that_is_not_true_any_more(
    office: Office, announced: str, kind: MessageKind, change: str
) -> None:
    """It has begun meanwhile, or was cancelled; and nobody hears that a session is cancelled that will take place."""
    if kind is MessageKind.SESSION_CANCELLED:
        office.change("UPDATE prep_session SET cancelled_at = now()")
    office.change(change, **({"earlier": A_WEEK_BEFORE} if ":earlier" in change else {}))
    assert send(office, kind, SESSION_COVER, now=A_WEEK_BEFORE) == {"failed": 1}
    assert office.query("SELECT outcome FROM message")[0].startswith("SessionGoneError: The session has begun")


def test_r10_nobody_is_invited_to_a_start_that_does_not_hold_any_more(office: Office, announced: str) -> None:
    office.change("UPDATE prep_session SET starts = starts + interval '1 day', sequence = 1")
    assert send(office, MessageKind.SESSION_INVITATION, SESSION_COVER, now=A_WEEK_BEFORE) == {"failed": 1}
    # Whoever registered hears the time that holds.
    assert send(office, MessageKind.SESSION_CONFIRMATION, SESSION_COVER, now=A_WEEK_BEFORE) == {"accepted": 1}
    assert "Thursday, November 26" in words(received(office))


def reminder(offset: str) -> Cover:
    return Cover(
        program=PROGRAM, entry_term="fall 2027", round="early_action", stated_date=date(2026, 12, 1), offset=offset
    )


def invitation(starts: datetime = STARTS) -> Cover:
    return Cover(prep_session_id="prep-1", session_starts=starts, offset="7d")


def test_r8_an_invitation_is_folded_into_a_deadline_reminder(office: Office, announced: str) -> None:
    send(office, MessageKind.DEADLINE_REMINDER, reminder("14d"), invitation(), now=T_14)
    message = received(office)
    assert message["Subject"] == "Your fall 2027 early action deadline is in 14 days"
    assert "PREP SESSION: YOU ARE INVITED Prep Session Wednesday, November 25, 10:00 a.m. Boston" in words(message)
    assert "Register for this session: https://crm.example/1" in words(message)


@pytest.mark.parametrize("change", ["starts = starts + interval '1 day'", "cancelled_at = now()"])
def test_r8_what_became_of_the_session_does_not_keep_the_reminder(office: Office, announced: str, change: str) -> None:
    office.change(f"UPDATE prep_session SET {change}")
    assert send(office, MessageKind.DEADLINE_REMINDER, reminder("14d"), invitation(), now=T_14) == {"accepted": 1}
    assert "PREP SESSION" not in words(received(office))


def test_r9_a_moved_deadline_where_we_know_of_no_earlier_date(office: Office) -> None:
    office.sign_up(ANA, time_zone=SHANGHAI)
    send(office, MessageKind.DEADLINE_MOVED, MOVED, now=T_7)
    message = received(office)
    assert message["Subject"] == "Your fall 2027 early action deadline has moved"
    assert "Tuesday, December 15, 11:59 p.m. Boston Wednesday, December 16, 12:59 p.m. in Shanghai" in words(message)
    assert "We wrote to you before" not in words(message)
    assert "case by case" in words(message)
    assert not any(word in message.as_string() for word in ("v2", "closed"))
    assert "List-Unsubscribe" in message


@pytest.mark.parametrize(
    ("to", "says"),
    [(date(2026, 12, 15), "You have more time than that."), (date(2026, 11, 28), "The new date is earlier")],
)
def test_r9_a_moved_deadline_names_the_date_that_the_reader_was_told(office: Office, to: date, says: str) -> None:
    office.sign_up(ANA)
    assert office.sweep(T_30) == {"accepted": 1}
    send(office, MessageKind.DEADLINE_MOVED, Cover(**{**vars(MOVED), "stated_date": to}), now=T_14)
    assert f"We wrote to you before: Tuesday, December 1, 11:59 p.m. Boston. {says}" in words(received(office))


def test_r9_the_last_date_that_was_told_is_the_one_that_counts(office: Office) -> None:
    office.sign_up(ANA)
    office.sweep(T_30)
    send(office, MessageKind.DEADLINE_MOVED, MOVED, now=T_14)
    send(office, MessageKind.DEADLINE_MOVED, Cover(**{**vars(MOVED), "stated_date": date(2026, 12, 20)}), now=T_7)
    assert "We wrote to you before: Tuesday, December 15" in words(received(office))


def test_r9_a_date_that_never_left_was_not_told(office: Office) -> None:
    office.sign_up(ANA)
    office.relay.answers["RCPT"] = "450 4.2.1 later"
    office.sweep(T_30)
    office.relay.answers.clear()
    send(office, MessageKind.DEADLINE_MOVED, MOVED, now=T_14)
    assert "We wrote to you before" not in words(received(office))


def test_r9_two_deadlines_that_moved_are_told_in_one_message(office: Office) -> None:
    office.sign_up(ANA)
    final = Cover(program=PROGRAM, entry_term="fall 2027", round="final", stated_date=date(2027, 9, 1), offset="v2")
    assert send(office, MessageKind.DEADLINE_MOVED, final, MOVED, now=T_7 + HOUR + MINUTE) == {"accepted": 1}
    message = received(office)
    assert message["Subject"] == "Your application deadlines have moved"
    assert words(message).index("December 15") < words(message).index("September 1, 2027")


def test_the_stamp_of_a_calendar_file_is_that_of_its_message_also_in_a_second_attempt(
    office: Office, announced: str
) -> None:
    office.relay.answers["content"] = "451 4.7.1 later"
    ids = owe(office, MessageKind.SESSION_CONFIRMATION, SESSION_COVER, now=A_WEEK_BEFORE)
    deliver(office.outbox, held(office, ids), calendar_at(office.outbox, A_WEEK_BEFORE), now=A_WEEK_BEFORE)
    office.relay.answers.clear()
    office.change("UPDATE message SET state = 'claimed', token = 1, lease_until = now() + interval '1 hour'")
    later = A_WEEK_BEFORE.astimezone(UTC) + HOUR
    deliver(office.outbox, held(office, ids), calendar_at(office.outbox, later), now=later)
    first, second = office.relay.offered
    assert first.content == second.content
