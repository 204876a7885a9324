"""What the demonstration waits for, and what must be true at its end."""

import mailbox
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import requests
from sqlalchemy.exc import DBAPIError

from enrollment_crm.domain.ledger import TAKEN_BY_RELAY
from enrollment_crm.stack.airflow_client import AirflowClient
from enrollment_crm.stack.errors import StackError
from enrollment_crm.workflows.backlog import Backlog
from enrollment_crm.workflows.overview import Overview

DAGS = ("intake_signups", "intake_applications", "send_reminders")

_LOOK_EVERY_IN_SECONDS = 1.0
#: The clock wakes the DAGs every five minutes; a demonstration does not wait that long after a process was killed.
_WAKE_AFTER_IN_SECONDS = 30.0
_PATIENCE_IN_SECONDS = 600.0
#: A service that has died is started again within some seconds, PostgreSQL after it has recovered.
_ASK_AGAIN_EVERY_IN_SECONDS, _ASK_AGAIN_FOR_IN_SECONDS = 0.5, 120.0

Answer = TypeVar("Answer")


class NotFinishedError(StackError):
    """The DAGs did not end their work in time. Look at the runs in Airflow and at the logs."""


@dataclass(frozen=True)
class Progress:
    """How far the demonstration has come."""

    rows_arrived: int
    rows_expected: int
    backlog: Backlog

    @property
    def is_finished(self) -> bool:
        """Everything has arrived and nothing waits."""
        return self.rows_arrived >= self.rows_expected and self.backlog.total == 0

    def in_words(self) -> str:
        """What has come, and what waits."""
        arrived, waiting = f"{self.rows_arrived} of {self.rows_expected} rows arrived", counted(vars(self.backlog))
        return f"{arrived}; waiting: {waiting}" if waiting else arrived


def counted(numbers: Mapping[str, int]) -> str:
    """What there is and how many of it, such as ``3 failed, 1 uncertain``; what there is not, is not told."""
    return ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in numbers.items() if number)


def wait_until_treated(
    look: Callable[[], Progress], airflow: AirflowClient, *, show: Callable[[Progress], None]
) -> None:
    """Wait until the DAGs have treated everybody; wake them where nothing has moved for long.

    Raises:
        NotFinishedError: they have not within ten minutes.
    """
    began = moved = time.monotonic()
    latest: Progress | None = None
    while True:
        progress = look()
        show(progress)
        if progress.is_finished:
            return
        if progress != latest:
            latest, moved = progress, time.monotonic()
        if time.monotonic() - began > _PATIENCE_IN_SECONDS:
            raise NotFinishedError(f"{NotFinishedError.__doc__} {progress.in_words()}.")
        if time.monotonic() - moved > _WAKE_AFTER_IN_SECONDS:
            moved = time.monotonic()
            wake(airflow, *DAGS)
        time.sleep(_LOOK_EVERY_IN_SECONDS)


def patiently(check: Callable[[], None], ask: Callable[[], Answer]) -> Answer:
    """What a service of the stack answers; where it has died, once it is there again.

    Args:
        check: raises what ends the wait: a service that dies too often.

    Raises:
        requests.RequestException, DBAPIError: it has not answered within two minutes.
    """
    gives_up = time.monotonic() + _ASK_AGAIN_FOR_IN_SECONDS
    while True:
        try:
            return ask()
        except (requests.RequestException, DBAPIError):
            check()
            if time.monotonic() > gives_up:
                raise
        time.sleep(_ASK_AGAIN_EVERY_IN_SECONDS)


def wake(airflow: AirflowClient, *dags: str) -> None:
    """Trigger DAGs; one that cannot be reached now is woken by the clock."""
    for dag in dags:
        with suppress(requests.RequestException):
            airflow.trigger(dag)


def problems_of(seen: Overview, *, rows_expected: int, mail_directory: Path) -> list[str]:
    """What is not as it must be, in words; empty: all is well."""
    intake, states = seen.intake, Counter(one.state for person in seen.people for one in person.messages)
    unfinished = {state: n for state, n in states.items() if not _is_settled(state)}
    arrivals = Counter(_message_ids(mail_directory))
    twice = [message_id for message_id, copies in arrivals.items() if copies > 1]
    checks: Sequence[tuple[bool, str]] = (
        # More: somebody has tried the form.
        (intake.rows_in >= rows_expected, f"{rows_expected} rows were fed, {intake.rows_in} arrived"),
        (intake.rows_in == intake.accepted + intake.quarantined, "rows in are not accepted plus quarantined"),
        (intake.quarantined == len(seen.quarantine), "a quarantined row has no reason"),
        (all(one.reason for one in seen.quarantine), "a quarantined row has an empty reason"),
        (seen.unrouted == 0, f"{seen.unrouted} people have no route"),
        (all(one.owner for one in seen.people), "a routed person has no owner"),
        (all(one.messages for one in seen.people if one.asked), "a signup was neither answered nor withheld"),
        (not unfinished, f"messages without a good end: {counted(unfinished)}"),
        (not twice, f"{len(twice)} messages arrived more than once"),
    )
    return [words for holds, words in checks if not holds]


def _is_settled(state: str) -> bool:
    return state in TAKEN_BY_RELAY or state.startswith("withheld")


def _message_ids(mail_directory: Path) -> list[str]:
    folder = mailbox.Maildir(mail_directory, create=False)
    return [str(message["Message-ID"]) for message in folder]


def count_mails(mail_directory: Path) -> int:
    """How many messages the mail server has kept."""
    return len(mailbox.Maildir(mail_directory, create=False)) if mail_directory.is_dir() else 0
