"""The sweep on a real database: who is reminded of what, once, whatever runs twice (R2, R3, R5, R8, R10)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from tests.factories import (
    ANA,
    BEN,
    CUT_OFF,
    HOUR,
    MINUTE,
    SECOND,
    SEPTEMBER,
    SHANGHAI,
    T_1,
    T_7,
    T_14,
    T_30,
    Office,
)

from enrollment_crm.domain.sweeps import Sweep
from enrollment_crm.storage.sweeps import record_sweeps, swept_until
from enrollment_crm.workflows.delivery import PEOPLE_A_CLAIM
from enrollment_crm.workflows.reminders import Due, find_due, finish_sweep, send_due, send_reminders


def test_r5_who_was_there_at_the_instant_is_reminded_on_time(office: Office) -> None:
    office.sign_up(ANA, at=T_1)
    office.sign_up(BEN, at=T_1 + SECOND)
    office.sweep(T_1 + MINUTE)
    assert office.sent(email=ANA) == ["11-30T15:01Z 2026-12-01 1d"]
    assert office.sent(email=BEN) == ["11-30T15:01Z 2026-12-01 1d caught up"]


def test_r5_the_four_points_of_a_deadline_each_once(office: Office) -> None:
    office.sign_up(ANA)
    for point in (T_30, T_14, T_7, T_1):
        assert office.sweep(point - SECOND) == {}
        assert office.sweep(point) == {"accepted": 1}
        assert office.sweep(point) == {}
    assert office.offsets() == [("30d", None), ("14d", None), ("7d", None), ("1d", None)]


def test_r3_each_person_at_ten_on_their_own_clock(office: Office) -> None:
    office.sign_up(ANA)
    office.sign_up(BEN, time_zone=SHANGHAI)
    office.sign_up("cem@example.edu", time_zone="Asia/Kathmandu")
    sent = []
    office.live(T_30, T_7.replace(hour=1))
    office.relay.forget()
    for hour, minute in ((2, 0), (4, 15), (15, 0)):
        office.sweep(T_7.replace(hour=hour, minute=minute))
        sent.append(office.relay.taken[-1].recipient)
    assert sent == [BEN, "cem@example.edu", ANA]


def test_r8_two_terms_at_one_instant_are_one_message_that_covers_both(office: Office) -> None:
    office.sign_up(ANA)
    office.sign_up(ANA, entry_term="spring 2027")
    assert office.sweep(T_7) == {"accepted": 1}
    covers = office.query("SELECT entry_term, round, message_row_id FROM cover ORDER BY entry_term")
    assert [cover[:2] for cover in covers] == [("fall 2027", "early_action"), ("spring 2027", "final")]
    assert len({cover[2] for cover in covers}) == 1
    text = office.relay.taken[0].content.decode()
    assert "fall 2027" in text
    assert "spring 2027" in text


def test_r8_only_the_term_that_is_not_submitted_is_reminded_of(office: Office) -> None:
    office.sign_up(ANA)
    office.sign_up(ANA, entry_term="spring 2027")
    office.report(at=T_14, YearTerm="Spring 2027")
    assert office.sweep(T_7) == {"accepted": 1, "withheld": 1}
    assert office.query("SELECT entry_term, withheld FROM cover ORDER BY entry_term") == [
        ("fall 2027", None),
        ("spring 2027", "submitted"),
    ]
    assert "spring 2027" not in office.relay.taken[0].content.decode()


def test_two_cells_of_one_sweep_are_two_units_of_work(office: Office) -> None:
    office.sign_up(ANA, entry_term="spring 2027", residency="international_outside_us")  # 1 November: T-1
    office.sign_up(BEN)  # 1 December: T-30, an hour later on the clock of Chicago
    office.sign_up("cem@example.edu", time_zone="America/Chicago")
    now = datetime(2026, 10, 31, 14, tzinfo=UTC)
    office.live(SEPTEMBER, now - SECOND)
    (due,) = find_due(office.outbox, now=now)
    assert due.name == "final spring 2027 · 1 day · outside US, residency unknown · America/New_York · 1"
    office.sweep(now)
    office.sweep(T_30 - HOUR)
    names = [one.name for one in find_due(office.outbox, now=T_30.replace(hour=16))]
    assert [name.rpartition(" · ")[0].rpartition(" · ")[2] for name in names] == [
        "America/Chicago",
        "America/New_York",
    ]
    assert office.sweep(T_30.replace(hour=16)) == {"accepted": 2}


def test_r2_unknown_residency_follows_the_earliest_date_and_then_the_next(office: Office) -> None:
    office.sign_up(ANA, entry_term="spring 2027", residency="unknown", country="")
    office.live(SEPTEMBER, CUT_OFF)
    assert office.sent() == [
        "10-02T14:00Z 2026-11-01 30d",
        "10-18T14:00Z 2026-11-01 14d",
        "10-25T14:00Z 2026-11-01 7d",
        "10-31T14:00Z 2026-11-01 1d",
        "11-17T15:00Z 2026-12-01 14d",
        "11-24T15:00Z 2026-12-01 7d",
        "11-30T15:00Z 2026-12-01 1d",
    ]
    assert office.reasons() == []


def test_r9_residency_that_changes_to_a_group_with_the_same_date_repeats_nothing(office: Office) -> None:
    office.sign_up(ANA, at=T_14, residency="domestic", entry_term="spring 2027")
    office.live(T_14, T_7)
    assert [one[-3:] for one in office.sent()] == ["14d", " 7d"]
    office.sign_up(ANA, at=T_7 + MINUTE, residency="international_inside_us", entry_term="spring 2027")
    assert office.sweep(T_7 + MINUTE * 2) == {}


def test_an_unknown_term_is_reminded_of_nothing(office: Office) -> None:
    office.sign_up(ANA, entry_term="")
    assert office.sweep(T_7) == {}
    assert office.states() == []


def test_who_waits_for_a_route_is_reminded_once_routed(office: Office) -> None:
    office.fill_in(ANA, at=T_14)
    office.load(now=T_14, route=False)
    assert office.sweep(T_7) == {}
    office.load(now=T_7, route=True)
    assert office.sweep(T_7 + MINUTE * 5) == {"accepted": 1}


def test_sweeps_side_by_side_send_once(office: Office) -> None:
    for number in range(60):
        office.fill_in(f"person{number}@example.edu", at=SEPTEMBER)
    office.load(now=SEPTEMBER)
    workers = [office.another() for _ in range(3)]
    with ThreadPoolExecutor(3) as threads:
        tallies = list(threads.map(lambda outbox: send_reminders(outbox, now=T_7), workers))
    assert sum(tally.counts["accepted"] for tally in tallies) == 60
    assert len(set(office.relay.recipients())) == len(office.relay.taken) == 60
    assert set(office.states()) == {"accepted"}


def test_one_cell_handed_to_three_workers_is_sent_once(office: Office) -> None:
    """What Airflow does when a mapped task is cleared while it runs."""
    for number in range(20):
        office.fill_in(f"person{number}@example.edu", at=SEPTEMBER)
    office.load(now=SEPTEMBER)
    (due,) = find_due(office.outbox, now=T_7)
    wire = due.to_wire()
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda box: send_due(box, Due.from_wire(wire), now=T_7), [office.another() for _ in "abc"]))
    assert len(set(office.relay.recipients())) == len(office.relay.taken) == 20


def test_more_people_than_one_claim_holds(office: Office) -> None:
    many = PEOPLE_A_CLAIM * 2 + 1
    for number in range(many):
        office.fill_in(f"person{number}@example.edu", at=SEPTEMBER)
    office.load(now=SEPTEMBER)
    assert office.sweep(T_7) == {"accepted": many}


def test_a_unit_of_work_travels_as_plain_values(office: Office) -> None:
    office.sign_up(ANA)
    (due,) = find_due(office.outbox, now=T_7)
    assert Due.from_wire(due.to_wire()) == due
    assert ANA not in str(due.to_wire())
    assert "Silva" not in str(due.to_wire())


def test_r6_after_a_long_gap_one_message_goes_out_and_older_points_are_recorded(office: Office) -> None:
    office.sign_up(ANA)
    office.sweep(T_30)
    assert office.sweep(T_7 + HOUR * 26) == {"accepted": 1, "withheld": 1}
    assert office.sent() == ["11-01T15:00Z 2026-12-01 30d", "11-25T17:00Z 2026-12-01 7d caught up"]
    assert office.reasons() == ["11-25T17:00Z 2026-12-01 14d collapsed"]


def test_r6_after_the_cut_off_nothing_goes_out(office: Office) -> None:
    office.sign_up(ANA)
    office.live(T_30, T_14)
    office.relay.forget()
    assert office.sweep(CUT_OFF) == {"withheld": 2}
    assert office.relay.taken == []
    assert office.reasons()[-2:] == [
        "12-02T05:00Z 2026-12-01 7d collapsed",
        "12-02T05:00Z 2026-12-01 1d too_late",
    ]


def test_a_task_that_is_tried_again_after_the_cut_off_sends_nothing(office: Office) -> None:
    office.sign_up(ANA)
    (due,) = find_due(office.outbox, now=T_1)
    assert dict(send_due(office.outbox, due, now=CUT_OFF).counts) == {"withheld": 1}
    assert office.withheld() == ["too_late"]


def test_r9_a_task_that_is_tried_again_after_the_date_was_moved_sends_nothing(office: Office) -> None:
    office.sign_up(ANA)
    (due,) = find_due(office.outbox, now=T_7)
    office.change("UPDATE deadline SET stated_date = '2026-12-15' WHERE entry_term = 'fall 2027'")
    assert dict(send_due(office.outbox, due, now=T_7).counts) == {}
    assert office.relay.taken == []


def test_a_sweep_looks_back_an_hour_for_people_who_were_loaded_late(office: Office) -> None:
    """Up to then they are on time; somebody who was on the road for longer has missed the point."""
    punctuality = office.outbox.punctuality
    office.sweep(T_7)
    office.sign_up(ANA, at=T_7 - SECOND)
    office.sign_up(BEN, at=T_7 - SECOND)
    office.sweep(T_7 + punctuality - SECOND)
    assert [office.sent(email=one)[0][-2:] for one in (ANA, BEN)] == ["7d", "7d"]
    office.sign_up("cem@example.edu", at=T_7 - SECOND)
    assert office.sweep(T_7 + punctuality) == {}


def test_how_far_was_swept_never_goes_back(office: Office) -> None:
    with office.engine.begin() as connection:
        assert swept_until(connection) == {}
        record_sweeps(connection, [Sweep.DEADLINES], T_7)
        record_sweeps(connection, [Sweep.DEADLINES], T_14)
        assert swept_until(connection) == {Sweep.DEADLINES: T_7}


def test_a_naive_instant_is_refused(office: Office) -> None:
    for use in (send_reminders, finish_sweep, find_due):
        with pytest.raises(ValueError, match="no time zone"):
            use(office.outbox, now=datetime(2026, 11, 24))  # noqa: DTZ001
