"""Routing on a real database: who waits, what follows from the evidence, and which questions are open."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.factories import ANA, BEN, HOUR, PROGRAM, SEPTEMBER, Office

from enrollment_crm.storage.routing import people_without_route
from enrollment_crm.workflows.routing import Routed, route_people

DESKS = {
    "domestic": "domestic-desk",
    "international_inside_us": "campus-international-desk",
    "international_outside_us": "global-desk",
    "unknown": "first-contact-desk",
}


def route(office: Office) -> Routed:
    return route_people(office.engine, office.outbox.programs, default_program=PROGRAM, now=SEPTEMBER)


def reviews(office: Office) -> list[tuple[str, bool]]:
    return office.query("SELECT about, closed_at IS NULL FROM review ORDER BY id")


@pytest.mark.parametrize("residency", DESKS)
def test_each_group_has_its_owner_and_a_reason(office: Office, residency: str) -> None:
    office.sign_up(ANA, residency=residency)
    ((group, owner, reason, waits),) = office.query("SELECT residency, owner, route_reason, needs_routing FROM person")
    assert (group, owner, waits) == (residency, DESKS[residency], False)
    assert reason.startswith("fall 2027; ")


def test_unknown_residency_is_asked_about_once_and_the_answer_closes_the_question(office: Office) -> None:
    office.sign_up(ANA, residency="", country="")
    office.sign_up(ANA, at=SEPTEMBER + HOUR, residency="unknown")
    assert reviews(office) == [("residency", True)]
    office.sign_up(ANA, at=SEPTEMBER + HOUR * 2, residency="domestic")
    assert reviews(office) == [("residency", False)]


def test_sources_that_contradict_each_other_open_a_question_and_the_person_is_treated_neutrally(office: Office) -> None:
    office.sign_up(ANA, residency="international_outside_us", country="IN")
    office.report(at=SEPTEMBER + HOUR, CitizenshipStatus="US Citizen")
    assert office.query("SELECT residency, owner FROM person") == [("unknown", "first-contact-desk")]
    (detail,) = office.query("SELECT detail FROM review")
    assert "form says international_outside_us" in detail
    assert "slate says domestic" in detail


def test_r2_a_second_signup_without_an_answer_keeps_the_route(office: Office) -> None:
    office.sign_up(ANA, residency="international_outside_us", country="IN")
    office.sign_up(ANA, at=SEPTEMBER + HOUR, residency="", country="IN", entry_term="spring 2027")
    assert office.query("SELECT residency FROM person") == ["international_outside_us"]
    assert reviews(office) == []


def test_every_value_without_a_meaning_is_named_in_one_question(office: Office) -> None:
    office.report(at=SEPTEMBER, CitizenshipStatus="Deferred Action", Visa="Z-9")
    (detail,) = office.query("SELECT detail FROM review WHERE about = 'unmapped_value'")
    assert "'Deferred Action' as citizenship" in detail
    assert "'Z-9' as holds_visa" in detail


def test_a_session_that_cannot_be_registered_for_is_a_question(office: Office) -> None:
    office.sign_up(ANA, prep_session="no-such-session")
    assert reviews(office) == [("prep_session", True)]


def test_routing_counts_who_must_be_looked_at(office: Office) -> None:
    office.fill_in(ANA, at=SEPTEMBER)
    office.fill_in(BEN, at=SEPTEMBER, residency="", country="")
    office.load(now=SEPTEMBER, route=False)
    assert route(office) == Routed(routed=2, to_review=1)
    assert route(office) == Routed()


def test_two_routers_side_by_side_route_everybody_once(office: Office) -> None:
    for number in range(30):
        office.fill_in(f"person{number}@example.edu", at=SEPTEMBER)
    office.load(now=SEPTEMBER, route=False)
    with ThreadPoolExecutor(2) as threads:
        routed = list(threads.map(lambda _: route(office), range(2)))
    assert sum(one.routed for one in routed) == 30


def test_people_whom_another_router_holds_are_left_to_it(office: Office) -> None:
    for email in (ANA, BEN):
        office.fill_in(email, at=SEPTEMBER)
    office.load(now=SEPTEMBER, route=False)
    with office.engine.begin() as one, office.engine.begin() as other:
        assert len(people_without_route(one, limit=1)) == 1
        assert len(people_without_route(other, limit=10)) == 1


def test_r4_the_zone_follows_the_newest_answer_and_a_blank_erases_nothing(office: Office) -> None:
    office.sign_up(ANA, country="IN", time_zone="")
    assert office.query("SELECT zone FROM person") == ["Asia/Kolkata"]
    office.sign_up(ANA, at=SEPTEMBER + HOUR, country="", time_zone="Asia/Kathmandu")
    office.sign_up(ANA, at=SEPTEMBER + HOUR * 2, country="", time_zone="", first_name="")
    assert office.query("SELECT zone, country, first_name FROM person") == [("Asia/Kathmandu", "IN", "Ana")]


def test_r4_an_unknown_zone_falls_back_to_the_country_with_a_warning_that_names_no_person(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    office.sign_up(ANA, country="IN", time_zone="Asia/Atlantis")
    assert caplog.messages == ["Person 1 states a time zone that does not exist: taken by country instead."]
    assert office.query("SELECT zone, stated_time_zone FROM person") == [("Asia/Kolkata", "Asia/Atlantis")]


def test_r4_an_unknown_zone_does_not_replace_a_known_one_and_is_replaced_by_one(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    for hours, zone in enumerate(("Asia/Atlantis", "Asia/Kathmandu", "Mars/Olympus")):
        office.sign_up(ANA, at=SEPTEMBER + HOUR * hours, country="IN", time_zone=zone)
    assert office.query("SELECT zone, stated_time_zone FROM person") == [("Asia/Kathmandu", "Asia/Kathmandu")]
    assert [message.partition(": ")[2] for message in caplog.messages] == [
        "taken by country instead.",
        "taken by stated instead.",
    ]


def test_r5_the_first_arrival_counts_in_whatever_order_rows_are_loaded(office: Office) -> None:
    for at in (SEPTEMBER + HOUR, SEPTEMBER, SEPTEMBER + HOUR * 2):
        office.sign_up(ANA, at=at)
    assert office.query("SELECT since FROM interest") == [SEPTEMBER]


def test_r7_addresses_are_one_without_case_and_written_to_as_first_given(office: Office) -> None:
    office.sign_up("Ana@Example.EDU")
    office.fill_in("ana@example.edu", at=SEPTEMBER + HOUR)
    office.load(now=SEPTEMBER + HOUR)
    assert office.query("SELECT email FROM person") == ["Ana@Example.EDU"]
