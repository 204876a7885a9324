"""Invitations to a session on a real database: whom they reach, and when they are folded in (R8, R10)."""

from tests.factories import ANA, BEN, HOUR, MINUTE, SHANGHAI, STARTS, T_14, Office, utc

from enrollment_crm.domain.messages import MessageKind

#: Ten in Boston, a week before the session of 25 November: a day after T-14 of 1 December.
INVITED = utc("2026-11-18T15:00")
INVITATION = MessageKind.SESSION_INVITATION.value


def test_who_has_a_deadline_after_the_session_is_invited_a_week_before(office: Office, session: str) -> None:
    office.sign_up(ANA)
    office.live(T_14, INVITED)
    assert office.sent(INVITATION) == ["11-18T15:00Z prep-1 7d"]
    assert office.sweep(INVITED + MINUTE) == {}


def test_each_at_ten_on_their_own_clock(office: Office, session: str) -> None:
    office.sign_up(ANA, time_zone=SHANGHAI)
    office.live(T_14, INVITED)
    assert office.sent(INVITATION) == ["11-18T02:00Z prep-1 7d"]


def test_who_registered_or_has_submitted_or_has_no_deadline_ahead_is_not_invited(office: Office, session: str) -> None:
    office.sign_up(ANA)
    office.register(session, at=T_14)
    office.sign_up(BEN)
    office.report(BEN, at=T_14)
    office.sign_up("cem@example.edu", entry_term="")
    office.sign_up("dao@example.edu", entry_term="spring 2027", residency="international_outside_us")  # over
    office.live(T_14, INVITED + HOUR)
    assert office.query("SELECT count(*) FROM cover WHERE kind = :kind", kind=INVITATION) == [0]


def test_it_is_not_caught_up(office: Office, session: str) -> None:
    office.sign_up(ANA, at=T_14)
    office.sweep(T_14)
    office.sweep(INVITED + HOUR * 2)
    assert office.sent(INVITATION) == []


def test_who_arrives_after_its_hour_is_not_invited(office: Office, session: str) -> None:
    office.sign_up(ANA, at=INVITED + MINUTE)
    office.live(INVITED + MINUTE, STARTS)
    assert office.sent(INVITATION) == []


def test_r8_on_the_day_of_a_deadline_message_it_is_folded_into_it(office: Office, session: str) -> None:
    """At nine a catch-up goes out; the invitation of ten o'clock goes along with it."""
    nine = INVITED - HOUR
    office.sign_up(ANA, at=nine)
    assert office.sweep(nine)["accepted"] == 1
    assert office.sent() == ["11-18T14:00Z 2026-12-01 14d caught up"]
    assert office.sent(INVITATION) == ["11-18T14:00Z prep-1 7d"]
    assert len(office.relay.taken) == 1
    assert b"YOU ARE INVITED" in office.relay.taken[0].content
    assert office.sweep(INVITED) == {}


def test_r8_the_day_is_the_recipients(office: Office, session: str) -> None:
    """In Shanghai the session's invitation was due in the morning, before they came."""
    office.sign_up(ANA, at=INVITED - HOUR * 14, time_zone=SHANGHAI)
    office.live(INVITED - HOUR * 14, INVITED)
    assert office.sent()[0] == "11-18T01:00Z 2026-12-01 14d caught up"  # nine o'clock
    assert office.sent(INVITATION) == ["11-18T01:00Z prep-1 7d"]


def test_r8_whoever_gets_no_deadline_message_that_day_is_invited_by_itself(office: Office, session: str) -> None:
    office.sign_up(ANA)
    office.sign_up(BEN, at=INVITED - HOUR)
    office.live(T_14, INVITED)
    kinds = office.query("SELECT p.email, m.kind FROM message m JOIN person p ON p.id = person_id ORDER BY m.id")
    assert kinds[-1] == (ANA, INVITATION)
    assert (BEN, INVITATION) not in kinds
