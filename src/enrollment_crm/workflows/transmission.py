"""Transmission: a few claimed messages are frozen together, handed to the relay one by one, and recorded.

No transaction is open while the relay speaks. The durable ``transmitting`` of the whole group is committed before the
first of its messages begins to leave; each looks at this worker's own clock right before its content does. Answers are
recorded when the group ends, and in between when that takes longer than a moment.
"""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from enrollment_crm.domain.bounces import enhanced_status, is_hard_bounce
from enrollment_crm.domain.campaigns import CampaignStoppedError, RelayDownError
from enrollment_crm.domain.ledger import ClaimedMessage, MessageState, retry_delay
from enrollment_crm.domain.suppressions import SuppressionReason
from enrollment_crm.domain.tally import Tally
from enrollment_crm.domain.transmission import MOMENT
from enrollment_crm.mail.addresses import mailbox_of
from enrollment_crm.mail.failpoints import Place
from enrollment_crm.mail.messages import OutgoingMessage, envelope_sender_of
from enrollment_crm.mail.transport import (
    AddressRefused,
    InternationalAddressRefused,
    OutcomeUnknown,
    RecipientNotAllowed,
    RelayUnreachable,
    SenderRefused,
    TemporarilyRefused,
)
from enrollment_crm.storage.campaigns import count_refused, stop_campaign
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.ledger import record_end, record_retry
from enrollment_crm.storage.suppressions import suppress_person
from enrollment_crm.storage.transmission import FrozenMessage, begin_transmissions, record_accepted
from enrollment_crm.workflows.campaigns import check_not_stopped
from enrollment_crm.workflows.composition import Calendar
from enrollment_crm.workflows.outbox import Outbox
from enrollment_crm.workflows.writing import (
    CannotBeReached,
    CannotBeWritten,
    FrozenBytesChangedError,
    Written,
    write_message,
)

_TOO_LITTLE_LEASE = "Too little of the lease was left for the relay's answer: nothing was sent."


class LeaseEndingError(Exception):
    """Too little of the lease is left for a whole dialogue. Send nothing: the message may soon be another worker's."""


@dataclass
class _Group:
    """Messages that were frozen together, and how far this worker has come with them."""

    outbox: Outbox
    tally: Tally
    now: datetime
    #: By this worker's own clock: nothing begins to leave from then on.
    begin_before: float
    #: Whether the content of the message in hand may have begun to leave.
    has_begun: bool = False
    #: What the relay took and nobody recorded yet, with its answers.
    unrecorded: list[tuple[ClaimedMessage, str]] = field(default_factory=list)
    recorded_at: float = field(default_factory=time.monotonic)


def transmit(
    outbox: Outbox, messages: Sequence[ClaimedMessage], calendar: Calendar, tally: Tally, *, now: datetime
) -> None:
    """Freeze, send and settle these messages, and count in the tally what became of them.

    Raises:
        CampaignStoppedError: the relay refuses us; those that were not tried are given back.
        RelayDownError: the relay does not answer; those that were not tried are given back.
    """
    written = _write(outbox, messages, calendar, tally, now=now)
    if not written:
        return
    began = time.monotonic()
    ours = _begin_transmissions(outbox, written)
    tally.add(MessageState.CLAIMED, len(written) - len(ours))
    group = _Group(outbox, tally, now, begin_before=began + (outbox.lease - outbox.longest_dialogue).total_seconds())
    waiting = [one for one in written if one[0].id in ours]
    try:
        while waiting:
            message, outgoing = waiting.pop(0)
            try:
                _send(group, message, outgoing.outgoing)
            except (CampaignStoppedError, RelayDownError, LeaseEndingError) as stop:
                give_back(outbox, [one for one, _ in waiting], outcome=str(stop.__cause__ or stop))
                if not isinstance(stop, LeaseEndingError):
                    raise
                tally.add(MessageState.RETRY, len(waiting))
                return
    finally:
        _record(group)


def _begin_transmissions(outbox: Outbox, written: Sequence[tuple[ClaimedMessage, Written]]) -> frozenset[int]:
    """Freeze the group, unless its kind was stopped since the claim: by another worker, a person, or complaints."""
    try:
        with transaction(outbox.engine) as connection:
            check_not_stopped(connection, written[0][0].kind)
            return begin_transmissions(connection, [_frozen(*one) for one in written], lease=outbox.lease)
    except CampaignStoppedError as stop:
        give_back(outbox, [message for message, _ in written], outcome=str(stop))
        raise


def _write(
    outbox: Outbox, messages: Sequence[ClaimedMessage], calendar: Calendar, tally: Tally, *, now: datetime
) -> list[tuple[ClaimedMessage, Written]]:
    """The messages that can be written, with their bytes; what becomes of the others is recorded."""
    written = []
    for message in messages:
        try:
            written.append(
                (message, _bytes_of_before(outbox, message) or write_message(outbox, message, calendar, now=now))
            )
        except (CannotBeReached, FrozenBytesChangedError) as reason:
            _end(outbox, message, MessageState.FAILED, str(reason))
            tally.add(MessageState.FAILED)
        except CannotBeWritten as reason:
            _refused_for_now(outbox, message, outcome=str(reason), nothing_left=False)
            tally.add(MessageState.RETRY)
    return written


def _bytes_of_before(outbox: Outbox, message: ClaimedMessage) -> Written | None:
    """The bytes of an earlier attempt, which go out again unchanged under the same Message-ID.

    Raises:
        FrozenBytesChangedError: they are others by now.
    """
    if message.content is None or message.message_id is None:
        return None
    if hashlib.sha256(message.content).hexdigest() != message.content_sha256:
        raise FrozenBytesChangedError(FrozenBytesChangedError.__doc__)
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


def _frozen(message: ClaimedMessage, written: Written) -> FrozenMessage:
    return FrozenMessage(message, written.outgoing.message_id, written.outgoing.content, written.template_version)


def _send(group: _Group, message: ClaimedMessage, outgoing: OutgoingMessage) -> None:
    """Hand one message over, and settle it unless the relay took it: that is recorded with others."""
    group.has_begun = False
    outbox, tally = group.outbox, group.tally
    try:
        reply = outbox.transport.send(outgoing, before_data=lambda: _begin(group))
    except LeaseEndingError:
        give_back(outbox, [message], outcome=_TOO_LITTLE_LEASE)
        tally.add(MessageState.RETRY)
        raise
    except RelayUnreachable as error:
        give_back(outbox, [message], outcome=str(error), nothing_left=not group.has_begun)
        raise RelayDownError(RelayDownError.__doc__) from error
    except SenderRefused as error:
        _refused_for_now(outbox, message, outcome=str(error), nothing_left=not group.has_begun)
        with transaction(outbox.engine) as connection:
            stop_campaign(connection, message.kind, str(error), group.now)
        raise CampaignStoppedError(CampaignStoppedError.__doc__) from error
    except TemporarilyRefused as error:
        _refused_for_now(outbox, message, outcome=str(error), nothing_left=not group.has_begun)
        tally.add(MessageState.RETRY)
    except OutcomeUnknown:
        tally.add(MessageState.TRANSMITTING)
    except AddressRefused as error:
        tally.add(MessageState.FAILED)
        if _refused_address(group, message, error):
            raise CampaignStoppedError(CampaignStoppedError.__doc__) from error
    else:
        outbox.failpoint.reach(Place.AFTER_250)
        group.unrecorded.append((message, reply))
    if time.monotonic() - group.recorded_at > MOMENT.total_seconds():
        _record(group)


def _begin(group: _Group) -> None:
    """Called right before the content leaves: this worker's own clock decides whether it still may."""
    group.outbox.failpoint.reach(Place.BEFORE_DATA)
    if time.monotonic() >= group.begin_before:
        raise LeaseEndingError(LeaseEndingError.__doc__)
    group.has_begun = True


def _record(group: _Group) -> None:
    """Write down what the relay took. Of what another worker has settled meanwhile nothing changes."""
    group.recorded_at = time.monotonic()
    if not group.unrecorded:
        return
    with transaction(group.outbox.engine) as connection:
        record_accepted(connection, group.unrecorded, now=group.now)
    group.tally.add(MessageState.ACCEPTED, len(group.unrecorded))
    group.unrecorded.clear()
    group.outbox.failpoint.reach(Place.AFTER_COMMIT)


def give_back(outbox: Outbox, messages: Sequence[ClaimedMessage], *, outcome: str, nothing_left: bool = True) -> None:
    """The messages are not at fault: they are tried again soon, however often that happens."""
    with transaction(outbox.engine) as connection:
        for message in messages:
            delay = retry_delay(message, refusals=1)
            record_retry(connection, message, outcome=outcome, delay=delay, refused=False, nothing_left=nothing_left)


def _refused_for_now(outbox: Outbox, message: ClaimedMessage, *, outcome: str, nothing_left: bool) -> None:
    delay = retry_delay(message, refusals=message.refusals + 1)
    with transaction(outbox.engine) as connection:
        record_retry(connection, message, outcome=outcome, delay=delay, refused=True, nothing_left=nothing_left)


def _end(outbox: Outbox, message: ClaimedMessage, state: MessageState, outcome: str) -> None:
    with transaction(outbox.engine) as connection:
        record_end(connection, message, state=state, outcome=outcome)


def _refused_address(group: _Group, message: ClaimedMessage, error: AddressRefused) -> bool:
    """The address is refused for good: the message fails, and a hard bounce withholds all that follow (R7).

    Gives whether it was one too many: then the campaign is stopped.
    """
    is_ours = isinstance(error, InternationalAddressRefused | RecipientNotAllowed)
    with transaction(group.outbox.engine) as connection:
        record_end(connection, message, state=MessageState.FAILED, outcome=str(error), nothing_left=is_ours)
        if not is_ours and is_hard_bounce(error.reply):
            suppress_person(
                connection,
                message.reader.person_id,
                SuppressionReason.RELAY_REFUSED,
                at=group.now,
                by="relay",
                why=enhanced_status(error.reply) or "",
                message_row_id=message.id,
            )
        if is_ours:
            return False
        limit = group.outbox.bounce_limit
        refused = count_refused(connection, message.kind, window=limit.window)
        if limit.is_exceeded(refused):
            # Where another worker was first, its reason stays; this one ends as well.
            stop_campaign(connection, message.kind, limit.in_words(refused), group.now)
        return limit.is_exceeded(refused)
