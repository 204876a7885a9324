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
    STARTS,
    T_1,
    T_7,
    T_14,
    T_30,
    Office,
)

from enrollment_crm.storage.reminders import record_sweep, swept_until
from enrollment_crm.workflows.delivery import PEOPLE_A_CLAIM
from enrollment_crm.workflows.reminders import LOOKBACK, Due, find_due, finish_sweep, send_due, send_reminders


def test_r5_who_was_there_at_the_instant_is_reminded(office: Office) -> None:
    office.sign_up(ANA, at=T_7)
    office.sign_up(BEN, at=T_7 + SECOND)
    assert office.sweep(T_7 + MINUTE) == {"accepted": 1}
    assert office.relay.recipients() == [ANA]


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


def test_two_cells_of_one_sweep_are_two_units_of_work_most_urgent_first(office: Office) -> None:
    office.sign_up(ANA, entry_term="spring 2027", residency="international_outside_us")  # 1 November: T-1
    office.sign_up(BEN)  # 1 December: T-30, an hour later on the clock of Chicago
    office.sign_up("cem@example.edu", time_zone="America/Chicago")
    now = datetime(2026, 10, 31, 14, tzinfo=UTC)
    (due,) = find_due(office.outbox, now=now)
    assert due.name == "final spring 2027 · 1 day · outside US, residency unknown · America/New_York · 1"
    office.sweep(now)
    names = [one.name for one in find_due(office.outbox, now=T_30.replace(hour=16))]
    assert [name.rpartition(" · ")[0].rpartition(" · ")[2] for name in names] == [
        "America/New_York",
        "America/Chicago",
    ]
    assert office.sweep(T_30.replace(hour=16)) == {"accepted": 2}


def test_r2_unknown_residency_follows_the_earliest_date_and_then_the_next(office: Office) -> None:
    office.sign_up(ANA, entry_term="spring 2027", residency="unknown", country="")
    now, end = datetime(2026, 10, 1, tzinfo=UTC), CUT_OFF
    while now < end:
        office.sweep(now)
        now += HOUR * 12 if now.hour != 2 else HOUR
    found = office.query('SELECT stated_date::text, "offset" FROM cover WHERE withheld IS NULL ORDER BY due_at')
    assert found == [
        ("2026-11-01", "30d"),
        ("2026-11-01", "14d"),
        ("2026-11-01", "7d"),
        ("2026-11-01", "1d"),
        ("2026-12-01", "14d"),
        ("2026-12-01", "7d"),
        ("2026-12-01", "1d"),
    ]


def test_r9_residency_that_changes_to_a_group_with_the_same_date_repeats_nothing(office: Office) -> None:
    office.sign_up(ANA, at=T_14, residency="domestic")
    assert office.sweep(T_7) == {"accepted": 1}
    office.sign_up(ANA, at=T_7 + MINUTE, residency="international_inside_us")
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
    assert office.offsets() == [("30d", None), ("14d", "collapsed"), ("7d", None)]


def test_r6_after_the_cut_off_nothing_goes_out(office: Office) -> None:
    office.sign_up(ANA)
    office.sweep(T_14)
    assert office.sweep(CUT_OFF) == {"withheld": 2}
    assert office.offsets() == [("14d", None), ("7d", "collapsed"), ("1d", "too_late")]
    assert len(office.relay.taken) == 1


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
    office.sweep(T_7)
    office.sign_up(ANA, at=T_7 - SECOND)
    office.sign_up(BEN, at=T_7 - SECOND)
    assert office.sweep(T_7 + LOOKBACK - SECOND) == {"accepted": 2}
    office.sign_up("cem@example.edu", at=T_7 - SECOND)
    assert office.sweep(T_7 + LOOKBACK) == {}


def test_how_far_was_swept_never_goes_back(office: Office) -> None:
    with office.engine.begin() as connection:
        assert swept_until(connection) is None
        record_sweep(connection, T_7)
        record_sweep(connection, T_14)
        assert swept_until(connection) == T_7


def test_a_naive_instant_is_refused(office: Office) -> None:
    for use in (send_reminders, finish_sweep, find_due):
        with pytest.raises(ValueError, match="no time zone"):
            use(office.outbox, now=datetime(2026, 11, 24))  # noqa: DTZ001


def test_r10_who_registered_is_reminded_a_week_a_day_and_an_hour_before(office: Office, session: str) -> None:
    office.sign_up(ANA, prep_session=session, entry_term="")
    office.sign_up(BEN, entry_term="")
    for point in (STARTS - HOUR * 168, STARTS - HOUR * 24, STARTS - HOUR):
        assert office.sweep(point - SECOND) == {}
        assert office.sweep(point) == {"accepted": 1}
    assert office.relay.recipients() == [ANA] * 3
    assert office.offsets() == [("7d", None), ("1d", None), ("1h", None)]


def test_r10_who_registers_after_a_point_gets_the_next(office: Office, session: str) -> None:
    office.sign_up(ANA, at=STARTS - HOUR * 24 + SECOND, prep_session=session, entry_term="")
    assert office.sweep(STARTS - HOUR * 23) == {}
    assert office.sweep(STARTS - HOUR) == {"accepted": 1}


def test_r10_a_session_is_never_caught_up(office: Office, session: str) -> None:
    office.sign_up(ANA, prep_session=session, entry_term="")
    office.sweep(STARTS - HOUR * 2)
    assert office.sweep(STARTS) == {}


def test_r10_a_task_that_is_tried_again_after_the_session_was_moved_sends_nothing(office: Office, session: str) -> None:
    office.sign_up(ANA, prep_session=session, entry_term="")
    (due,) = find_due(office.outbox, now=STARTS - HOUR)
    office.change("UPDATE prep_session SET starts = starts + interval '1 day'")
    assert dict(send_due(office.outbox, due, now=STARTS - HOUR).counts) == {}
    office.change("UPDATE prep_session SET starts = starts - interval '1 day', cancelled_at = now()")
    assert dict(send_due(office.outbox, due, now=STARTS - HOUR).counts) == {}
    assert office.relay.taken == []
