"""Rules over time, from the counts that each batch left."""

from datetime import datetime
from itertools import groupby

from sqlalchemy import Connection, Date, Text, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by

from enrollment_crm.domain.rule_counts import RuleDay, RuleHistory
from enrollment_crm.domain.zones import HOME_ZONE
from enrollment_crm.storage.models import BatchRow, RuleCountRow


def rule_histories(connection: Connection, *, source: str | None, since: datetime) -> list[RuleHistory]:
    """Every rule that looked at something since an instant, by source, with its days on New York's clock.

    Rows that were judged again are not counted again.
    """
    day = cast(func.timezone(HOME_ZONE, BatchRow.validated_at), Date)
    rule = (BatchRow.source, BatchRow.kind, RuleCountRow.rule, RuleCountRow.column)
    newest = func.array_agg(aggregate_order_by(RuleCountRow.severity, BatchRow.id.desc()), type_=ARRAY(Text))
    statement = (
        select(
            *rule,
            day.label("day"),
            func.sum(RuleCountRow.evaluated).label("evaluated"),
            func.sum(RuleCountRow.failed).label("failed"),
            newest[1].label("severity"),
        )
        .join(RuleCountRow, RuleCountRow.batch_id == BatchRow.id)
        .where(BatchRow.validated_at >= since, ~BatchRow.is_replay)
        .group_by(*rule, day)
        .order_by(*rule, day)
    )
    if source is not None:
        statement = statement.where(BatchRow.source == source)
    rows = connection.execute(statement).all()
    histories = []
    for key, days in groupby(rows, key=lambda row: (row.source, row.kind, row.rule, row.column)):
        of_rule = list(days)
        counted = tuple(RuleDay(one.day, int(one.evaluated), int(one.failed)) for one in of_rule)
        histories.append(RuleHistory(*key, of_rule[-1].severity, counted))
    return histories
