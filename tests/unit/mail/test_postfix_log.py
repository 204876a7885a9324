"""Postfix's log as the accept log: what its queue took, over rotations, and nothing that it did not."""

import gzip
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from enrollment_crm.mail.postfix_log import PostfixAcceptLog
from enrollment_crm.mail.postfix_times import timestamp_of

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
STAMP = "2026-11-24T12:00:00.000000+00:00 mail "
ONE, TWO = "<1@crm.example>", "<2@crm.example>"


def cleanup(queue_id: str, message_id: str, stamp: str = STAMP) -> str:
    return f"{stamp}postfix/cleanup[12]: {queue_id}: message-id={message_id}\n"


def active(queue_id: str, stamp: str = STAMP) -> str:
    return f"{stamp}postfix/qmgr[13]: {queue_id}: from=<b@crm.example>, size=1, nrcpt=1 (queue active)\n"


def sent(queue_id: str, stamp: str = STAMP) -> str:
    status = "status=sent (250 2.0.0 OK queued as 7)"
    return f"{stamp}postfix/smtp[14]: {queue_id}: to=<a@example.org>, relay=mx[192.0.2.1]:25, dsn=2.0.0, {status}\n"


@pytest.fixture
def log(tmp_path: Path) -> PostfixAcceptLog:
    return PostfixAcceptLog(tmp_path / "mail.log")


def write(log: PostfixAcceptLog, *lines: str) -> None:
    with log.path.open("a") as file:
        file.write("".join(lines))


@pytest.mark.parametrize("queued", [active("4AbC1"), sent("4AbC1")])
def test_what_is_in_the_queue_was_accepted(log: PostfixAcceptLog, queued: str) -> None:
    write(log, cleanup("4AbC1", ONE), queued)
    assert log.was_accepted(ONE) is True
    assert log.was_accepted(TWO) is False


def test_a_service_with_a_name_of_its_own_is_postfix_too(log: PostfixAcceptLog) -> None:
    lines = cleanup("4AbC1", ONE) + active("4AbC1")
    write(log, lines.replace("postfix/", "postfix/submission/"))
    assert log.was_accepted(ONE) is True


def test_content_that_arrived_and_nothing_more_cannot_be_told(log: PostfixAcceptLog) -> None:
    """cleanup writes before the content has ended: Postfix may have said 250, or have lost the connection."""
    write(log, cleanup("4AbC1", ONE))
    assert log.was_accepted(ONE) is None
    write(log, active("4AbC1"))
    assert log.was_accepted(ONE) is True


def test_what_a_filter_refused_at_the_end_was_not_accepted(log: PostfixAcceptLog) -> None:
    reject = f"{STAMP}postfix/cleanup[12]: 4AbC1: milter-reject: END-OF-MESSAGE from crm[192.0.2.2]: 5.7.1 no\n"
    write(log, cleanup("4AbC1", ONE), reject, active("4AbC1"))
    assert log.was_accepted(ONE) is False


def test_a_queue_id_that_is_used_again_belongs_to_its_new_message(log: PostfixAcceptLog) -> None:
    write(log, cleanup("4AbC1", ONE), cleanup("4AbC1", TWO), active("4AbC1"))
    assert (log.was_accepted(ONE), log.was_accepted(TWO)) == (False, True)


def test_only_new_lines_are_read_and_half_a_line_waits(log: PostfixAcceptLog) -> None:
    write(log, cleanup("4AbC1", ONE), active("4AbC1")[:40])
    assert log.was_accepted(ONE) is None
    write(log, active("4AbC1")[40:])
    assert log.was_accepted(ONE) is True
    # What was read is not read again: the memory holds though the lines are overwritten in place.
    log.path.write_bytes(b"x" * log.path.stat().st_size)
    assert log.was_accepted(ONE) is True


@pytest.mark.parametrize("packed", [False, True])
def test_rotated_files_are_read_before_the_log(log: PostfixAcceptLog, packed: bool) -> None:
    older = (cleanup("4AbC1", ONE) + active("4AbC1") + cleanup("4AbC2", TWO)).encode()
    rotated = log.path.with_name("mail.log.2.gz" if packed else "mail.log.1")
    rotated.write_bytes(gzip.compress(older) if packed else older)
    os.utime(rotated, (1, 1))
    write(log, active("4AbC2"))
    assert (log.was_accepted(ONE), log.was_accepted(TWO)) == (True, True)


def test_a_rotation_between_two_questions_loses_nothing(log: PostfixAcceptLog) -> None:
    write(log, cleanup("4AbC1", ONE))
    assert log.was_accepted(ONE) is None
    write(log, active("4AbC1"))
    log.path.rename(log.path.with_name("mail.log.1"))
    write(log, cleanup("4AbC2", TWO), active("4AbC2"))
    assert (log.was_accepted(ONE), log.was_accepted(TWO)) == (True, True)


def test_a_log_that_is_emptied_in_place_is_read_from_its_beginning(log: PostfixAcceptLog) -> None:
    write(log, *[cleanup("4AbC1", ONE), active("4AbC1")] * 3)
    assert log.was_accepted(ONE) is True
    log.path.write_text(cleanup("4AbC2", TWO) + active("4AbC2"))
    assert (log.was_accepted(ONE), log.was_accepted(TWO)) == (True, True)


def test_no_log_can_tell_nothing(log: PostfixAcceptLog) -> None:
    assert log.was_accepted(ONE) is None
    assert log.last_entry_at() is None
    write(log, "2026-11-24T12:00:00+00:00 host sshd[1]: somebody else's log\n")
    assert log.was_accepted(ONE) is None


def test_a_log_that_begins_too_late_can_deny_nothing(log: PostfixAcceptLog) -> None:
    write(log, cleanup("4AbC1", TWO), active("4AbC1"))
    assert log.was_accepted(ONE, since=NOON + timedelta(hours=1)) is False
    assert log.was_accepted(ONE, since=NOON - timedelta(hours=1)) is None
    assert log.was_accepted(TWO, since=NOON - timedelta(hours=1)) is True


def test_a_log_without_years_that_begins_too_late_can_deny_nothing(log: PostfixAcceptLog) -> None:
    now = datetime.fromtimestamp(time.time(), UTC)
    stamp = f"{now.astimezone():%b %e %H:%M:%S} mail "
    write(log, cleanup("4AbC1", TWO, stamp), active("4AbC1", stamp))
    assert log.was_accepted(ONE, since=now - timedelta(days=3)) is None
    assert log.was_accepted(ONE, since=now + timedelta(minutes=1)) is False
    last = log.last_entry_at()
    assert last is not None
    assert abs(last - now) < timedelta(seconds=2)


def test_the_year_is_the_one_in_which_the_file_was_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    january = datetime(2027, 1, 2, tzinfo=UTC)
    assert timestamp_of(b"Dec 31 23:59:59 mail ", january) == datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert timestamp_of(b"Jan  1 00:00:00 mail ", january) == datetime(2027, 1, 1, tzinfo=UTC)
    assert timestamp_of(b"Feb 29 00:00:00 mail ", january) == datetime(2024, 2, 29, tzinfo=UTC)
    assert timestamp_of(b"2026-11-24T07:00:00-05:00 mail ", january) == NOON
    assert timestamp_of(b"Feb 30 00:00:00 mail ", january) is None
    assert timestamp_of(b"once upon a time ", january) is None
    monkeypatch.undo()
    time.tzset()


def test_whatever_bytes_a_log_holds_are_survived(log: PostfixAcceptLog) -> None:
    log.path.write_bytes(b"\xff\x00 postfix/cleanup[1]: 4A: message-id=\xff\n" + active("4A").encode() + b"\x00" * 99)
    assert log.was_accepted(ONE) is False


def test_a_file_that_is_being_packed_cannot_be_told_from(log: PostfixAcceptLog) -> None:
    write(log, cleanup("4AbC1", ONE), active("4AbC1"))
    packed = gzip.compress(cleanup("4AbC2", TWO).encode() * 100)
    rotated = log.path.with_name("mail.log.2.gz")
    rotated.write_bytes(packed[:-20])
    assert log.was_accepted(TWO) is None
    rotated.write_bytes(packed)
    assert log.was_accepted(ONE) is True
