"""The demonstration's patience with services that are started again."""

from collections.abc import Callable

import pytest
import requests
from sqlalchemy.exc import OperationalError

from enrollment_crm.cli import demo_outcome
from enrollment_crm.cli.demo_outcome import patiently
from enrollment_crm.stack.errors import StackError


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
