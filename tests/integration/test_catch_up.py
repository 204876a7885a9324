"""R6 on a real database: who arrived late, changed something or lived through an outage catches up, once."""

from datetime import timedelta

import pytest
from tests.factories import ANA, BEN, CUT_OFF, HOUR, MINUTE, SECOND, SEPTEMBER, T_1, T_7, T_14, T_30, Office, utc

from enrollment_crm.workflows.consent import unsubscribe

DATE = "2026-12-01"
A_DAY = timedelta(days=1)


def test_who_arrives_by_day_catches_up_at_once_and_the_older_points_collapse(office: Office) -> None:
    arrival = T_14 + HOUR
    office.sign_up(ANA, at=arrival)
    office.live(arrival, T_7)
    assert office.sent() == [f"11-17T16:00Z {DATE} 14d caught up", f"11-24T15:00Z {DATE} 7d"]
    assert office.reasons() == [f"11-17T16:00Z {DATE} 30d collapsed"]


def test_who_arrives_at_night_catches_up_at_ten_in_the_morning(office: Office) -> None:
    arrival = utc("2026-11-19T04:30")  # 23:30 in Boston
    office.sign_up(ANA, at=arrival)
    office.live(arrival, T_7 - SECOND)
    assert office.sent() == [f"11-19T15:00Z {DATE} 14d caught up"]
    assert office.reasons() == [f"11-19T04:30Z {DATE} 30d collapsed"]


@pytest.mark.parametrize(
    ("before", "reasons"),
    [
        (HOUR * 48, ["collapsed", "collapsed", "too_close_to_next"]),
        (HOUR * 48 + SECOND, ["collapsed", "collapsed"]),
    ],
)
def test_48_hours_or_less_before_the_next_point_nothing_is_caught_up(
    office: Office, before: timedelta, reasons: list[str]
) -> None:
    office.sign_up(ANA, at=T_1 - before)
    office.live(T_1 - before, T_1)
    assert sorted(office.withheld()) == sorted(reasons)
    assert len(office.sent()) == 4 - len(reasons)


@pytest.mark.parametrize(("left", "sent"), [(HOUR * 2, []), (HOUR * 2 + SECOND, ["1d caught up"])])
def test_2_hours_or_less_before_the_cut_off_nothing_is_caught_up(
    office: Office, left: timedelta, sent: list[str]
) -> None:
    """In Honolulu, where it is day."""
    office.sign_up(ANA, at=CUT_OFF - left, time_zone="Pacific/Honolulu")
    office.sweep(CUT_OFF - left)
    assert [one.partition(DATE)[2].strip() for one in office.sent()] == sent
    assert ("too_late" in office.withheld()) is (sent == [])


def test_a_sweep_that_runs_again_catches_nothing_up_twice(office: Office) -> None:
    office.sign_up(ANA, at=T_14 + HOUR)
    for minutes in (0, 0, 5, 10):
        office.sweep(T_14 + HOUR + MINUTE * minutes)
    assert len(office.sent()) == len(office.relay.taken) == 1


def test_another_clock_is_a_turn_and_whoever_has_had_the_newest_gets_nothing(office: Office) -> None:
    office.sign_up(ANA)
    office.live(SEPTEMBER, T_14)
    office.say_zone("Asia/Shanghai", at=T_14 + HOUR)
    office.live(T_14 + HOUR, T_7)
    assert [one.partition(DATE)[2] for one in office.sent()] == [" 30d", " 14d", " 7d"]
    assert office.sent()[-1].startswith("11-24T02:00Z")


def test_a_clock_by_which_a_point_has_passed_catches_it_up(office: Office) -> None:
    """At 07:00 in Boston, T-7 is three hours ahead; in London it was two hours ago."""
    office.sign_up(ANA)
    office.live(SEPTEMBER, T_14)
    now = T_7 - HOUR * 3
    office.say_zone("Europe/London", at=now)
    office.live(now, T_7)
    assert office.sent()[-1] == f"11-24T12:00Z {DATE} 7d caught up"


def test_an_outage_ends_with_one_message_for_the_newest_missed_point(office: Office) -> None:
    office.sign_up(ANA)
    office.live(SEPTEMBER, T_30)
    end = T_7 + HOUR * 3
    office.live(end, T_1)
    assert office.sent() == [
        f"11-01T15:00Z {DATE} 30d",
        f"11-24T18:00Z {DATE} 7d caught up",
        f"11-30T15:00Z {DATE} 1d",
    ]
    assert office.reasons() == [f"11-24T18:00Z {DATE} 14d collapsed"]


def test_an_outage_that_ends_at_night_is_caught_up_with_in_the_morning(office: Office) -> None:
    office.sign_up(ANA)
    office.live(SEPTEMBER, T_30)
    office.live(utc("2026-11-20T03:00"), T_7 - SECOND)  # 22:00 in Boston
    assert office.sent()[1:] == [f"11-20T15:00Z {DATE} 14d caught up"]


def test_a_point_at_the_end_of_an_outage_is_on_time(office: Office) -> None:
    office.sign_up(ANA)
    office.live(SEPTEMBER, T_30)
    office.live(T_7, T_7)
    assert office.sent()[1:] == [f"11-24T15:00Z {DATE} 7d"]
    assert office.reasons() == [f"11-24T15:00Z {DATE} 14d too_close_to_next"]


def test_r2_the_hand_over_of_a_date_to_unknown_residency_is_not_caught_up_after_an_outage_either(
    office: Office,
) -> None:
    office.sign_up(ANA, entry_term="spring 2027", residency="unknown", country="")
    office.live(SEPTEMBER, utc("2026-10-31T14:00"))
    office.live(utc("2026-11-05T17:00"), T_14)
    assert office.sent()[-2:] == ["10-31T14:00Z 2026-11-01 1d", f"11-17T15:00Z {DATE} 14d"]


def test_r2_who_arrives_after_the_hand_over_catches_up_with_what_they_missed(office: Office) -> None:
    """Nothing was theirs while they were not there."""
    arrival = utc("2026-11-05T17:00")
    office.sign_up(ANA, at=arrival, entry_term="spring 2027", residency="unknown", country="")
    office.sweep(arrival)
    assert office.sent() == [f"11-05T17:00Z {DATE} 30d caught up"]


def test_r7_a_signup_that_lifts_an_unsubscription_is_a_turn(office: Office) -> None:
    person = office.sign_up(ANA)
    unsubscribe(office.engine, person, "*", now=SEPTEMBER + A_DAY)
    office.live(SEPTEMBER, T_14)
    assert office.withheld() == ["unsubscribed"] * 2
    back = T_14 + A_DAY
    office.sign_up(ANA, at=back)
    office.live(back, T_7)
    assert office.sent() == [f"11-18T15:00Z {DATE} 14d caught up", f"11-24T15:00Z {DATE} 7d"]
    assert office.withheld() == ["unsubscribed", "unsubscribed", "collapsed"]


def test_r7_without_a_lifted_unsubscription_a_second_signup_is_no_turn(office: Office) -> None:
    office.sign_up(ANA)
    office.live(SEPTEMBER, T_30)
    office.sign_up(ANA, at=T_30 + A_DAY)
    assert office.sweep(T_30 + A_DAY) == {}


def test_two_people_of_one_cell_turn_each_at_their_own_instant(office: Office) -> None:
    office.sign_up(BEN)
    office.live(SEPTEMBER, T_14)
    office.sign_up(ANA, at=T_14 + HOUR)
    office.live(T_14 + HOUR, T_14 + HOUR * 2)
    assert office.sent(email=BEN) == [f"11-01T15:00Z {DATE} 30d", f"11-17T15:00Z {DATE} 14d"]
    assert office.sent(email=ANA) == [f"11-17T16:00Z {DATE} 14d caught up"]
