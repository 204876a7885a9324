"""The tasks of the DAG ``sync_calendar``. Dates, sessions and counts travel between them, no people."""

import logging
from collections.abc import Mapping
from typing import Any

from enrollment_crm.bootstrap import clock_of, engine_of, outbox_of, programs_of
from enrollment_crm.domain.calendar_sync import CalendarUnreadError, NotApprovedError, problems_in_words
from enrollment_crm.orchestration.run_parameters import read_parameters
from enrollment_crm.settings import Settings
from enrollment_crm.workflows import calendar_sync
from enrollment_crm.workflows.calendar_plans import from_json, to_json

Counts = dict[str, int]
#: What travels from `compare`: the plan as JSON, the question that a person answers, and figures.
Compared = dict[str, Any]

_LOG = logging.getLogger(__name__)
_APPROVE = "Approve"


def read(params: Mapping[str, Any], *, is_last_try: bool) -> str:
    """Read the sources of every program. One that does not answer is asked again until the last try, then left out.

    Raises:
        FeedUnreachableError: a source does not answer, and this is not the last try.
    """
    settings = Settings()
    run = read_parameters(params, clock=clock_of(settings))
    readings = calendar_sync.read_calendars(
        engine_of(settings),
        programs_of(settings),
        now=run.now,
        timeout_in_seconds=settings.feed_timeout_in_seconds,
    )
    if not is_last_try:
        calendar_sync.check_answered(readings)
    return calendar_sync.readings_to_json(readings)


def check_understood(readings: str) -> Counts:
    """Nothing, if every source was read to its end.

    Raises:
        CalendarUnreadError: parts were not; it says which page, what was looked for, and what to do.
    """
    read = calendar_sync.readings_from_json(readings)
    problems = problems_in_words(read)
    if problems:
        raise CalendarUnreadError(
            "Not read, and so not changed (what was understood goes on to `compare`): " + " | ".join(problems)
        )
    return {"programs": len(read)}


def compare(readings: str, params: Mapping[str, Any]) -> Compared:
    """Put what was read beside what is in force. ``is_asked``: whether a person has something to approve."""
    settings = Settings()
    run = read_parameters(params, clock=clock_of(settings))
    engine = engine_of(settings)
    read = calendar_sync.readings_from_json(readings)
    compared = calendar_sync.compare_calendars(
        engine, outbox_of(settings, engine), read, now=run.now, dry_run=run.dry_run
    )
    words = calendar_sync.compared_in_words(compared)
    _LOG.info("%s", words)
    return {
        "is_asked": not compared.plan.is_empty and not run.dry_run,
        "plan": to_json(compared.plan),
        "subject": calendar_sync.subject_of(compared.plan),
        "words": words,
        "counts": compared.counts(),
    }


def apply(plan: str, answer: Mapping[str, Any] | None, *, run_id: str) -> Counts:
    """Make the changes that a person approved in Airflow, in their name. Looks at the answer itself.

    Raises:
        NotApprovedError: the task of the approval is green, but no person approved: somebody marked it.
        StalePlanError: the calendar has changed meanwhile.
    """
    user = (answer or {}).get("responded_by_user") or {}
    by = str(user.get("name") or user.get("id") or "")
    if (answer or {}).get("chosen_options") != [_APPROVE] or not by:
        raise NotApprovedError(NotApprovedError.__doc__)
    settings = Settings()
    engine = engine_of(settings)
    change = calendar_sync.apply_approved(
        engine,
        outbox_of(settings, engine).cadences,
        from_json(plan),
        by=by,
        why=f"approved in Airflow: sync_calendar {run_id}",
        now=clock_of(settings)(),
    )
    for line in change.changes:
        _LOG.info("%s", line)
    return {"changes": len(change.changes)}


def summarise(compared: Compared, applied: Counts | None) -> Counts:
    """What the run came to, in the log and as counts."""
    _LOG.info("%s", _outcome(compared, applied))
    return dict(compared["counts"]) | {"applied": (applied or {}).get("changes", 0)}


def _outcome(compared: Compared, applied: Counts | None) -> str:
    counts = compared["counts"]
    if applied:
        return f"Approved: {applied['changes']} changes were made. What follows goes out with the next sweep."
    if compared["is_asked"]:
        # Airflow keeps no answer that skips what follows; who gave it stands in Required Actions.
        return (
            "Not approved (rejected, or not answered in time): nothing was changed. "
            "The next run asks again while pages and calendar differ."
        )
    if counts["deadlines"] or counts["sessions"]:
        return "A dry run: nobody was asked, and nothing was changed."
    return "Nothing differs: the calendar in force says what the pages say, as far as they were read."
