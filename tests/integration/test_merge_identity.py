"""Whatever is merged and taken apart, in whatever order: in the end everybody is as they were."""

from random import Random

import pytest
from tests.factories import ANA, BEN, DAY, HOUR, SEPTEMBER, Office
from tests.integration.test_unmerging import CID, state

from enrollment_crm.domain.staff_actions import StaffAction
from enrollment_crm.workflows.consent import unsubscribe
from enrollment_crm.workflows.people import CannotMergeError, merge, unmerge

PEOPLE = (ANA, BEN, CID)
LATER = SEPTEMBER + DAY * 9


def live_somehow(office: Office, email: str, chance: Random) -> None:
    """Somebody of whom as much is known, and as much withdrawn, as chance has it."""
    term = chance.choice(["", "fall 2027", "spring 2028"])
    office.sign_up(
        email, entry_term=term, phone=chance.choice(["", "617 555 0101"]), country=chance.choice(["US", "CN"])
    )
    for number in range(chance.randrange(3)):
        office.report(
            email,
            at=SEPTEMBER + DAY * chance.randrange(4),
            aid=f"{email} {number}",
            YearTerm=chance.choice(["fall 2027", "spring 2028"]),
            AppStatus=chance.choice(["Awaiting Submission", "Awaiting Decision"]),
            CitizenshipStatus=chance.choice(["", "US Citizen", "Foreign National"]),
        )
    for topic in chance.sample(["sessions", "deadlines", "*"], chance.randrange(3)):
        unsubscribe(office.engine, office.person(email), topic, now=SEPTEMBER + DAY * chance.randrange(4))
    office.load(now=SEPTEMBER + DAY * 5)


@pytest.mark.parametrize("seed", range(8))
def test_everybody_is_as_they_were(office: Office, seed: int) -> None:
    chance = Random(seed)
    for email in PEOPLE:
        live_somehow(office, email, chance)
    before = {email: state(office, email) for email in PEOPLE}
    done = 0
    for number in range(16):
        # At first merged and taken apart as it comes, then taken apart until nobody is merged.
        action = StaffAction("dean", "", LATER + HOUR * number)
        who, into = chance.sample(PEOPLE, 2)
        try:
            if number < 5 and chance.random() < 0.7:
                merge(office.engine, str(office.person(who)), str(office.person(into)), action=action)
            else:
                unmerge(office.engine, PEOPLE[number % 3], action=action)
        except CannotMergeError:
            continue
        office.load(now=action.at)
        done += 1
    assert done >= 2
    for email in PEOPLE:
        now = state(office, email)
        for table in now:
            assert now[table] == before[email][table], (email, table)
