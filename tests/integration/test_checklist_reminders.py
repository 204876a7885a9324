"""Applicants are reminded of what is not yet processed: to whom, when, once, and in which words."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy

import pytest
from tests.factories import ANA, BEN, CUT_OFF, HOUR, MINUTE, PROGRAM, SEPTEMBER, T_1, T_7, T_14, T_30, Office, fact_at

from enrollment_crm.domain.freshness import FeedWatch, WatchedSource
from enrollment_crm.workflows.consent import unsubscribe
from enrollment_crm.workflows.feedback import take_bounce, take_complaint
from enrollment_crm.workflows.reminders import Due, find_due, finish_sweep, send_due, send_reminders

LETTER, SECOND_LETTER = {"Code": "LOR1", "Status": "Awaiting"}, {"Code": "LOR2", "Status": "Awaiting"}
ENGLISH = {"Code": "TOEFL", "Status": "Awaiting"}
FIRST_OF_OCTOBER = datetime(2026, 10, 1, 12, tzinfo=UTC)


def apply(office: Office, *items: Mapping[str, str], email: str = ANA, at: datetime = SEPTEMBER, **columns: str) -> int:
    """A submitted application with these items on its checklist; the id of the person.

    The interest that it brings along is gone: no deadline reminder is withheld beside what is tested here.
    """
    columns = {"CitizenshipStatus": "US Citizen", "Address1Country": "US", **columns}
    office.report(email, at=at, **columns)
    list_for(office, *items, at=at, application=columns.get("aid", "a-1"))
    office.change("DELETE FROM interest")
    return office.person(email)


def list_for(office: Office, *items: Mapping[str, str], at: datetime, application: str) -> None:
    """These items on the checklist of one application."""
    office.list_items(*({"AppID": application, **item} for item in items), at=at)


def sent(office: Office) -> list[tuple[str, str, str]]:
    """Kind, round and offset of what went out."""
    return office.query('SELECT kind, round, "offset" FROM cover WHERE message_row_id IS NOT NULL ORDER BY due_at, id')


def text_of(office: Office) -> str:
    """The plain text of the last message that went out, in one line."""
    part = message_from_bytes(office.frozen()[-1], policy=policy.default).get_body(("plain",))
    assert part is not None
    return " ".join(part.get_content().split())


def test_r3_the_same_points_as_the_deadline_has(office: Office) -> None:
    apply(office, LETTER)
    for point in (T_30, T_14, T_7, T_1):
        assert office.sweep(point - MINUTE) == {}
        assert office.sweep(point) == {"accepted": 1}
        assert office.sweep(point) == {}
    assert sent(office) == [("checklist_reminder", "early_action", offset) for offset in ("30d", "14d", "7d", "1d")]


def test_the_message_lists_what_is_not_yet_processed_and_the_date(office: Office) -> None:
    apply(office, LETTER, SECOND_LETTER, {"Code": "TRAN", "Status": "Requested"}, {"Code": "SOP", "Status": "Received"})
    office.sweep(T_7)
    text = text_of(office)
    assert "listed as not yet processed: From your recommenders: two letters of recommendation" in text
    assert "From your schools: one transcript" in text
    assert "statement" not in text
    assert "Early action deadline, fall 2027 (in 7 days): Tuesday, December 1, 11:59 p.m. Boston" in text
    assert "https://enroll.northeastern.edu/apply/" in text
    assert "Morgan Ellis" in text


def test_a_reader_elsewhere_gets_it_at_ten_by_their_own_clock_and_reads_both_dates(office: Office) -> None:
    apply(office, ENGLISH, CitizenshipStatus="Foreign National", Address1Country="China")
    ten_in_shanghai = datetime(2026, 11, 24, 2, tzinfo=UTC)
    assert office.sweep(ten_in_shanghai) == {"accepted": 1}
    assert "Tuesday, December 1, 11:59 p.m. Boston Wednesday, December 2, 12:59 p.m. in Shanghai" in text_of(office)
    assert "From the testing service: a TOEFL, IELTS or Duolingo score" in text_of(office)


@pytest.mark.parametrize("status", ["Received", "Waived", "Not Required"])
def test_what_is_settled_is_not_missing(office: Office, status: str) -> None:
    apply(office, {**LETTER, "Status": status})
    assert office.sweep(T_7) == {}
    assert office.query("SELECT count(*) FROM cover") == [0]


def test_what_the_source_never_lists_is_not_claimed_to_be_missing(office: Office) -> None:
    apply(office)
    assert office.sweep(T_7) == {}


@pytest.mark.parametrize(
    ("columns", "tally"),
    [
        ({"CitizenshipStatus": "US Citizen"}, {}),
        ({"CitizenshipStatus": "Foreign National", "Visa": "F-1"}, {"accepted": 1}),
        ({"CitizenshipStatus": "", "Address1Country": ""}, {"accepted": 1}),  # the school lists it: they may need it
    ],
)
def test_an_english_test_is_spoken_of_to_all_but_domestic_applicants(
    office: Office, columns: dict[str, str], tally: dict[str, int]
) -> None:
    apply(office, ENGLISH, at=SEPTEMBER, **columns)
    assert office.sweep(T_7) == tally


def test_what_the_office_keeps_to_itself_and_unknown_codes_are_not_spoken_of(office: Office) -> None:
    apply(office, {"Code": "FEE", "Status": "Awaiting"}, {"Code": "HAIKU", "Status": "Awaiting"})
    assert office.sweep(T_7) == {}


def test_a_program_can_be_switched_off(office: Office) -> None:
    apply(office, LETTER)
    program = replace(office.outbox.programs[PROGRAM], checklist_reminders=False)
    outbox = replace(office.outbox, programs={PROGRAM: program})
    assert dict(send_reminders(outbox, now=T_7).counts) == {}
    assert office.sweep(T_7) == {"accepted": 1}


def test_who_has_not_submitted_gets_the_deadline_reminder_and_nobody_gets_both(office: Office) -> None:
    office.sign_up(ANA)
    office.sign_up(BEN)
    office.report(at=SEPTEMBER, AppStatus="Awaiting Submission")
    office.report(BEN, at=SEPTEMBER, aid="a-2")
    for application in ("a-1", "a-2"):
        list_for(office, LETTER, at=SEPTEMBER, application=application)
    for point in (T_30, T_14, T_7, T_1):
        office.sweep(point)
    kinds = office.query(
        'SELECT p.email, c.kind, c."offset" FROM cover c JOIN person p ON p.id = c.person_id '
        "WHERE c.message_row_id IS NOT NULL ORDER BY p.email, c.due_at"
    )
    offsets = ("30d", "14d", "7d", "1d")
    assert kinds == [
        *((ANA, "deadline_reminder", offset) for offset in offsets),
        *((BEN, "checklist_reminder", offset) for offset in offsets),
    ]


def test_an_application_that_is_not_submitted_has_no_checklist_to_be_reminded_of(office: Office) -> None:
    apply(office, LETTER, AppStatus="Awaiting Submission")
    assert office.sweep(T_7) == {}


def test_who_submits_right_after_the_deadline_reminder_gets_no_second_message_of_that_instant(office: Office) -> None:
    office.sign_up(ANA)
    office.report(at=SEPTEMBER, AppStatus="Awaiting Submission")
    office.list_items(LETTER, at=SEPTEMBER)
    assert office.sweep(T_7) == {"accepted": 1}
    office.report(at=T_7 + MINUTE)
    assert office.sweep(T_7 + 5 * MINUTE) == {}
    assert sent(office) == [("deadline_reminder", "early_action", "7d")]
    assert office.sweep(T_1) == {"accepted": 1, "withheld": 1}


def test_new_facts_are_no_turn(office: Office) -> None:
    apply(office, at=SEPTEMBER)
    office.list_items(LETTER, at=T_7 + MINUTE)
    assert office.sweep(T_7 + 5 * MINUTE) == {}
    assert office.sweep(T_1) == {"accepted": 1}


def test_what_is_processed_a_minute_before_is_known_at_the_claim(office: Office) -> None:
    apply(office, LETTER)
    office.list_items({**LETTER, "Status": "Received"}, at=T_7 - MINUTE)
    assert office.sweep(T_7) == {}


@pytest.mark.parametrize("reason", ["bounced", "complained", "erased", "merged"])
def test_r7_withheld_where_nobody_would_read_it(office: Office, reason: str) -> None:
    person = apply(office, LETTER)
    match reason:
        case "merged":
            other = office.sign_up(BEN, entry_term="")
            office.change("UPDATE person SET merged_into_id = :into WHERE id = :id", into=other, id=person)
        case "bounced":
            take_bounce(office.engine, ANA, "5.1.1", fact=fact_at(T_14))
        case "complained":
            take_complaint(office.engine, ANA, fact=fact_at(T_14))
        case _:
            office.change("UPDATE person SET erased_at = now() WHERE id = :id", id=person)
    office.sweep(T_7)
    assert office.query("SELECT withheld FROM cover WHERE kind = 'checklist_reminder'") == [reason]


def test_r7_an_unsubscription_does_not_withhold_what_is_about_ones_own_application(office: Office) -> None:
    unsubscribe(office.engine, apply(office, LETTER), "*", now=SEPTEMBER)
    assert office.sweep(T_7)["accepted"] == 1


def test_an_erased_applicant_has_no_checklist_any_more(office: Office) -> None:
    apply(office, LETTER)
    office.erase(at=SEPTEMBER)
    assert office.sweep(T_7).get("accepted") is None


def test_two_applications_at_one_instant_are_one_message(office: Office) -> None:
    apply(office, LETTER)
    apply(office, SECOND_LETTER, aid="a-2", YearTerm="spring 2027")
    assert office.sweep(T_7) == {"accepted": 1}
    assert len(sent(office)) == 2
    text = text_of(office)
    assert "From your recommenders, fall 2027: one letter" in text
    assert "From your recommenders, spring 2027: one letter" in text


def test_r2_whose_residency_is_unknown_follows_the_earliest_date(office: Office) -> None:
    apply(office, LETTER, CitizenshipStatus="", Address1Country="", YearTerm="spring 2027")
    assert office.sweep(datetime(2026, 10, 25, 14, tzinfo=UTC)) == {"accepted": 1}  # a week before 1 November
    assert "Final deadline, spring 2027 (in 7 days): Sunday, November 1" in text_of(office)


def test_after_early_action_the_final_date_is_the_next(office: Office) -> None:
    apply(office, LETTER)
    assert office.sweep(CUT_OFF + HOUR) == {}
    assert office.sweep(datetime(2027, 7, 25, 14, tzinfo=UTC))["accepted"] == 1  # those missed since are collapsed
    assert sent(office) == [("checklist_reminder", "final", "7d")]


def test_r6_after_an_outage_the_newest_missed_point_goes_out_and_no_other(office: Office) -> None:
    apply(office, LETTER)
    office.sweep(FIRST_OF_OCTOBER)
    office.sweep(T_14 + timedelta(days=3))
    covers = office.query(
        "SELECT \"offset\", withheld, catch_up FROM cover WHERE kind = 'checklist_reminder' ORDER BY due_at, id"
    )
    assert sorted(covers) == [("14d", None, True), ("30d", "collapsed", True)]
    assert office.sweep(T_7) == {"accepted": 1}


def test_r6_whoever_has_had_the_newest_is_told_of_no_older_one(office: Office) -> None:
    apply(office, LETTER)
    office.sweep(FIRST_OF_OCTOBER)
    (due,) = [one for one in find_due(office.outbox, now=T_7) if one.checklists]
    assert due.checklists is not None
    newest = tuple(point for point in due.checklists.points if point.offset == "7d")
    send_due(office.outbox, replace(due, checklists=replace(due.checklists, points=newest)), now=T_7)
    assert office.sweep(T_7 + 2 * HOUR) == {}  # nobody has looked since October
    assert sent(office) == [("checklist_reminder", "early_action", "7d")]


def test_r2_what_was_behind_a_date_when_it_became_theirs_is_never_caught_up(office: Office) -> None:
    apply(office, LETTER, CitizenshipStatus="", Address1Country="", YearTerm="spring 2027")
    office.sweep(FIRST_OF_OCTOBER)
    # 1 November was the earliest date, 1 December is the next: its 30-day point fell on the day before that.
    assert "accepted" not in office.sweep(datetime(2026, 11, 5, 16, tzinfo=UTC))
    assert office.sweep(T_14)["accepted"] == 1


def test_never_after_the_cut_off(office: Office) -> None:
    apply(office, LETTER)
    (due,) = find_due(office.outbox, now=T_1)
    send_due(office.outbox, due, now=CUT_OFF + MINUTE)
    assert office.query("SELECT withheld FROM cover") == ["too_late"]
    assert office.relay.taken == []


def test_the_unit_has_a_name_travels_and_is_counted_by_a_dry_run(office: Office) -> None:
    apply(office, LETTER)
    (due,) = find_due(office.outbox, now=T_7)
    assert (
        due.name == "checklists: early action fall 2027 + final spring 2027 · 7 days · everyone · America/New_York · 1"
    )
    assert Due.from_wire(due.to_wire()) == due
    assert ANA not in str(due.to_wire())
    assert dict(send_due(office.outbox, due, now=T_7, dry_run=True).counts) == {"planned": 1}
    assert office.query("SELECT count(*) FROM cover") == [0]


def test_a_sweep_is_not_remembered_while_a_checklist_waits(office: Office) -> None:
    apply(office, LETTER)
    assert not finish_sweep(office.outbox, now=T_7)
    office.sweep(T_7)
    assert finish_sweep(office.outbox, now=T_7)


def refuse_once(office: Office) -> None:
    """The relay says later, so that the message waits to be tried again."""
    apply(office, LETTER)
    office.relay.answers["RCPT"] = "451 4.3.0 later"
    assert office.sweep(T_7) == {"retry": 1}
    office.relay.forget()
    office.end_leases()


def test_an_unfinished_message_goes_out_by_the_next_sweep(office: Office) -> None:
    refuse_once(office)
    assert office.sweep(T_7 + HOUR) == {"accepted": 1}


def test_and_is_withheld_where_everything_has_been_processed_meanwhile(office: Office) -> None:
    refuse_once(office)
    office.list_items({**LETTER, "Status": "Received"}, at=T_7 + MINUTE)
    assert office.sweep(T_7 + HOUR) == {"withheld": 1}
    assert office.query("SELECT state, withheld FROM message") == [("withheld", "complete")]


def test_the_freshness_gate_holds_it_and_lets_it_go(office: Office) -> None:
    apply(office, LETTER)
    office.sweep(T_14)
    watched = FeedWatch((WatchedSource("webadmit", timedelta(hours=24)),))
    delivered = "INSERT INTO source_delivery (source, first_seen, delivered_at) VALUES ('webadmit', :at, :at)"
    office.change(delivered, at=T_14)
    held = replace(office.outbox, freshness=watched)
    (due,) = find_due(held, now=T_7)
    assert due.name.startswith("held: checklists: early action fall 2027")
    assert dict(send_reminders(held, now=T_7).counts) == {"held": 1}
    assert sent(office) == [("checklist_reminder", "early_action", "14d")]
    fresh_again = T_7 + 3 * HOUR
    office.change("UPDATE source_delivery SET delivered_at = :at", at=fresh_again)
    assert dict(send_reminders(held, now=fresh_again).counts) == {"accepted": 1}
    assert sent(office)[-1] == ("checklist_reminder", "early_action", "7d")
