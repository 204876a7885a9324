"""The freshness gate at work: looked at by every sweep, and told to operations when it closes and when it opens."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection

from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.domain.freshness import Gate, GateChange, judge
from enrollment_crm.domain.instants import check_aware
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.freshness import (
    deliveries_of,
    exchange_gate_memory,
    note_first_seen,
    restore_gate_memory,
)
from enrollment_crm.workflows.outbox import Outbox

_KIND = RecordKind.APPLICATION.value


def gate_in(connection: Connection, outbox: Outbox, now: datetime) -> Gate:
    """The gate as this transaction sees it."""
    watch = outbox.freshness
    sources = [one.source for one in watch.sources]
    deliveries = deliveries_of(connection, sources, kind=_KIND) if sources else {}
    return judge(watch, deliveries, check_aware(now))


def gate_at(outbox: Outbox, *, now: datetime) -> Gate:
    """The gate as it stands."""
    with transaction(outbox.engine) as connection:
        return gate_in(connection, outbox, now)


def note_sources(connection: Connection, outbox: Outbox, now: datetime) -> None:
    """Remember since when the watched sources are set up: one that never delivers counts from then on."""
    watch = outbox.freshness
    set_up = [one.source for one in watch.sources if one.is_set_up]
    known = deliveries_of(connection, set_up, kind=_KIND) if set_up else {}
    unseen = [source for source in set_up if source not in known or known[source].first_seen is None]
    note_first_seen(connection, unseen, at=watch.judged_at or now)


def tell_of_gate(outbox: Outbox, tell: Callable[[GateChange], None], *, people_held: int, now: datetime) -> Gate:
    """Tell once that the gate has closed, and once that it has opened; whoever fails to tell is asked again.

    Args:
        tell: reaches operations, or raises.
        people_held: how many people this sweep has held.
    """
    gate = gate_at(outbox, now=now)
    with transaction(outbox.engine) as connection:
        before = exchange_gate_memory(connection, is_closed=gate.is_closed, people_held=people_held, at=now)
    if gate.is_closed == (before.closed_since is not None):
        return gate
    try:
        tell(GateChange(gate, people_held if gate.is_closed else before.people_held))
    except BaseException:
        with transaction(outbox.engine) as connection:
            restore_gate_memory(connection, before)
        raise
    return gate
