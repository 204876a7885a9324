"""Complaints and bounces over the limit stop a kind of message; refusals by policies are told to operations."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Engine

from enrollment_crm.domain.campaigns import BounceLimit
from enrollment_crm.domain.facts import Fact
from enrollment_crm.domain.feedback import ComplaintLimit
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.storage.campaigns import count_refused, stop_campaign
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.facts import is_new
from enrollment_crm.storage.feedback import ComplaintCount, count_complaints, newest_complaint, policy_refusals_by_day

#: Reaches operations (subject, sentence), or raises. Counts and kinds, no people.
Tell = Callable[[str, str], object]

_STILL_NEWS = timedelta(days=2)


def stop_over_limit(engine: Engine, limit: ComplaintLimit, *, now: datetime, dry_run: bool = False) -> dict[str, int]:
    """Stop each kind whose complaints are over the limit, until somebody resumes it; gives what was found, as counts.

    A kind that somebody has resumed is stopped again by its next complaint, not by those that they knew. Operations
    are told by ``tell_of_stops``, as of every stop.
    """
    with transaction(engine) as connection:
        counted = count_complaints(connection, window=timedelta(days=limit.window_in_days), now=now)
    over = [one for one in counted if limit.is_exceeded(complaints=one.complaints, accepted=one.accepted)]
    stopped = 0
    for one in over:
        with transaction(engine, dry_run=dry_run) as connection:
            newest = newest_complaint(connection, one.kind)
            if is_new(connection, Fact("complaint_limit", f"{one.kind.value} {newest}", now)):
                stopped += stop_campaign(connection, one.kind, _in_words(one, limit), now)
    complaints = sum(one.complaints for one in counted)
    return {"complaints_in_window": complaints, "over_limit": len(over), "stopped": stopped}


def stop_storms(engine: Engine, limit: BounceLimit, *, now: datetime, dry_run: bool = False) -> dict[str, int]:
    """Stop each kind of which too many messages came back because of their address; gives their number.

    A relay that takes everything and reports afterwards refuses nothing while messages are handed over. What was sent
    before somebody resumed a kind counts no more.
    """
    stopped = 0
    for kind in MessageKind:
        with transaction(engine, dry_run=dry_run) as connection:
            refused = count_refused(connection, kind, window=limit.window)
            if limit.is_exceeded(refused):
                stopped += stop_campaign(connection, kind, limit.in_words(refused), now)
    return {"stopped_by_bounces": stopped}


def _in_words(one: ComplaintCount, limit: ComplaintLimit) -> str:
    return (
        f"{one.complaints} of {one.accepted} messages were reported as spam within {limit.window_in_days} days, more "
        f"than {limit.share:.1%}."
    )


def tell_of_refusals(engine: Engine, *, tell: Tell, now: datetime, dry_run: bool = False) -> dict[str, int]:
    """Tell operations, once a day, that receivers refuse us by policy (5.7.x): nobody is suppressed for that."""
    with transaction(engine) as connection:
        by_day = policy_refusals_by_day(connection, since=now - _STILL_NEWS)
    told = 0
    for day, number in sorted(by_day.items()):
        with transaction(engine, dry_run=dry_run) as connection:
            if is_new(connection, Fact("policy_refusals", day.isoformat(), now)) and not dry_run:
                sentence = (
                    f"{number} or more messages of {day} came back because receivers refuse us by policy (5.7.x). Look "
                    "at SPF, DKIM, DMARC and the reputation of the sending address. Nobody was suppressed."
                )
                tell(f"Receivers refuse us: {number} bounces with 5.7.x", sentence)
                told += 1
    return {"refused_by_policy_lately": sum(by_day.values()), "told": told}
