"""A second attempt sends the bytes of the first one, and only where it makes no second copy."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.factories import ANA, BEN, MINUTE, T_7, T_14, Office
from tests.fakes import Interrupted, Killed, kill

from enrollment_crm.workflows.delivery import reconcile
from enrollment_crm.workflows.proof import Bytes, proof_of_message


def test_what_the_accept_log_has_when_it_is_asked_once_more_is_not_sent_again(office: Office, tmp_path: Path) -> None:
    """A relay's log may come late: between the first question and the second a campaign may have been stopped."""
    office.sign_up(ANA)
    office.relay.keep_log(tmp_path)
    transport = Interrupted(office.transport(), after_lease_check=kill)
    worker = replace(office, outbox=replace(office.outbox, transport=transport))
    with pytest.raises(Killed):
        worker.sweep(T_14)
    office.end_leases()
    another = office.another()
    assert dict(reconcile(another, now=T_14 + MINUTE * 20).counts) == {"retry": 1}
    assert office.relay.maildir is not None
    office.relay.maildir.keep(office.frozen()[0], sender="", recipients=[ANA])

    assert replace(office, outbox=another).sweep(T_14 + MINUTE * 25) == {"accepted": 1}
    assert office.relay.offered == []
    assert office.query("SELECT state, outcome, lease_until FROM message") == [
        ("accepted", "found in the relay's accept log", None)
    ]


@pytest.mark.parametrize("stored", [b"Subject: forged\r\n\r\nx\r\n", b"\x28\xb5\x2f\xfd broken"])
def test_frozen_bytes_that_were_changed_are_not_sent_again_and_stay_proven_to_be_changed(
    office: Office, stored: bytes
) -> None:
    """Neither what somebody wrote there nor half a frame; and nobody else waits for it."""
    for email in (ANA, BEN):
        office.sign_up(email)
    office.relay.answers["content"] = "451 4.7.1 greylisted"
    assert office.sweep(T_7) == {"retry": 2}
    office.relay.answers.clear()
    office.relay.offered.clear()
    ((number, sha256),) = office.query("SELECT id, content_sha256 FROM message ORDER BY id LIMIT 1")
    office.change("UPDATE message SET content = :stored WHERE id = :id", stored=stored, id=number)

    office.end_leases()
    assert office.sweep(T_7 + MINUTE * 30) == {"failed": 1, "accepted": 1}
    assert len(office.relay.offered) == 1
    assert office.query("SELECT content_sha256 FROM message WHERE id = :id", id=number) == [sha256]
    assert proof_of_message(office.engine, number).bytes_are is Bytes.CHANGED
