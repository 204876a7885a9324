"""High-water marks that staff set back: a source is asked once more for what it was asked for before."""

from datetime import datetime

from sqlalchemy import Engine

from enrollment_crm.domain.instants import check_aware
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.high_water_marks import lower_high_water_mark


def read_again(engine: Engine, source: str, *, since: datetime, now: datetime) -> bool:
    """Let the next pull of a source ask from an overlap before this instant on; False: it was not read so far.

    What comes again is recognised, so it does no harm, however often.
    """
    with transaction(engine) as connection:
        return lower_high_water_mark(connection, source, check_aware(since), at=check_aware(now))
