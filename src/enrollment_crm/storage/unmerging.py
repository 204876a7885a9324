"""Unmerging: two records that were taken for one person are two again, as they were, with what came since.

What came since goes to the record by whose address or reference it came; what a person or staff said to the one that
stayed remains there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, exists, func, insert, select, update

from enrollment_crm.domain.person_facts import Facts, is_same_fact
from enrollment_crm.storage.merged_consent import divide_withdrawals, unite_withdrawals
from enrollment_crm.storage.merged_ledger import divide_ledger
from enrollment_crm.storage.merging import in_text, move_references
from enrollment_crm.storage.models import (
    ApplicationRow,
    ConsentRow,
    EventRow,
    InterestRow,
    PersonMergeRow,
    PersonRow,
    RegistrationRow,
    ResidencyEvidenceRow,
)
from enrollment_crm.storage.person_facts import facts_in, from_json
from enrollment_crm.storage.united_facts import rows_of_records, unite_facts


@dataclass(frozen=True)
class Merge:
    """A merge that holds."""

    id: int
    gone: int
    stays: int
    merged_at: datetime
    #: What the record that stays was before. pii.
    kept: Mapping[str, Any]


def merge_of(connection: Connection, gone: int) -> Merge | None:
    """The merge by which this record was merged away; None: it was not."""
    columns = PersonMergeRow.__table__.c
    statement = select(columns.id, columns.gone_id, columns.stays_id, columns.merged_at, columns.kept)
    row = connection.execute(statement.where(columns.gone_id == gone, columns.undone_at.is_(None))).first()
    return Merge(*row) if row else None


def records_merged_into(connection: Connection, person_id: int) -> list[int]:
    """The records that were merged into this one itself."""
    statement = select(PersonMergeRow.gone_id).where(
        PersonMergeRow.stays_id == person_id, PersonMergeRow.undone_at.is_(None)
    )
    return list(connection.execute(statement.order_by(PersonMergeRow.id)).scalars())


def divide_people(connection: Connection, merge: Merge, *, at: datetime) -> None:
    """Undo a merge. Both must be locked; both wait for a route afterwards."""
    gone, stays = merge.gone, merge.stays
    others = [one for one in records_merged_into(connection, stays) if one != gone]
    divide_ledger(connection, gone=gone, stays=stays, others=others, merged_at=merge.merged_at, at=at)
    move_references(connection, of=stays, to=gone, which=gone, mark=None)
    for table in (ApplicationRow, ResidencyEvidenceRow, RegistrationRow, ConsentRow, InterestRow):
        connection.execute(delete(table).where(table.person_id == stays, table.copied_from == gone))
    _restore_interests(connection, merge)
    _restore_facts(connection, merge, others, at)
    kept = [(topic, _instant(since), _maybe(lifted)) for topic, since, lifted in merge.kept["withdrawals"]]
    divide_withdrawals(connection, gone=gone, stays=stays, kept=kept)
    _restore_marks(connection, merge)
    for other in others:
        unite_withdrawals(connection, gone=other, stays=stays, first=False)
    connection.execute(update(PersonMergeRow).where(PersonMergeRow.id == merge.id).values(undone_at=at))
    connection.execute(update(PersonRow).where(PersonRow.id == gone).values(merged_into_id=None, needs_routing=True))
    connection.execute(update(PersonRow).where(PersonRow.id == stays).values(needs_routing=True))


def _restore_facts(connection: Connection, merge: Merge, others: Sequence[int], at: datetime) -> None:
    rows = {row.id: row for row in rows_of_records(connection, [merge.stays, merge.gone, *others])}
    mine = rows[merge.stays]
    theirs = [facts_in(row) for one, row in rows.items() if one != merge.stays]
    kept = from_json(merge.kept["facts"])
    own = _own_facts(facts_in(mine), theirs, kept)
    lives_as_before = all(is_same_fact(own.get(name), kept.get(name)) for name in ("country", "time_zone"))
    zone = merge.kept["zone"] if lives_as_before else mine.zone
    unite_facts(connection, stays=merge.stays, own=own, own_zone=zone, records=others, at=at)


def _own_facts(now: Facts, theirs: Sequence[Facts], kept: Facts) -> Facts:
    """The person's own: what they say now, but for what a record that was merged into them said."""
    mine = {name: one for name, one in now.items() if not any(is_same_fact(one, facts.get(name)) for facts in theirs)}
    return {**kept, **mine}


def _restore_interests(connection: Connection, merge: Merge) -> None:
    stays = merge.stays
    for program, entry_term, since, changed_at, asked in merge.kept["interests"]:
        theirs = (InterestRow.person_id == stays) & (InterestRow.program == program)
        this = theirs & InterestRow.entry_term.is_not_distinct_from(entry_term)
        values: dict[str, Any] = {"since": _instant(since)}
        if not asked and not _asked_since(connection, merge):
            values["asked_for_information"] = False
        found = connection.execute(update(InterestRow).where(this).values(values)).rowcount
        # A term that was not known gave way to one of the other record: it is not known again.
        if not found and entry_term is None and not connection.execute(select(InterestRow.id).where(theirs)).first():
            first = {"since": _instant(since), "changed_at": _instant(changed_at), "asked_for_information": asked}
            wanted = {"person_id": stays, "program": program, "entry_term": None, **first}
            connection.execute(insert(InterestRow).values(wanted))


def _asked_since(connection: Connection, merge: Merge) -> bool:
    signed_up = select(1).where(
        EventRow.person_id == merge.stays,
        EventRow.kind == "SignupReceived",
        EventRow.recorded_at >= merge.merged_at,
    )
    return bool(connection.execute(select(exists(signed_up))).scalar_one())


def _restore_marks(connection: Connection, merge: Merge) -> None:
    """A complaint or a pause that came by the other record goes with it."""
    columns = select(PersonRow.complained_at, PersonRow.paused_until)
    mine = connection.execute(columns.where(PersonRow.id == merge.stays)).one()
    theirs = connection.execute(columns.where(PersonRow.id == merge.gone)).one()
    for name in ("complained_at", "paused_until"):
        now = getattr(mine, name)
        if now is not None and now == getattr(theirs, name) and in_text(now) != merge.kept[name]:
            restored = update(PersonRow).where(PersonRow.id == merge.stays)
            connection.execute(restored.values({name: _maybe(merge.kept[name])}))


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _maybe(text: str | None) -> datetime | None:
    return _instant(text) if text else None


def lock_people(connection: Connection, ids: Sequence[int]) -> None:
    """Lock these records until the transaction ends; always in the order of their ids."""
    statement = select(PersonRow.id).where(PersonRow.id == func.any(list(ids))).order_by(PersonRow.id)
    connection.execute(statement.with_for_update()).all()
