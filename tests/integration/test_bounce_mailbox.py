"""Letters of the bounce mailbox are taken in once, filed after the commit, and believed only where the HMAC holds."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.factories import ANA, BEN, DAY, HOUR, SEPTEMBER, T_1, T_7, T_14, T_30, Office, fact_at
from tests.unit.mail.letters import complaint, dsn, written
from typer.testing import CliRunner

from enrollment_crm.cli import app
from enrollment_crm.mail.messages import envelope_sender_of
from enrollment_crm.sources.bounce_mailbox import (
    BounceMailbox,
    BrokenLettersError,
    Folder,
    Letter,
    MailboxError,
    MailboxRefusedError,
    MaildirMailbox,
)
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.feedback import count_complaints
from enrollment_crm.storage.ledger import messages_with_readers
from enrollment_crm.storage.transmission import record_accepted
from enrollment_crm.workflows.bounce_mailbox import empty_mailbox
from enrollment_crm.workflows.people import merge_people

SECRET = b"a secret of the tests"
NOW = T_7 + HOUR


class Desk:
    """The bounce mailbox beside the office."""

    def __init__(self, office: Office, directory: Path) -> None:
        self.office, self.directory = office, directory
        for folder in ("new", "cur", "tmp"):
            (directory / folder).mkdir(parents=True)
        self.mailbox: BounceMailbox = MaildirMailbox(directory)

    def deliver(self, *letters: bytes) -> None:
        for letter in letters:
            number = sum(1 for _ in self.directory.rglob("*.letter*"))
            (self.directory / "new" / f"{number:06}.letter").write_bytes(letter)

    def read(self, **how: object) -> Mapping[str, int]:
        how = {"now": NOW, "letters_a_run": 100} | how
        return empty_mailbox(self.office.engine, self.mailbox, secret=SECRET, **how)  # type: ignore[arg-type]

    def filed(self) -> dict[str, int]:
        folders = {"inbox": self.directory} | {one.value: self.directory / f".{one.value}" for one in Folder}
        found = {name: len([*folder.glob("new/*"), *folder.glob("cur/*")]) for name, folder in folders.items()}
        return {name: number for name, number in found.items() if number}

    def back_to(self, which: int = 0) -> str:
        """The address to which bounces of a message come back."""
        message_id = self.office.query("SELECT message_id FROM message ORDER BY id")[which]
        return envelope_sender_of(str(message_id), secret=SECRET, mail_domain="crm.example")

    def suppressed(self) -> list[tuple[str, str]]:
        listed = "SELECT email_key, reason FROM suppression WHERE lifted_at IS NULL ORDER BY 1, 2"
        return list(self.office.query(listed))


@pytest.fixture
def desk(office: Office, tmp_path: Path) -> Desk:
    """Ana has been reminded; nothing has come back."""
    office.sign_up(ANA, at=SEPTEMBER)
    office.sweep(T_14)
    return Desk(office, tmp_path / "bounces")


def test_a_hard_bounce_ends_all_writing_to_the_address(desk: Desk) -> None:
    desk.deliver(dsn(to=desk.back_to()))
    assert desk.read() == {"letters": 1, "bounced": 1, "suppressed": 1}
    assert desk.filed() == {"done": 1}
    assert desk.office.states() == ["bounced"]
    assert desk.suppressed() == [(ANA, "hard_bounce")]
    assert desk.office.sweep(T_7) == {"withheld": 1}
    assert desk.office.reasons(ANA)[-1].endswith("bounced")


def test_the_same_report_counts_once_however_often_it_is_delivered_and_read(desk: Desk) -> None:
    letter = dsn(to=desk.back_to(), status="4.4.7", diagnostic="smtp; timed out")
    desk.deliver(letter, b"Received: by another\r\n" + letter, letter)
    assert desk.read() == {"letters": 3, "bounced": 1, "repeated": 2}
    assert desk.office.query("SELECT count(*) FROM bounce") == [1]
    assert desk.office.query("SELECT count(*) FROM message_event WHERE kind = 'bounced'") == [1]


def test_two_reports_of_one_message_are_one_bounce(desk: Desk) -> None:
    soft = {"to": desk.back_to(), "status": "4.4.7", "diagnostic": "smtp; timed out"}
    desk.deliver(*(dsn(**soft, message_id=f"<{n}@mx>") for n in range(4)))
    desk.read()
    assert desk.office.query("SELECT count(*) FROM bounce") == [1]
    assert desk.suppressed() == []


def test_three_messages_that_came_back_for_now_within_14_days_are_one_for_good(office: Office, tmp_path: Path) -> None:
    office.sign_up(ANA, at=SEPTEMBER)
    desk = Desk(office, tmp_path / "bounces")
    for number, instant in enumerate((T_14, T_7)):
        office.sweep(instant)
        desk.deliver(_soft(desk, number, "24 Nov 2026"))
    office.sweep(T_1)
    desk.read()
    assert desk.suppressed() == []
    desk.deliver(_soft(desk, 2, "30 Nov 2026"))
    assert desk.read(now=T_1 + HOUR)["suppressed"] == 1
    assert desk.suppressed() == [(ANA, "soft_bounces")]


def _soft(desk: Desk, number: int, day: str) -> bytes:
    return dsn(
        to=desk.back_to(number),
        status="4.2.2",
        diagnostic="smtp; 452 4.2.2 full",
        message_id=f"<soft-{number}@mx>",
        date=f"{day} 15:30:00 +0000",
    )


def test_a_refusal_by_policy_suppresses_nobody(desk: Desk) -> None:
    desk.deliver(dsn(to=desk.back_to(), status="5.7.1", diagnostic="smtp; 550 5.7.1 policy"))
    assert desk.read() == {"letters": 1, "bounced": 1, "refused_by_policy": 1}
    assert desk.suppressed() == []
    assert desk.office.states() == ["bounced"]
    assert desk.office.sweep(T_7) == {"accepted": 1}


def test_a_delay_is_no_failure_and_a_success_is_a_delivery(desk: Desk) -> None:
    desk.deliver(dsn(to=desk.back_to(), action="delayed", status="4.4.1", diagnostic="smtp; later"))
    assert desk.read() == {"letters": 1, "delayed": 1}
    assert desk.office.states() == ["accepted"]
    desk.deliver(dsn(to=desk.back_to(), action="delivered", status="2.0.0", diagnostic="", message_id="<2@mx>"))
    assert desk.read() == {"letters": 1, "delivered": 1}
    assert desk.office.states() == ["delivered"]


def test_a_forged_report_changes_nothing(desk: Desk) -> None:
    forged = desk.back_to().replace("-", "-0", 1)[: len(desk.back_to())]
    desk.deliver(dsn(to=forged), dsn(to="admissions@crm.example"))
    assert desk.read() == {"letters": 2, "forged": 2}
    assert desk.filed() == {"forged": 2}
    assert desk.office.states() == ["accepted"]
    assert desk.suppressed() == []


def test_a_report_of_a_message_that_the_ledger_does_not_have(desk: Desk) -> None:
    unknown = envelope_sender_of(f"<{'f' * 32}@crm.example>", secret=SECRET, mail_domain="crm.example")
    desk.deliver(dsn(to=unknown))
    assert desk.read() == {"letters": 1, "unknown_message": 1}
    assert desk.filed() == {"done": 1}


def test_a_complaint_ends_all_writing_to_the_reader_and_no_signup_lifts_it(desk: Desk) -> None:
    desk.deliver(complaint(mail_from=desk.back_to(), returned=""))
    assert desk.read() == {"letters": 1, "complained": 1, "suppressed": 1}
    assert desk.office.states() == ["complained"]
    desk.office.sign_up(ANA, at=T_7)
    assert set(desk.office.sweep(T_7 + HOUR)) <= {"withheld"}
    assert len(desk.office.relay.taken) == 1


def test_an_opt_out_is_an_unsubscription(desk: Desk) -> None:
    desk.deliver(complaint(feedback_type="opt-out", mail_from=desk.back_to(), returned=""))
    assert desk.read() == {"letters": 1, "opted_out": 1}
    assert desk.office.query("SELECT topic FROM unsubscription") == ["*"]


def test_answers_are_left_for_people_and_nothing_is_ever_answered(desk: Desk) -> None:
    sent = len(desk.office.relay.offered)
    desk.deliver(written(), written(headers="Auto-Submitted: auto-replied\r\n"), b"\0")
    assert desk.read() == {"letters": 3, "reply": 1, "automatic": 1, "unreadable": 1}
    assert desk.filed() == {"replies": 1, "done": 1, "unreadable": 1}
    assert len(desk.office.relay.offered) == sent


def test_a_bounce_that_is_read_before_our_worker_has_recorded_the_250(desk: Desk) -> None:
    desk.office.change("UPDATE message SET state = 'transmitting', accepted_at = NULL, lease_until = now()")
    desk.deliver(dsn(to=desk.back_to(), status="5.2.2", diagnostic="smtp; 552 5.2.2 full"))
    desk.read()
    assert desk.office.states() == ["bounced"]
    desk.office.sweep(T_14 + HOUR)  # nobody looks for it, nobody sends it again
    assert desk.office.states() == ["bounced"]
    assert len(desk.office.relay.taken) == 1


def test_a_message_whose_worker_died_with_the_250_counts_as_accepted_once_it_is_reported(desk: Desk) -> None:
    """Among what went out, of which complaints are a share, and among the dates that a reader was told."""
    desk.office.change("UPDATE message SET state = 'transmitting', accepted_at = NULL, lease_until = now()")
    desk.deliver(complaint(mail_from=desk.back_to()))
    desk.read()
    with transaction(desk.office.engine) as connection:
        (counted,) = count_complaints(connection, window=DAY * 30, now=NOW)
    assert (counted.accepted, counted.complaints) == (1, 1)


def test_the_250_that_is_recorded_after_the_bounce_keeps_the_bounce(desk: Desk) -> None:
    desk.office.change("UPDATE message SET state = 'transmitting', accepted_at = NULL, outcome = NULL")
    with transaction(desk.office.engine) as connection:
        (held,) = messages_with_readers(connection, desk.office.query("SELECT id FROM message"))
    desk.deliver(dsn(to=desk.back_to()))
    desk.read()
    with transaction(desk.office.engine) as connection:
        assert record_accepted(connection, [(held, "250 2.0.0 OK")], now=T_14)
    assert desk.office.query("SELECT state, outcome, accepted_at FROM message") == [("bounced", "250 2.0.0 OK", T_14)]


class Killed(BaseException):
    """A worker is killed here."""


class Interrupted:
    """A mailbox whose reader is killed before it files."""

    def __init__(self, mailbox: BounceMailbox) -> None:
        self.name, self.letters, self.close = mailbox.name, mailbox.letters, mailbox.close

    def file(self, letter: Letter, folder: Folder) -> None:
        raise Killed


def test_a_reader_killed_between_the_commit_and_the_filing_counts_nothing_twice(desk: Desk) -> None:
    desk.deliver(dsn(to=desk.back_to()))
    whole, desk.mailbox = desk.mailbox, Interrupted(desk.mailbox)
    with pytest.raises(Killed):
        desk.read()
    assert desk.filed() == {"inbox": 1}
    desk.mailbox = whole
    assert desk.read() == {"letters": 1, "repeated": 1}
    assert desk.filed() == {"done": 1}
    assert desk.office.query("SELECT count(*) FROM suppression") == [1]


def test_a_dry_run_counts_and_leaves_everything(desk: Desk) -> None:
    desk.deliver(dsn(to=desk.back_to()), written())
    assert desk.read(dry_run=True) == {"letters": 2, "bounced": 1, "suppressed": 1, "reply": 1}
    assert desk.filed() == {"inbox": 2}
    assert desk.suppressed() == []
    assert desk.office.states() == ["accepted"]


def test_a_flood_is_read_in_portions(desk: Desk) -> None:
    desk.deliver(*(written() for _ in range(5)))
    assert desk.read(letters_a_run=3) == {"letters": 3, "reply": 3}
    assert desk.filed() == {"inbox": 2, "replies": 3}


def test_a_report_on_an_erased_person_is_kept_without_an_address(desk: Desk) -> None:
    letter = dsn(to=desk.back_to())
    desk.office.erase(ANA, at=T_7)
    desk.deliver(letter)
    assert desk.read() == {"letters": 1, "bounced": 1}
    assert desk.suppressed() == []
    desk.office.sign_up(ANA, at=T_7 + HOUR)  # a new person: nothing that was sent before counts
    assert desk.office.query("SELECT count(*) FROM suppression") == [0]


def test_a_report_on_somebody_merged_since_is_about_the_address_that_was_written_to(desk: Desk) -> None:
    desk.office.sign_up(BEN, at=T_30)
    merge_people(desk.office.engine, ANA, BEN, fact=fact_at(T_7))
    desk.deliver(dsn(to=desk.back_to()))
    desk.read()
    assert desk.suppressed() == [(ANA, "hard_bounce")]
    desk.office.load(now=T_7)
    assert desk.office.sweep(T_1)["accepted"] == 1
    assert desk.office.relay.recipients()[-1] == BEN


def test_a_folder_that_is_no_maildir_is_refused(office: Office, tmp_path: Path) -> None:
    with pytest.raises(MailboxRefusedError, match="CRM_BOUNCE_MAILBOX_URL"):
        empty_mailbox(office.engine, MaildirMailbox(tmp_path), secret=SECRET, letters_a_run=1, now=NOW)


def test_two_readers_at_once_lose_nothing(desk: Desk) -> None:
    desk.deliver(*(written() for _ in range(3)))
    letters = list(desk.mailbox.letters(largest_in_bytes=1000))
    assert desk.read() == {"letters": 3, "reply": 3}
    for letter in letters:
        desk.mailbox.file(letter, Folder.REPLIES)
    assert desk.filed() == {"replies": 3}


def test_a_letter_that_cannot_be_read_is_named_and_the_others_are_read(desk: Desk) -> None:
    loop = desk.directory / "new" / "000000.letter"
    loop.symlink_to(loop)
    desk.deliver(dsn(to=desk.back_to()))
    with pytest.raises(BrokenLettersError, match=r"new/000000\.letter \(.+\)\. All others were taken in") as raised:
        desk.read()
    assert raised.value.counts == {"letters": 1, "bounced": 1, "suppressed": 1}
    assert desk.suppressed() == [(ANA, "hard_bounce")]


def test_a_letter_that_cannot_be_filed_is_named_and_counts_once(desk: Desk) -> None:
    (desk.directory / ".done").write_text("no folder")
    desk.deliver(dsn(to=desk.back_to()), written())
    for taken in ({"letters": 2, "bounced": 1, "reply": 1, "suppressed": 1}, {"letters": 1, "repeated": 1}):
        with pytest.raises(BrokenLettersError, match=r"cannot be moved to done") as raised:
            desk.read()
        assert raised.value.counts == taken
    assert desk.filed() == {"inbox": 1, "replies": 1}


@pytest.mark.parametrize("url", ["maildir:{}", "maildir:/nowhere", "imap://bounces@127.0.0.1:9/INBOX", "imap:what"])
def test_in_a_terminal_a_broken_mailbox_keeps_nothing_else_from_being_taken_in(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    loop = desk.directory / "new" / "000000.letter"
    loop.symlink_to(loop)
    desk.deliver(dsn(to=desk.back_to()))
    monkeypatch.setenv("CRM_DATABASE_URL", desk.office.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("CRM_BOUNCE_MAILBOX_URL", url.format(desk.directory))
    result = CliRunner().invoke(app, ["feedback", "--as-of", NOW.isoformat(), "--json"])
    assert isinstance(result.exception, MailboxError)  # a sentence, and exit code 1: cli/failures.py
    said = json.loads(result.stdout)
    assert {"events of the provider", "unknown outcomes", "complaints", "bounces", "refusals"} < set(said)
    assert said["bounce mailbox"].get("letters", 0) == (1 if "{}" in url else 0)
