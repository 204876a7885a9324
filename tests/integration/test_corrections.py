"""Corrections: another term, residency or clock, each fact once (R2, R6, R9)."""

from datetime import timedelta

from tests.factories import ANA, HOUR, SEPTEMBER, SHANGHAI, T_7, T_14, Office, utc

A_DAY = timedelta(days=1)


def terms(office: Office) -> list[str]:
    return office.query("SELECT entry_term FROM interest ORDER BY entry_term")


def test_another_term_replaces_the_one_that_was_named(office: Office) -> None:
    office.sign_up(ANA, entry_term="spring 2027")
    office.sign_up(ANA, entry_term="fall 2027")
    office.say_term("spring 2027", "fall 2028", at=SEPTEMBER + HOUR)
    assert terms(office) == ["fall 2027", "fall 2028"]


def test_a_further_signup_adds_a_term_and_replaces_none(office: Office) -> None:
    office.sign_up(ANA, entry_term="spring 2027")
    office.sign_up(ANA, at=SEPTEMBER + HOUR, entry_term="fall 2027")
    assert terms(office) == ["fall 2027", "spring 2027"]


def test_who_never_named_the_old_term_has_the_new_one_besides(office: Office) -> None:
    office.sign_up(ANA, entry_term="fall 2027")
    office.say_term("spring 2027", "spring 2028", at=SEPTEMBER + HOUR)
    assert terms(office) == ["fall 2027", "spring 2028"]


def test_a_term_takes_the_place_of_an_unknown_one(office: Office) -> None:
    office.sign_up(ANA, entry_term="")
    office.say_term(None, "fall 2027", at=SEPTEMBER + HOUR)
    assert terms(office) == ["fall 2027"]


def test_a_correction_that_is_delivered_again_is_not_new(office: Office) -> None:
    office.sign_up(ANA, entry_term="spring 2027")
    office.say_term("spring 2027", "fall 2027", at=SEPTEMBER + HOUR, fact="c-1")
    office.say_term("fall 2027", "spring 2027", at=SEPTEMBER + HOUR * 2, fact="c-2")
    office.say_term("spring 2027", "fall 2027", at=SEPTEMBER + HOUR * 3, fact="c-1")
    assert terms(office) == ["spring 2027"]


def test_somebody_whom_nobody_knows_is_corrected_by_nothing(office: Office) -> None:
    office.say_term("spring 2027", "fall 2027", "nobody@example.edu", at=SEPTEMBER)
    office.say_residency("domestic", "nobody@example.edu", at=SEPTEMBER)
    office.say_zone(SHANGHAI, "nobody@example.edu", at=SEPTEMBER)
    assert office.query("SELECT count(*) FROM person") == [0]


def test_r6_the_new_term_is_caught_up_with_and_the_old_one_is_silent(office: Office) -> None:
    office.sign_up(ANA, entry_term="spring 2027")
    office.live(SEPTEMBER, T_14)
    now = T_14 + A_DAY
    office.say_term("spring 2027", "fall 2027", at=now)
    office.live(now, T_7)
    found = office.query(
        "SELECT entry_term, round, c.offset, catch_up FROM cover c WHERE withheld IS NULL AND recorded_at >= :now "
        "ORDER BY recorded_at",
        now=now,
    )
    assert found == [("fall 2027", "early_action", "14d", True), ("fall 2027", "early_action", "7d", False)]


def test_r6_what_waited_for_the_morning_for_the_old_term_is_superseded(office: Office) -> None:
    arrival = utc("2026-11-20T03:00")  # 22:00 in Boston
    office.sign_up(ANA, at=arrival, entry_term="spring 2027")
    office.sweep(arrival)
    office.say_term("spring 2027", "spring 2028", at=arrival + HOUR)
    office.live(arrival + HOUR, T_7)
    assert [one.rpartition(" ")[2] for one in office.reasons()] == ["collapsed", "superseded"]
    assert office.sent() == []


def test_r9_a_residency_with_another_date_is_caught_up_with(office: Office) -> None:
    """From 1 November to 1 December, on 5 November: T-30 of the new date was on the 1st."""
    office.sign_up(ANA, entry_term="spring 2027", residency="international_outside_us", country="IN")
    office.say_zone("America/New_York", at=SEPTEMBER)
    office.live(SEPTEMBER, utc("2026-10-31T14:00"))
    now = utc("2026-11-05T16:00")
    office.say_residency("domestic", at=now)
    office.live(now, T_14)
    assert office.sent()[-2:] == ["11-05T16:00Z 2026-12-01 30d caught up", "11-17T15:00Z 2026-12-01 14d"]


def test_r9_a_residency_with_the_same_date_repeats_nothing(office: Office) -> None:
    office.sign_up(ANA, entry_term="spring 2027", residency="domestic")
    office.live(SEPTEMBER, T_14)
    office.say_residency("international_inside_us", at=T_14 + A_DAY)
    assert office.sweep(T_14 + A_DAY) == {}
    assert office.query("SELECT residency FROM person") == ["international_inside_us"]


def test_r1_an_answer_that_moves_somebody_to_a_date_that_is_past_is_a_question(office: Office) -> None:
    office.sign_up(ANA, entry_term="spring 2027", residency="domestic")
    office.say_residency("international_outside_us", at=utc("2026-11-02T05:00"))
    assert ("late_application", ANA) in office.reviews()


def test_r1_before_its_cut_off_it_is_none(office: Office) -> None:
    office.sign_up(ANA, entry_term="spring 2027", residency="domestic")
    office.say_residency("international_outside_us", at=utc("2026-11-02T04:59"))
    assert ("late_application", ANA) not in office.reviews()


def test_r1_a_term_that_is_over_is_a_question_too(office: Office) -> None:
    office.sign_up(ANA, entry_term="fall 2027", residency="international_outside_us", country="IN")
    office.say_term("fall 2027", "spring 2027", at=utc("2026-11-02T05:00"))
    assert ("late_application", ANA) in office.reviews()
