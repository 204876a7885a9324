"""The backlog: what waits at an instant, in the order of the road; empty means that everybody has been treated."""

from datetime import datetime

import pytest
from tests.factories import ANA, SEPTEMBER, T_7, T_14, Office

from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.storage.batches import record_batch
from enrollment_crm.storage.engine import transaction
from enrollment_crm.workflows.backlog import Backlog, backlog
from enrollment_crm.workflows.outbox import Outbox
from enrollment_crm.workflows.reminders import Due, find_due


def waiting(office: Office, now: datetime = SEPTEMBER) -> dict[str, int]:
    """What waits, without what does not."""
    return {name: count for name, count in vars(backlog(office.outbox, now=now)).items() if count}


def test_one_person_all_the_way(office: Office) -> None:
    assert waiting(office) == {}
    office.fill_in(ANA, at=SEPTEMBER)
    assert waiting(office) == {"rows_to_validate": 1}
    with transaction(office.engine) as connection:
        record_batch(connection, kind="signup", accepted=[1], rejected=[], tallies=[], now=SEPTEMBER)
    assert waiting(office) == {"batches_to_load": 1}
    office.load(now=SEPTEMBER, route=False)
    assert waiting(office) == {"people_to_route": 1}
    office.load(now=SEPTEMBER)
    assert waiting(office) == {"answers_to_send": 1}
    office.answer(MessageKind.WELCOME, SEPTEMBER)
    assert waiting(office) == {}
    assert waiting(office, T_7) == {"reminders_to_send": 1}
    office.sweep(T_7)
    assert waiting(office, T_7) == {}


def test_a_message_that_waits_for_its_next_attempt_is_not_treated(office: Office) -> None:
    office.sign_up(ANA)
    office.answer(MessageKind.WELCOME, SEPTEMBER)
    office.relay.answers["content"] = "451 4.7.1 later"
    office.sweep(T_7)
    assert waiting(office, T_7) == {"messages_unsettled": 1}


def test_a_message_that_will_be_withheld_waits_until_that_is_recorded(office: Office) -> None:
    office.sign_up(ANA)
    office.report(at=T_14)
    assert waiting(office, T_7) == {"answers_to_send": 2, "reminders_to_send": 1}
    assert office.answer(MessageKind.WELCOME, T_7) == {"withheld": 1}
    assert office.answer(MessageKind.APPLICATION_RECEIVED, T_7) == {"accepted": 1}
    assert office.sweep(T_7) == {"withheld": 1}
    assert waiting(office, T_7) == {}


def test_the_total_adds_up() -> None:
    assert Backlog(1, 2, 3, 4, 5, 6).total == 21
    assert Backlog(0, 0, 0, 0, 0, 0).total == 0


def test_a_naive_instant_is_refused(office: Office) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        backlog(office.outbox, now=datetime(2026, 11, 24))  # noqa: DTZ001


def test_what_is_claimed_while_one_looks_is_not_missed(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.sign_up(ANA)
    office.sweep(T_14)

    def found_when_a_worker_has_claimed_it(outbox: Outbox, *, now: datetime) -> list[Due]:
        office.change("UPDATE message SET state = 'claimed', lease_until = clock_timestamp() + interval '1 minute'")
        return find_due(outbox, now=now)

    monkeypatch.setattr("enrollment_crm.workflows.backlog.find_due", found_when_a_worker_has_claimed_it)
    assert backlog(office.outbox, now=T_14).messages_unsettled == 1
