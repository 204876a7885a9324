"""Delivery: claim, act, record. Each message is frozen, transmitted and settled on its own.

No transaction is open while the relay speaks: begin_transmission commits before the first byte of DATA,
and the outcome is recorded after the relay's answer.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from enrollment_crm.domain.bounces import enhanced_status, is_hard_bounce
from enrollment_crm.domain.campaigns import CampaignStoppedError, RelayDownError
from enrollment_crm.domain.ledger import ClaimedMessage, MessageState, resend_when_unknown, retry_delay
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.suppressions import SuppressionReason
from enrollment_crm.mail.addresses import mailbox_of
from enrollment_crm.mail.messages import OutgoingMessage, envelope_sender_of
from enrollment_crm.mail.transport import (
    AddressRefused,
    InternationalAddressRefused,
    OutcomeUnknown,
    RelayUnreachable,
    SenderRefused,
    TemporarilyRefused,
)
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.ledger import (
    LeaseLostError,
    begin_transmission,
    messages_with_readers,
    record_accepted,
    record_end,
    record_retry,
)
from enrollment_crm.storage.suppressions import suppress_person
from enrollment_crm.storage.unfinished import reclaim_to_retry, reclaim_vanished
from enrollment_crm.workflows.composition import Calendar
from enrollment_crm.workflows.outbox import Outbox
from enrollment_crm.workflows.writing import CannotBeReached, CannotBeWritten, Written, write_message

#: People claimed in one transaction: few enough to be sent well within one lease.
PEOPLE_A_CLAIM = 50


@dataclass
class Tally:
    """What became of messages: counts by state, and withheld ones by themselves."""

    counts: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of_planned(cls, number: int) -> "Tally":
        """What a dry run gives: messages that would be claimed."""
        return cls(Counter({"planned": number}))

    @classmethod
    def of_held(cls, number: int) -> "Tally":
        """What a closed freshness gate gives: messages that were not claimed."""
        return cls(Counter({"held": number}))

    def add(self, state: MessageState, number: int = 1) -> None:
        """Count messages that stand in this state now."""
        if number:
            self.counts[state.value] += number

    def add_withheld(self, number: int) -> None:
        """Count covers that were recorded as withheld when they were claimed."""
        self.add(MessageState.WITHHELD, number)

    def __iadd__(self, other: "Tally") -> "Tally":
        self.counts.update(other.counts)
        return self


def deliver(outbox: Outbox, ids: Sequence[int], calendar: Calendar, *, now: datetime) -> Tally:
    """Send the messages that this worker has claimed, one after the other.

    Raises:
        CampaignStoppedError: the relay refuses us; messages not tried yet are given back.
        RelayDownError: the relay does not answer; messages not tried yet are given back.
    """
    tally = Tally()
    with transaction(outbox.engine) as connection:
        messages = messages_with_readers(connection, ids)
    lease_ends = time.monotonic() + outbox.lease.total_seconds()
    for position, message in enumerate(messages):
        try:
            tally.add(_send(outbox, message, calendar, lease_ends=lease_ends, now=now))
        except (CampaignStoppedError, RelayDownError) as stop:
            for waiting in messages[position + 1 :]:
                _give_back(outbox, waiting, outcome=str(stop.__cause__ or stop))
            raise
    return tally


def _send(
    outbox: Outbox, message: ClaimedMessage, calendar: Calendar, *, lease_ends: float, now: datetime
) -> MessageState:
    try:
        written = _frozen(outbox, message) or write_message(outbox, message, calendar, now=now)
    except CannotBeReached as reason:
        return _end(outbox, message, MessageState.FAILED, str(reason))
    except CannotBeWritten as reason:
        return _refused_for_now(outbox, message, outcome=str(reason))
    return _transmit(outbox, message, written, lease_ends=lease_ends, now=now)


def _transmit(
    outbox: Outbox, message: ClaimedMessage, written: Written, *, lease_ends: float, now: datetime
) -> MessageState:
    try:
        reply = outbox.transport.send(
            written.outgoing, before_data=lambda: _before_data(outbox, message, written, lease_ends)
        )
    except LeaseLostError:
        return MessageState.CLAIMED
    except RelayUnreachable as error:
        _give_back(outbox, message, outcome=str(error))
        raise RelayDownError(RelayDownError.__doc__) from error
    except SenderRefused as error:
        _refused_for_now(outbox, message, outcome=str(error))
        raise CampaignStoppedError(CampaignStoppedError.__doc__) from error
    except TemporarilyRefused as error:
        return _refused_for_now(outbox, message, outcome=str(error))
    except OutcomeUnknown:
        return MessageState.TRANSMITTING
    except AddressRefused as error:
        return _refused_address(outbox, message, error, now)
    with transaction(outbox.engine) as connection:
        record_accepted(connection, message, reply=reply, now=now)
    return MessageState.ACCEPTED


def _frozen(outbox: Outbox, message: ClaimedMessage) -> Written | None:
    """The bytes of an earlier attempt, which go out again unchanged under the same Message-ID."""
    if message.content is None or message.message_id is None:
        return None
    mailbox = mailbox_of(message.reader.email)
    outgoing = OutgoingMessage(
        envelope_sender=envelope_sender_of(
            message.message_id, secret=outbox.secret, mail_domain=outbox.sender.mail_domain
        ),
        envelope_recipient=mailbox.spec,
        message_id=message.message_id,
        content=message.content,
        requires_smtputf8=mailbox.requires_smtputf8,
    )
    return Written(outgoing, template_version=None)


def _before_data(outbox: Outbox, message: ClaimedMessage, written: Written, lease_ends: float) -> None:
    """Called right before DATA: our own clock first, then the durable record that the first byte may leave."""
    if time.monotonic() >= lease_ends:
        raise LeaseLostError(LeaseLostError.__doc__)
    content = written.outgoing.content
    with transaction(outbox.engine) as connection:
        begin_transmission(
            connection,
            message,
            message_id=written.outgoing.message_id,
            content=content,
            sha256=hashlib.sha256(content).hexdigest(),
            template_version=written.template_version,
        )


def _refused_for_now(outbox: Outbox, message: ClaimedMessage, *, outcome: str) -> MessageState:
    delay = retry_delay(message, refusals=message.refusals + 1)
    with transaction(outbox.engine) as connection:
        record_retry(connection, message, outcome=outcome, delay=delay, refused=True)
    return MessageState.RETRY


def _give_back(outbox: Outbox, message: ClaimedMessage, *, outcome: str) -> MessageState:
    """The message is not at fault: it is tried again soon, however often that happens."""
    delay = retry_delay(message, refusals=1)
    with transaction(outbox.engine) as connection:
        record_retry(connection, message, outcome=outcome, delay=delay, refused=False)
    return MessageState.RETRY


def _end(outbox: Outbox, message: ClaimedMessage, state: MessageState, outcome: str) -> MessageState:
    with transaction(outbox.engine) as connection:
        record_end(connection, message, state=state, outcome=outcome)
    return state


def _refused_address(outbox: Outbox, message: ClaimedMessage, error: AddressRefused, now: datetime) -> MessageState:
    """The address is refused for good: the message fails, and a hard bounce withholds all that follow (R7)."""
    with transaction(outbox.engine) as connection:
        record_end(connection, message, state=MessageState.FAILED, outcome=str(error))
        if not isinstance(error, InternationalAddressRefused) and is_hard_bounce(error.reply):
            suppress_person(
                connection,
                message.reader.person_id,
                SuppressionReason.RELAY_REFUSED,
                at=now,
                by="relay",
                why=enhanced_status(error.reply) or "",
                message_row_id=message.id,
            )
    return MessageState.FAILED


def resume(outbox: Outbox, kind: MessageKind, calendar: Calendar, *, now: datetime) -> Tally:
    """Bring what vanished workers and refusals left behind to an end: find out, send again, or withhold."""
    tally = find_out_about_vanished(outbox, kind, now=now)
    while True:
        with transaction(outbox.engine) as connection:
            reclaimed = reclaim_to_retry(
                connection,
                kind,
                topics=outbox.topics,
                limit=PEOPLE_A_CLAIM,
                lease=outbox.lease,
                now=now,
            )
        if not reclaimed.settled:
            return tally
        tally.add_withheld(reclaimed.withheld)
        tally += deliver(outbox, reclaimed.message_ids, calendar, now=now)


def reconcile(outbox: Outbox, *, now: datetime) -> Tally:
    """Find out what became of every message, of any kind, whose worker vanished while it transmitted; sends nothing."""
    tally = Tally()
    for kind in MessageKind:
        tally += find_out_about_vanished(outbox, kind, now=now)
    return tally


def find_out_about_vanished(outbox: Outbox, kind: MessageKind, *, now: datetime) -> Tally:
    """Ask what became of messages whose workers vanished while they transmitted; sends nothing."""
    tally = Tally()
    while True:
        with transaction(outbox.engine) as connection:
            vanished = reclaim_vanished(connection, kind, limit=PEOPLE_A_CLAIM, lease=outbox.lease)
            messages = messages_with_readers(connection, vanished)
        if not messages:
            return tally
        for message in messages:
            tally.add(_reconcile(outbox, message, now=now))


def _reconcile(outbox: Outbox, message: ClaimedMessage, *, now: datetime) -> MessageState:
    """A message whose outcome nobody recorded: the relay's accept log knows, or the policy of its kind decides."""
    accepted = outbox.transport.was_accepted(message.message_id or "", since=message.claimed_at)
    if accepted:
        with transaction(outbox.engine) as connection:
            record_accepted(connection, message, reply="found in the relay's accept log", now=now)
        return MessageState.ACCEPTED
    if accepted is False or resend_when_unknown(message):
        vanished = "its worker vanished while transmitting"
        with transaction(outbox.engine) as connection:
            record_retry(connection, message, outcome=vanished, delay=timedelta(0), refused=False)
        return MessageState.RETRY
    outcome = "Its worker vanished while transmitting, and no accept log can tell. Look it up at the relay."
    return _end(outbox, message, MessageState.UNCERTAIN, outcome)
