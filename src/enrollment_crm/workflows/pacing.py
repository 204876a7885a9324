"""Pacing: messages over the limit of their recipient domain are left for later, the others go."""

import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

from enrollment_crm.domain.ledger import ClaimedMessage
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.pacing import limited_domain, share_out
from enrollment_crm.domain.tally import Tally
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.ledger import record_retry
from enrollment_crm.storage.pacing import database_now, hold_pace, keep_pace, seconds_to_next_turn
from enrollment_crm.workflows.outbox import Outbox

_OVER_THE_LIMIT = "Over the limit of its domain (CRM_MESSAGES_A_MINUTE): it has its turn later."


#: How often it is looked at most, who has their turn.
_AT_LEAST_IN_SECONDS = 0.5


def let_go(outbox: Outbox, messages: Sequence[ClaimedMessage], tally: Tally) -> list[ClaimedMessage]:
    """Those of the messages that may go now, in their order; the others wait for their turn in the ledger."""
    by_domain: defaultdict[str, list[ClaimedMessage]] = defaultdict(list)
    for one in messages:
        if domain := limited_domain(one.reader.email, outbox.messages_a_minute):
            by_domain[domain].append(one)
    waiting: dict[int, timedelta] = {}
    # Always in the same order: two workers never wait for each other.
    for domain in sorted(by_domain):
        waiting |= _share_out(outbox, domain, by_domain[domain])
    tally.add_over_limit(len(waiting))
    return [one for one in messages if one.id not in waiting]


def wait_for_turn(outbox: Outbox, kind: MessageKind, *, until: float) -> bool:
    """Wait until a message over the limit of its domain has its turn; False: none has before then.

    Only what is taken up again waits, so that no other message does.

    Args:
        until: by this process's monotonic clock.
    """
    if not outbox.messages_a_minute:
        return False
    with transaction(outbox.engine) as connection:
        turn = seconds_to_next_turn(connection, kind, outcome=_OVER_THE_LIMIT)
    if turn is None or time.monotonic() + turn > until:
        return False
    # Others have their turn soon after: they are taken up together.
    time.sleep(max(turn, _AT_LEAST_IN_SECONDS))
    return True


def _share_out(outbox: Outbox, domain: str, messages: Sequence[ClaimedMessage]) -> dict[int, timedelta]:
    with transaction(outbox.engine) as connection:
        pace = hold_pace(connection, domain)
        turns = share_out(pace, len(messages), a_minute=outbox.messages_a_minute[domain], now=database_now(connection))
        keep_pace(connection, domain, turns.pace)
        later = dict(zip([one.id for one in messages[turns.now :]], turns.later, strict=True))
        for one in messages[turns.now :]:
            record_retry(connection, one, outcome=_OVER_THE_LIMIT, delay=later[one.id], refused=False)
    return later
