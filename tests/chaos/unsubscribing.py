"""An unsubscription races a claim: whichever commits first decides, and no claim commits after the unsubscription."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, text

from enrollment_crm.storage.engine import transaction
from enrollment_crm.workflows.consent import unsubscribe

#: How far apart the two begin at most: about as long as either takes.
_LONGEST_LEAD_IN_SECONDS = 0.004


@dataclass
class Race:
    """How the rounds went."""

    rounds: int = 0
    #: The claim was first: the message goes out.
    claimed: int = 0
    #: A claim that could not be seen when the unsubscription had been committed, and was there in the end.
    claimed_after: int = 0


def race(engine: Engine, people: Sequence[int], claim: Callable[[int], None], *, now: datetime) -> Race:
    """One round a person: both begin at about the same moment, in two threads and two connections."""
    start, not_yet = threading.Barrier(2), []

    def unsubscribe_all() -> None:
        dice = random.Random(1)
        for person in people:
            start.wait()
            time.sleep(dice.uniform(0, _LONGEST_LEAD_IN_SECONDS))
            unsubscribe(engine, person, "*", now=now)
            if not _claimed(engine, [person]):
                not_yet.append(person)

    dice, other = random.Random(2), threading.Thread(target=unsubscribe_all)
    other.start()
    for person in people:
        start.wait()
        time.sleep(dice.uniform(0, _LONGEST_LEAD_IN_SECONDS))
        claim(person)
    other.join()
    claimed = _claimed(engine, people)
    return Race(len(people), len(claimed), len(claimed & set(not_yet)))


def _claimed(engine: Engine, people: Sequence[int]) -> set[int]:
    with transaction(engine) as connection:
        return set(connection.execute(_CLAIMED, {"people": list(people)}).scalars())


_CLAIMED = text("SELECT person_id FROM cover WHERE person_id = ANY(:people) AND message_row_id IS NOT NULL")
