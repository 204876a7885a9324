"""Delivery: claim, act, record. What is due is claimed a few people at a time and sent; what was left is taken up."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from enrollment_crm.domain.campaigns import CampaignStoppedError, RelayDownError
from enrollment_crm.domain.ledger import ClaimedMessage, MessageState, resend_when_unknown
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.tally import Tally
from enrollment_crm.domain.transmission import FIRST_GROUP, next_group_size
from enrollment_crm.mail.failpoints import Place
from enrollment_crm.storage.claims import Claim
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.ledger import messages_with_readers, permit_second_copy, record_end, record_retry
from enrollment_crm.storage.transmission import record_accepted
from enrollment_crm.storage.unfinished import Reclaimed, reclaim_to_retry, reclaim_vanished
from enrollment_crm.workflows.campaigns import check_not_stopped
from enrollment_crm.workflows.composition import Calendar
from enrollment_crm.workflows.outbox import Outbox
from enrollment_crm.workflows.pacing import let_go, wait_for_turn
from enrollment_crm.workflows.transmission import give_back, transmit

#: People claimed in one transaction: so many that what a claim costs is shared, and few enough that a relay which takes
#: a second for each is done with them well within one lease.
PEOPLE_A_CLAIM = 400


@dataclass(frozen=True)
class Claimed:
    """What one claim did: how much it settled, how much of that it withheld, and the messages that are ours now."""

    settled: int
    withheld: int
    messages: Sequence[ClaimedMessage]


def claim(outbox: Outbox, kind: MessageKind, ask: Callable[[Connection], Claim | Reclaimed]) -> Claimed:
    """One claim in a transaction of its own; what it gives is this worker's from the commit on.

    The messages are read in the same transaction: read later, they could have another worker's token.

    Raises:
        CampaignStoppedError: messages of this kind are stopped.
    """
    outbox.failpoint.reach(Place.BEFORE_CLAIM)
    with transaction(outbox.engine) as connection:
        check_not_stopped(connection, kind)
        done = ask(connection)
        claimed = Claimed(done.settled, done.withheld, messages_with_readers(connection, done.message_ids))
    outbox.failpoint.reach(Place.AFTER_CLAIM)
    return claimed


def claim_and_deliver(
    outbox: Outbox, kind: MessageKind, ask: Callable[[Connection], Claim], calendar: Calendar, *, now: datetime
) -> Tally:
    """Claim and send, again and again, until a claim finds nobody any more."""
    tally = Tally()
    while (claimed := claim(outbox, kind, ask)).settled:
        tally.add_withheld(claimed.withheld)
        tally += deliver(outbox, claimed.messages, calendar, now=now)
    return tally


def deliver(outbox: Outbox, messages: Sequence[ClaimedMessage], calendar: Calendar, *, now: datetime) -> Tally:
    """Send the messages that this worker has claimed, a group at a time.

    Raises:
        CampaignStoppedError: the relay refuses us; messages not tried yet are given back.
        RelayDownError: the relay does not answer; messages not tried yet are given back.
    """
    tally, size = Tally(), FIRST_GROUP
    waiting = let_go(outbox, messages, tally) if outbox.messages_a_minute else messages
    while waiting:
        group, waiting = waiting[:size], waiting[size:]
        began = time.monotonic()
        try:
            transmit(outbox, group, calendar, tally, now=now)
        except (CampaignStoppedError, RelayDownError) as stop:
            give_back(outbox, waiting, outcome=str(stop.__cause__ or stop))
            raise
        size = next_group_size(size, took=timedelta(seconds=time.monotonic() - began))
    return tally


def resume(outbox: Outbox, kind: MessageKind, calendar: Calendar, *, now: datetime) -> Tally:
    """Bring what vanished workers and refusals left behind to an end: find out, send again, or withhold."""
    tally = find_out_about_vanished(outbox, kind, now=now)
    gives_up = time.monotonic() + outbox.patience.total_seconds()
    while True:
        reclaimed = claim(outbox, kind, partial(_reclaim, outbox, kind, now))
        if not reclaimed.settled:
            if wait_for_turn(outbox, kind, until=gives_up):
                continue
            return tally
        tally.add_withheld(reclaimed.withheld)
        messages = [one for one in reclaimed.messages if _may_go_out(outbox, one, tally, now=now)]
        tally += deliver(outbox, messages, calendar, now=now)


def _may_go_out(outbox: Outbox, message: ClaimedMessage, tally: Tally, *, now: datetime) -> bool:
    """Whether handing it over makes no second copy, or one that it is worth; what becomes of it otherwise is recorded.

    That was asked when its worker had vanished. A stopped campaign or an outage may have held it since, for longer than
    a provider remembers a key.
    """
    if not message.may_have_left:
        return True
    accepted = outbox.transport.was_accepted(message.message_id or "", since=message.claimed_at)
    if accepted is None and resend_when_unknown(message):
        with transaction(outbox.engine) as connection:
            permit_second_copy(connection, message)
    elif accepted is not False:
        tally.add(_settle(outbox, message, is_accepted=bool(accepted), now=now))
        return False
    return True


def _reclaim(outbox: Outbox, kind: MessageKind, now: datetime, connection: Connection) -> Reclaimed:
    return reclaim_to_retry(connection, kind, topics=outbox.topics, limit=PEOPLE_A_CLAIM, lease=outbox.lease, now=now)


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
    if accepted is False or (accepted is None and resend_when_unknown(message)):
        asks_again = accepted is False
        with transaction(outbox.engine) as connection:
            vanished = "its worker vanished while transmitting"
            record_retry(
                connection, message, outcome=vanished, delay=timedelta(0), refused=False, may_have_left=asks_again
            )
        return MessageState.RETRY
    return _settle(outbox, message, is_accepted=bool(accepted), now=now)


def _settle(outbox: Outbox, message: ClaimedMessage, *, is_accepted: bool, now: datetime) -> MessageState:
    """The relay's log has it, or nobody can tell: then it is operations' to look up."""
    if is_accepted:
        with transaction(outbox.engine) as connection:
            record_accepted(connection, [(message, "found in the relay's accept log")], now=now)
        return MessageState.ACCEPTED
    outcome = "Its worker vanished while transmitting, and no accept log can tell. Look it up at the relay."
    with transaction(outbox.engine) as connection:
        record_end(connection, message, state=MessageState.UNCERTAIN, outcome=outcome)
    return MessageState.UNCERTAIN
