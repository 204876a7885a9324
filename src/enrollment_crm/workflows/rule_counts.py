"""Rules over time: what each rule looked at and rejected, by source and day."""

from datetime import datetime, timedelta

from sqlalchemy import Engine

from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.rule_counts import RuleHistory
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.rule_counts import rule_histories


def count_rules(engine: Engine, *, source: str | None, days: int, now: datetime) -> list[RuleHistory]:
    """The rules that were asked in the last days, of one source or of all."""
    since = check_aware(now) - timedelta(days=days)
    with transaction(engine) as connection:
        return rule_histories(connection, source=source, since=since)
