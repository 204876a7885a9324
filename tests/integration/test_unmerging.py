"""Unmerging: two records as they were, with what came since; nobody gets a message twice by it."""

from typing import Any

import pytest
from tests.factories import ANA, BEN, DAY, HOUR, SEPTEMBER, T_1, T_7, T_14, T_30, Office, fact_at

from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.staff_actions import StaffAction
from enrollment_crm.workflows.consent import unsubscribe
from enrollment_crm.workflows.feedback import take_unsubscription
from enrollment_crm.workflows.people import CannotMergeError, unmerge

CID = "cid@example.edu"
MERGED, SINCE, APART = SEPTEMBER + DAY, SEPTEMBER + DAY * 2, SEPTEMBER + DAY * 3

#: All that a person's record says and a merge changes; ids, routes and turns aside.
STATE = {
    "person": "email, first_name, last_name, phone, country, stated_time_zone, zone, birth_date, complained_at, "
    "paused_until, merged_into_id, clocks::text",
    "interest": "program, entry_term, since, asked_for_information, copied_from",
    "application": "program, entry_term, status, occurred_at, source, reference, copied_from",
    "registration": "prep_session_id, copied_from",
    "residency_evidence": "source, said_at, stated, citizenship, address_country, copied_from",
    "consent": "source, given_at, text_version, copied_from",
    "unsubscription": "topic, at, lifted_at",
}


def state(office: Office, email: str) -> dict[str, Any]:
    person = office.person(email)
    own = {"person": "id"}
    return {
        table: office.query(
            f"SELECT {columns} FROM {table} WHERE {own.get(table, 'person_id')} = :id ORDER BY 1, 2", id=person
        )
        for table, columns in STATE.items()
    }


def divide(office: Office, who: str = BEN, *, at: Any = APART) -> None:
    unmerge(office.engine, who, action=StaffAction("dean", "brother and sister", at))
    office.load(now=at)


@pytest.fixture
def two(office: Office, session: str) -> Office:
    """Two of whom as much is known as a merge can change, each with something that the other has too."""
    office.sign_up(ANA, entry_term="", phone="617 1", first_name="Ana", country="US")
    office.sign_up(BEN, phone="857 2", first_name="Ben", country="CN", time_zone="Asia/Shanghai", at=SEPTEMBER + HOUR)
    office.report(ANA, at=SEPTEMBER + HOUR, AppStatus="Awaiting Submission", pid="p-1", BirthDate="1999-04-05")
    office.report(BEN, at=SEPTEMBER, aid="a-2", pid="p-2", BirthDate="2001-01-01")
    office.register(session, BEN, at=SEPTEMBER + HOUR)
    unsubscribe(office.engine, office.person(ANA), "sessions", now=SEPTEMBER + HOUR)
    unsubscribe(office.engine, office.person(BEN), "sessions", now=SEPTEMBER + HOUR * 2)
    unsubscribe(office.engine, office.person(BEN), "*", now=SEPTEMBER + HOUR * 2)
    office.load(now=SEPTEMBER + HOUR * 2)
    return office


def test_both_are_as_they_were(two: Office) -> None:
    before = state(two, ANA), state(two, BEN)
    two.merge(BEN, ANA, at=MERGED)
    assert state(two, ANA) != before[0]
    divide(two)
    assert (state(two, ANA), state(two, BEN)) == before


def test_also_where_news_reached_the_person_meanwhile(two: Office) -> None:
    """What came by Ben's address is Ben's, and was Ana's only as long as they were one."""
    before = state(two, ANA)
    two.merge(BEN, ANA, at=MERGED)
    two.fill_in(BEN, at=SINCE, entry_term="spring 2028", phone="857 3", residency="domestic")
    two.report(BEN, at=SINCE, aid="a-9", YearTerm="spring 2028", pid="p-2")
    both = state(two, ANA)
    assert {"fall 2027", "spring 2028"} == {row[1] for row in both["interest"]}
    assert both["person"][0][3] == "857 3"
    divide(two)
    assert state(two, ANA) == before
    ben = state(two, BEN)
    assert {"fall 2027", "spring 2028"} == {row[1] for row in ben["interest"]}
    assert ben["person"][0][3] == "857 3"
    assert [row[1] for row in ben["application"]] == ["fall 2027", "spring 2028"]


def test_what_the_one_who_stayed_said_since_stays_with_them(two: Office) -> None:
    two.merge(BEN, ANA, at=MERGED)
    two.fill_in(ANA, at=SINCE, entry_term="spring 2028", phone="617 9")
    two.load(now=SINCE)
    divide(two)
    ana = state(two, ANA)
    assert "spring 2028" in {row[1] for row in ana["interest"]}
    assert ana["person"][0][3] == "617 9"
    assert "spring 2028" not in {row[1] for row in state(two, BEN)["interest"]}


def test_a_term_that_both_want_stays_with_the_one_who_asked_for_it_since(office: Office) -> None:
    office.sign_up(ANA, entry_term="spring 2028")
    office.sign_up(BEN, entry_term="fall 2027")
    office.merge(BEN, ANA, at=MERGED)
    office.fill_in(ANA, at=SINCE, entry_term="fall 2027")
    office.load(now=SINCE)
    divide(office)
    assert {row[1] for row in state(office, ANA)["interest"]} == {"fall 2027", "spring 2028"}


def test_a_withdrawal_by_either_address_holds_for_both_and_stays_with_that_address(office: Office) -> None:
    office.sign_up(ANA)
    office.sign_up(BEN)
    office.merge(BEN, ANA, at=MERGED)
    take_unsubscription(office.engine, BEN, fact=fact_at(SINCE))
    topics = "SELECT p.email FROM unsubscription u JOIN person p ON p.id = u.person_id WHERE lifted_at IS NULL"
    assert sorted(office.query(topics)) == [ANA, BEN]
    office.load(now=SINCE)
    divide(office)
    assert office.query(topics) == [BEN]


def test_a_consent_of_the_other_lifts_nothing_any_more(office: Office) -> None:
    unsubscribe(office.engine, office.sign_up(ANA), "*", now=SEPTEMBER + HOUR)
    office.sign_up(BEN)
    office.merge(BEN, ANA, at=MERGED)
    office.fill_in(BEN, at=SINCE)
    office.load(now=SINCE)
    lifted = "SELECT lifted_at IS NOT NULL FROM unsubscription WHERE person_id = :id"
    assert office.query(lifted, id=office.person(ANA)) == [True]
    divide(office)
    assert office.query(lifted, id=office.person(ANA)) == [False]


def test_nobody_gets_a_message_twice(office: Office) -> None:
    """Each point goes to each address at most once, whenever the two were one; what went out meanwhile is both's."""
    office.sign_up(ANA)
    office.sign_up(BEN)
    office.live(SEPTEMBER, T_30)
    office.merge(BEN, ANA, at=T_30 + HOUR)
    office.live(T_30 + HOUR, T_14)
    divide(office, at=T_14 + HOUR)
    office.live(T_14 + HOUR, T_7)
    assert office.sent(email=ANA) == [
        f"11-{day}T15:00Z 2026-12-01 {n}d" for day, n in (("01", 30), ("17", 14), ("24", 7))
    ]
    assert office.sent(email=BEN) == [f"11-{day}T15:00Z 2026-12-01 {n}d" for day, n in (("01", 30), ("24", 7))]
    again = T_7 + HOUR
    office.merge(BEN, ANA, at=again)
    divide(office, at=again + HOUR)
    office.live(again + HOUR, T_1)
    assert len(office.sent(email=ANA)) == 4
    assert len(office.sent(email=BEN)) == 3


def test_what_was_withheld_only_because_they_were_one_is_sent(office: Office) -> None:
    """Each relay put one of them off when they were merged; apart, each is owed their own."""
    for email in (ANA, BEN):
        office.sign_up(email)
    office.relay.answers[f"RCPT {BEN}"] = "451 4.3.0 later"
    assert office.answer(MessageKind.WELCOME, SEPTEMBER) == {"retry": 1, "accepted": 1}
    office.relay.answers = {f"RCPT {ANA}": "451 4.3.0 later"}
    office.change("UPDATE message SET retry_at = now() + interval '1 day' WHERE state = 'retry'")
    office.sweep(T_30)
    office.merge(BEN, ANA, at=T_30 + HOUR)
    divide(office, at=T_30 + HOUR * 2)
    office.relay.answers.clear()
    office.end_leases()
    office.answer(MessageKind.WELCOME, T_30 + HOUR * 2)
    office.live(T_30 + HOUR * 2, T_14 - HOUR)
    for email in (ANA, BEN):
        assert len(office.sent("welcome", email)) == len(office.sent(email=email)) == 1


def test_what_another_who_is_still_merged_has_had_is_not_sent_again(office: Office) -> None:
    for email in (ANA, BEN, CID):
        office.sign_up(email)
    office.relay.answers[f"RCPT {ANA}"] = "451 4.3.0 later"
    office.sweep(T_30)
    for email in (BEN, CID):
        office.merge(email, ANA, at=T_30 + HOUR)
    divide(office, at=T_30 + HOUR * 2)
    office.relay.answers.clear()
    office.live(T_30 + HOUR * 2, T_14 - HOUR)
    assert office.relay.recipients() == [BEN, CID]


def test_what_only_the_other_had_is_not_taken_from_the_one_who_stayed(office: Office) -> None:
    """Ana was never welcomed: that Ben was, counts as long as they are one."""
    office.sign_up(BEN)
    office.answer(MessageKind.WELCOME, SEPTEMBER)
    office.sign_up(ANA)
    office.merge(BEN, ANA, at=MERGED)
    assert office.answer(MessageKind.WELCOME, MERGED).get("accepted") is None
    divide(office)
    office.relay.forget()
    office.answer(MessageKind.WELCOME, APART)
    assert office.relay.recipients() == [ANA]


def test_of_several_merged_records_one_can_be_taken_out(office: Office) -> None:
    cyd = "cyd@example.edu"
    for number, email in enumerate((ANA, BEN, cyd)):
        office.sign_up(email, entry_term=f"fall {2027 + number}", phone=f"617 {number}", at=SEPTEMBER + HOUR * number)
    office.merge(BEN, ANA, at=MERGED)
    office.merge(cyd, ANA, at=MERGED + HOUR)
    divide(office, BEN)
    ana = state(office, ANA)
    assert [row[1] for row in ana["interest"]] == ["fall 2027", "fall 2029"]
    assert ana["person"][0][3] == "617 2"
    divide(office, cyd, at=APART + HOUR)
    assert state(office, ANA)["person"][0][3] == "617 0"


def test_a_merge_below_another_is_undone_from_the_top(office: Office) -> None:
    for email in (ANA, BEN, "cyd@example.edu"):
        office.sign_up(email)
    office.merge(BEN, ANA, at=MERGED)
    office.merge(ANA, "cyd@example.edu", at=MERGED + HOUR)
    with pytest.raises(CannotMergeError, match="undo that merge first"):
        divide(office)
    divide(office, ANA)
    divide(office, BEN, at=APART + HOUR)
    assert office.query("SELECT count(*) FROM person WHERE merged_into_id IS NOT NULL") == [0]
    assert {row[4] for email in (ANA, BEN) for row in state(office, email)["interest"]} == {None}


def test_what_sources_call_applications_below_another_merge_comes_back_to_each(office: Office) -> None:
    """Ben and Cid applied for the same term, Ana did not: their checklists are their own again."""
    office.sign_up(ANA)
    office.report(BEN, at=SEPTEMBER, aid="b-1", YearTerm="spring 2028")
    office.report(CID, at=SEPTEMBER, aid="c-1", YearTerm="spring 2028")
    office.report(CID, at=SEPTEMBER, aid="c-2", YearTerm="fall 2028")
    called = (
        "SELECT r.reference, p.email FROM application_reference r JOIN application a ON a.id = r.application_id "
        "JOIN person p ON p.id = a.person_id ORDER BY 1"
    )
    before = office.query(called)
    office.merge(CID, BEN, at=MERGED)
    office.merge(BEN, ANA, at=MERGED + HOUR)
    assert {email for _, email in office.query(called)} == {ANA}
    divide(office, BEN)
    assert {email for _, email in office.query(called)} == {BEN}
    divide(office, CID)
    assert office.query(called) == before


def test_the_trail_tells_who_did_it(office: Office) -> None:
    ana, ben = office.sign_up(ANA), office.sign_up(BEN)
    office.merge(BEN, ANA, at=MERGED)
    divide(office)
    trail = office.query("SELECT by, action, person_id, other_person_id FROM staff_action ORDER BY id")
    assert trail == [("tests", "merged", ben, ana), ("dean", "unmerged", ben, ana)]
