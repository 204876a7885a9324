"""The claim itself: one unique key, whatever the statement that finds the due rows has seen (R5)."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Select, literal, select
from tests.factories import ANA, BEN, SEPTEMBER, T_7, Office

from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.storage.claims import Claim, claim_due
from enrollment_crm.storage.models import MESSAGE_IDS, PersonRow


def everybody(*, offset: str, withheld: str | None = None) -> Select[*tuple[Any, ...]]:
    """Due rows as a worker finds them that has not seen what others wrote meanwhile."""
    return select(
        MESSAGE_IDS.next_value().label("message_id"),
        PersonRow.id.label("person_id"),
        literal("ms-test").label("program"),
        literal("fall 2027").label("entry_term"),
        literal("early_action").label("round"),
        literal(T_7.date()).label("stated_date"),
        literal(offset).label("offset"),
        literal(T_7).label("due_at"),
        literal(withheld, PersonRow.owner.type).label("withheld"),
    )


def claim(office: Office, **due: Any) -> Claim:
    with office.engine.begin() as connection:
        return claim_due(
            connection,
            everybody(**due),
            kind=MessageKind.DEADLINE_REMINDER,
            lease=timedelta(seconds=30),
            now=T_7,
        )


def test_what_another_worker_has_claimed_is_not_claimed_again(office: Office) -> None:
    office.sign_up(ANA)
    first = claim(office, offset="7d")
    assert (first.settled, first.withheld, len(first.message_ids)) == (1, 0, 1)
    assert claim(office, offset="7d") == Claim(0, 0, ())
    assert office.states() == ["claimed"]


def test_only_what_is_new_is_claimed(office: Office) -> None:
    office.sign_up(ANA)
    claim(office, offset="7d")
    office.sign_up(BEN)
    second = claim(office, offset="7d")
    assert second.settled == len(second.message_ids) == 1
    assert office.query("SELECT person_id FROM message ORDER BY id") == [office.person(ANA), office.person(BEN)]


def test_another_offset_is_another_key(office: Office) -> None:
    office.sign_up(ANA)
    assert [claim(office, offset=one).settled for one in ("7d", "1d", "7d")] == [1, 1, 0]


def test_what_is_withheld_uses_up_its_key_and_makes_no_message(office: Office) -> None:
    office.sign_up(ANA, at=SEPTEMBER)
    assert claim(office, offset="7d", withheld="submitted") == Claim(1, 1, ())
    assert claim(office, offset="7d") == Claim(0, 0, ())
    assert office.states() == []


def test_a_message_belongs_to_its_worker_for_the_length_of_the_lease(office: Office) -> None:
    office.sign_up(ANA)
    claim(office, offset="7d")
    ((seconds, token, claimed_at),) = office.query(
        "SELECT extract(epoch FROM lease_until - now())::float, token, claimed_at FROM message"
    )
    assert 20 < seconds <= 30
    assert (token, claimed_at) == (1, T_7)
