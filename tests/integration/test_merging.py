"""Merging: two records that are one person, whose history, ledger and wishes are united (R7)."""

from datetime import timedelta

from tests.factories import ANA, BEN, HOUR, PROGRAM, SEPTEMBER, T_7, T_14, T_30, Office, fact_at

from enrollment_crm.workflows.consent import unsubscribe
from enrollment_crm.workflows.feedback import take_bounce, take_complaint
from enrollment_crm.workflows.people import merge_people

A_DAY = timedelta(days=1)
CID = "cid@example.edu"


def merge(office: Office, email: str = BEN, into: str = ANA, *, at: object = SEPTEMBER + A_DAY, fact: str = "") -> None:
    assert hasattr(at, "tzinfo")
    merge_people(office.engine, email, into, fact=fact_at(at, fact))  # type: ignore[arg-type]
    office.load(now=at)  # type: ignore[arg-type]


def test_nobody_gets_a_message_twice(office: Office) -> None:
    """Both were reminded on 1 November: what either has had, the one that stays has had."""
    office.sign_up(ANA, at=T_30 + A_DAY, entry_term="spring 2027")
    office.sign_up(BEN)
    office.live(SEPTEMBER, T_14 - HOUR)
    assert len(office.sent(email=BEN)) == 1
    merge(office, at=T_14 - HOUR)
    office.live(T_14 - HOUR, T_14)
    early = "SELECT c.offset, c.withheld FROM cover c WHERE person_id = :id AND entry_term = 'fall 2027' ORDER BY c.id"
    assert office.query(early, id=office.person(ANA)) == [("30d", "already_sent"), ("14d", None)]
    assert office.relay.recipients().count(BEN) == 1


def test_the_record_that_is_gone_is_written_to_no_more(office: Office) -> None:
    office.sign_up(ANA)
    office.sign_up(BEN)
    merge(office)
    office.live(SEPTEMBER + A_DAY, T_7)
    assert set(office.relay.recipients()) == {ANA}
    assert office.reasons(BEN) == [f"{at} 2026-12-01 {point} merged" for at, point in (
        ("11-01T15:00Z", "30d"), ("11-17T15:00Z", "14d"), ("11-24T15:00Z", "7d"),
    )]  # fmt: skip


def test_its_address_is_the_other_persons_from_now_on(office: Office) -> None:
    ana = office.sign_up(ANA)
    office.sign_up(BEN)
    merge(office)
    office.fill_in(BEN, at=SEPTEMBER + A_DAY * 2, entry_term="spring 2028")
    office.load(now=SEPTEMBER + A_DAY * 2)
    terms = office.query("SELECT entry_term FROM interest WHERE person_id = :id ORDER BY entry_term", id=ana)
    assert terms == ["fall 2027", "spring 2028"]


def test_what_comes_by_a_record_below_another_reaches_the_person_at_once(office: Office) -> None:
    """Cid became Ben, and Ben became Ana: whoever signs up by Cid's address is Ana."""
    ana = office.sign_up(ANA)
    for email in (BEN, CID):
        office.sign_up(email)
    merge(office, CID, BEN)
    merge(office, BEN, ANA)
    office.fill_in(CID, at=SEPTEMBER + A_DAY * 2, entry_term="spring 2028")
    office.load(now=SEPTEMBER + A_DAY * 2)
    terms = office.query("SELECT entry_term FROM interest WHERE person_id = :id ORDER BY entry_term", id=ana)
    assert terms == ["fall 2027", "spring 2028"]
    assert office.query("SELECT id FROM person WHERE needs_routing") == []


def test_what_is_still_to_be_sent_and_the_other_has_had_is_not_sent_again(office: Office) -> None:
    """The relay put Ana's reminder off and took Ben's; then the two are one."""
    for email in (ANA, BEN):
        office.sign_up(email)
    office.relay.answers[f"RCPT {ANA}"] = "451 4.3.0 later"
    assert office.sweep(T_30) == {"retry": 1, "accepted": 1}
    merge(office, at=T_30 + HOUR)
    office.relay.answers.clear()
    office.end_leases()
    office.live(T_30 + HOUR, T_14 - HOUR)
    assert office.relay.recipients() == [BEN]
    assert office.states() == ["withheld", "accepted"]
    assert office.reasons(ANA) == ["11-01T15:00Z 2026-12-01 30d already_sent"]


def test_what_either_wanted_and_took_a_seat_in_counts(office: Office, session: str) -> None:
    ana = office.sign_up(ANA, entry_term="spring 2027")
    office.sign_up(BEN, entry_term="fall 2027")
    office.register(session, BEN, at=SEPTEMBER)
    merge(office)
    assert office.query("SELECT entry_term FROM interest WHERE person_id = :id ORDER BY 1", id=ana) == [
        "fall 2027",
        "spring 2027",
    ]
    assert office.query("SELECT prep_session_id FROM registration WHERE person_id = :id", id=ana) == [session]


def test_an_application_of_either_counts_and_submitted_holds(office: Office) -> None:
    office.sign_up(ANA)
    office.sign_up(BEN)
    office.report(ANA, at=SEPTEMBER + HOUR, AppStatus="Awaiting Submission")
    office.report(BEN, at=SEPTEMBER, aid="a-2")
    merge(office)
    theirs = office.query("SELECT program, status FROM application WHERE person_id = :id", id=office.person(ANA))
    assert sorted(theirs) == [(PROGRAM, "started"), (PROGRAM, "submitted")]
    office.sweep(T_7)
    assert office.relay.recipients() == []


def test_the_stricter_consent_holds(office: Office) -> None:
    office.sign_up(ANA)
    unsubscribe(office.engine, office.sign_up(BEN), "*", now=SEPTEMBER + HOUR)
    merge(office)
    office.sweep(T_7)
    assert office.relay.recipients() == []
    assert office.reasons(ANA)[-1].endswith("unsubscribed")


def test_a_complaint_of_either_ends_all_writing_and_a_bounce_is_the_addresss_own(office: Office) -> None:
    for email in (ANA, BEN):
        office.sign_up(email)
    take_complaint(office.engine, BEN, fact=fact_at(SEPTEMBER))
    take_bounce(office.engine, BEN, "5.1.1", fact=fact_at(SEPTEMBER))
    merge(office)
    assert office.query("SELECT complained_at IS NOT NULL FROM person WHERE email = :ana", ana=ANA) == [True]
    assert office.query("SELECT DISTINCT email_key FROM suppression") == [BEN]


def test_residency_follows_from_the_evidence_of_both(office: Office) -> None:
    office.sign_up(ANA, residency="", country="")
    office.sign_up(BEN, residency="domestic")
    merge(office)
    assert office.query("SELECT residency FROM person WHERE email = :ana", ana=ANA) == ["domestic"]


def test_of_two_statements_of_one_instant_the_one_that_came_later_holds_whichever_record_it_came_by(
    office: Office,
) -> None:
    """Slate's clock stands still once an application is submitted; a record that is merged is copied later."""
    said = {"Address1Country": "CN", "SubmittedDateTime": SEPTEMBER.isoformat()}
    office.report(BEN, at=SEPTEMBER, aid="a-1", CitizenshipStatus="Foreign National", **said)
    office.report(ANA, at=SEPTEMBER + HOUR, aid="a-2", CitizenshipStatus="US Citizen", **said)
    merge(office)
    assert office.query("SELECT residency FROM person WHERE email = :ana", ana=ANA) == ["domestic"]


def test_r6_what_comes_by_the_merge_is_a_turn(office: Office) -> None:
    """Ana learns of fall by Ben's record, who had not been reminded of it."""
    office.sign_up(ANA, entry_term="spring 2027")
    office.sign_up(BEN, at=T_14 + A_DAY)
    merge(office, at=T_14 + A_DAY)
    office.live(T_14 + A_DAY, T_14 + A_DAY)
    found = office.query("SELECT entry_term, c.offset, catch_up FROM cover c WHERE message_row_id IS NOT NULL")
    assert ("fall 2027", "14d", True) in found


def test_a_merge_that_is_delivered_again_or_of_nobody_or_of_one_changes_nothing(office: Office) -> None:
    office.sign_up(ANA)
    office.sign_up(BEN)
    merge(office, "nobody@example.edu", ANA)
    merge(office, ANA, ANA)
    assert office.query("SELECT count(*) FROM person WHERE merged_into_id IS NOT NULL") == [0]
    merge(office, fact="m-1")
    merge(office, fact="m-1")
    assert office.query("SELECT count(*) FROM person WHERE merged_into_id IS NOT NULL") == [1]
    merge(office, ANA, BEN)  # one person by now
    assert office.query("SELECT email FROM person WHERE merged_into_id IS NULL") == [ANA]
