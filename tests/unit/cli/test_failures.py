"""What a person can mend is said in a sentence, and ends with 1."""

import pytest
from psycopg.errors import DeadlockDetected, InvalidTextRepresentation, NumericValueOutOfRange
from sqlalchemy.exc import DataError, OperationalError

from enrollment_crm.cli.failures import explained
from enrollment_crm.sources.feed_errors import FeedError
from enrollment_crm.storage.engine import connect
from enrollment_crm.validation.suites import SuiteError


def said_about(error: Exception, capsys: pytest.CaptureFixture[str]) -> str:
    """The sentence, on one line however wide the terminal is."""
    with pytest.raises(SystemExit) as end, explained():
        raise error
    assert end.value.code == 1
    return " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("kind", [FeedError, SuiteError])
def test_a_sentence_is_printed_as_it_is_however_much_it_looks_like_markup(
    kind: type[Exception], capsys: pytest.CaptureFixture[str]
) -> None:
    sentence = "Column [red] and [/nothing] of [a-z]: write something else."
    assert said_about(kind(sentence), capsys) == f"Error: {sentence}"


def test_a_deadlock_is_no_silent_database(capsys: pytest.CaptureFixture[str]) -> None:
    said = said_about(OperationalError("SELECT 1", None, DeadlockDetected()), capsys)
    assert said.endswith("Try again.")
    assert "does not answer" not in said


def test_an_id_beyond_all_numbers_is_said_and_other_bad_data_stays_loud(capsys: pytest.CaptureFixture[str]) -> None:
    assert "no such number" in said_about(DataError("SELECT 1", None, NumericValueOutOfRange()), capsys)
    with pytest.raises(DataError), explained():
        raise DataError("SELECT 1", None, InvalidTextRepresentation())


@pytest.mark.parametrize("url", ["crm:hunter2@db", "oracel://crm:hunter2@db/crm"])
def test_a_database_url_that_is_none_is_explained_without_its_password(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit), explained():
        connect(url)
    said = capsys.readouterr().err
    assert "CRM_DATABASE_URL" in said
    assert "postgresql+psycopg://" in said
    assert "hunter2" not in said
