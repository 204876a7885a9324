"""The demonstration's patience with services that are started again."""

from collections.abc import Callable

import pytest
import requests
from sqlalchemy.exc import OperationalError

from enrollment_crm.cli import demo_outcome
from enrollment_crm.cli.demo_outcome import Progress, counted, patiently
from enrollment_crm.stack.errors import StackError
from enrollment_crm.workflows.backlog import Backlog


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_outcome, "_ASK_AGAIN_EVERY_IN_SECONDS", 0)


def answering(*answers: object) -> Callable[[], object]:
    """Gives these in turn; what is an exception is raised."""
    waiting = list(answers)

    def ask() -> object:
        answer = waiting.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return ask


GONE = (requests.ConnectionError("refused"), OperationalError("SELECT 1", {}, Exception("gone")))


def test_a_service_that_is_started_again_is_asked_again() -> None:
    assert patiently(lambda: None, answering(*GONE, "here")) == "here"


def test_one_that_dies_too_often_ends_the_wait() -> None:
    def check() -> None:
        raise StackError("it dies too often")

    with pytest.raises(StackError):
        patiently(check, answering(*GONE, "here"))


def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_outcome, "_ASK_AGAIN_FOR_IN_SECONDS", -1)
    with pytest.raises(requests.ConnectionError):
        patiently(lambda: None, answering(*GONE))


def test_what_is_wrong_otherwise_is_said_at_once() -> None:
    with pytest.raises(ValueError, match="another"):
        patiently(lambda: None, answering(ValueError("another"), "here"))


def test_how_far_it_is_is_said_in_words() -> None:
    nothing = dict.fromkeys(Backlog.__dataclass_fields__, 0)
    progress = Progress(3, 5, Backlog(**nothing | {"rows_to_validate": 2}))
    assert progress.in_words() == "3 of 5 rows arrived; waiting: 2 rows to validate"
    assert Progress(5, 5, Backlog(**nothing)).in_words() == "5 of 5 rows arrived"


def test_counts_are_said_in_words() -> None:
    assert counted({"failed": 3, "accepted": 0, "in_flight": 1}) == "3 failed, 1 in flight"
