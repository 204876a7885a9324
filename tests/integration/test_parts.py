"""A large cell goes out in parts, which several workers take side by side; the most urgent deadline goes first."""

import re
from dataclasses import replace
from threading import Thread

from tests.factories import MINUTE, SEPTEMBER, T_7, Office, utc

from enrollment_crm.workflows.outbox import Outbox
from enrollment_crm.workflows.reminders import Due, find_due, finish_sweep, send_due


def in_parts(office: Office, people: int) -> Outbox:
    """The outbox of another worker, for which a cell of more people is large."""
    return replace(office.another(), people_a_part=people)


def signed_up(office: Office, number: int) -> list[str]:
    for one in range(number):
        office.fill_in(f"person{one}@example.edu", at=SEPTEMBER)
    office.load(now=SEPTEMBER)
    return sorted(f"person{one}@example.edu" for one in range(number))


def test_parts_have_readable_names_and_cover_everybody_once(office: Office) -> None:
    everybody = signed_up(office, 7)
    parts = find_due(in_parts(office, 3), now=T_7)
    names = [re.sub(r".*New_York · ", "", due.name) for due in parts]
    assert names == ["7 · part 1 of 3", "7 · part 2 of 3", "7 · part 3 of 3"]
    assert [(due.people, due.to_send) for due in parts] == [(3, 3), (2, 2), (2, 2)]

    workers = [
        Thread(target=send_due, args=(in_parts(office, 3), travelled(due)), kwargs={"now": T_7}) for due in parts
    ]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert office.relay.recipients() == everybody
    assert finish_sweep(office.outbox, now=T_7)


def travelled(due: Due) -> Due:
    """As it reaches another task."""
    return Due.from_wire(due.to_wire())


def test_a_part_sends_to_its_own_people_only(office: Office) -> None:
    signed_up(office, 6)
    _, second = find_due(in_parts(office, 3), now=T_7)
    assert dict(send_due(office.outbox, second, now=T_7).counts) == {"accepted": 3}
    assert office.relay.recipients() == [f"person{one}@example.edu" for one in (3, 4, 5)]


def test_who_arrives_after_the_parts_were_made_belongs_to_the_last(office: Office) -> None:
    signed_up(office, 4)
    parts = find_due(in_parts(office, 2), now=T_7 + MINUTE)
    office.sign_up("late@example.edu", at=SEPTEMBER)
    assert [dict(send_due(office.outbox, due, now=T_7 + MINUTE).counts)["accepted"] for due in parts] == [2, 3]


def test_a_small_cell_is_one_unit(office: Office) -> None:
    signed_up(office, 3)
    (due,) = find_due(in_parts(office, 3), now=T_7)
    assert due.part is None
    assert "part" not in due.name


def test_the_most_urgent_deadline_goes_first_in_a_backlog(office: Office) -> None:
    """Early action is on 1 December, the last deadline of spring for those outside the US on 1 November."""
    office.sign_up("early@example.edu", entry_term="fall 2027")
    office.sign_up("spring@example.edu", entry_term="spring 2027", residency="international_outside_us", country="IN")
    office.sweep(utc("2026-10-30T12:00"))
    office.relay.taken.clear()
    office.sweep(utc("2026-11-01T15:30"))
    assert [one.recipient for one in office.relay.taken] == ["spring@example.edu", "early@example.edu"]
