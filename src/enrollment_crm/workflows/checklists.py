"""Checklists: accepted reports of items become what applications await."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, Engine

from enrollment_crm.domain.canonical_rows import CanonicalRow, RecordKind
from enrollment_crm.domain.checklists import ChecklistItem, checklist_report_of, meaning_of
from enrollment_crm.domain.field_maps import FieldMap, translate
from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.routing import unmapped_values
from enrollment_crm.storage.checklists import give_meaning, people_with_unknown_codes, report_item, unknown_codes
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.inbox import RawRow
from enrollment_crm.storage.reviews import open_review_once
from enrollment_crm.workflows.loading import Loaded, load_validated


def load_checklists(
    engine: Engine, field_maps: Mapping[str, FieldMap], *, now: datetime, dry_run: bool = False
) -> Loaded:
    """Take in every validated batch of checklist items. Items of an application that nobody has reported yet wait.

    A code that no value map knows is kept, and is a question about each person whose application awaits it; once it
    is in the value map, the items that came before have their meaning.
    """
    check_aware(now)

    def load_row(connection: Connection, row: RawRow, canonical: CanonicalRow) -> None:
        report = checklist_report_of(canonical, source=row.source, received_at=row.received_at)
        report_item(connection, report, inbox_id=row.id)

    loaded = load_validated(engine, field_maps, load_row, kind=RecordKind.CHECKLIST, now=now, dry_run=dry_run)
    with transaction(engine, dry_run=dry_run) as connection:
        for source, code in unknown_codes(connection):
            if item := _meaning_now(field_maps.get(source), code):
                give_meaning(connection, source=source, code=code, item=item)
        for person_id, source, code in people_with_unknown_codes(connection):
            for review in unmapped_values(source, {"item": code}):
                open_review_once(connection, review, person_id=person_id, now=now)
    return loaded


def _meaning_now(field_map: FieldMap | None, code: str) -> ChecklistItem | None:
    """What the value map of the source says of a code today."""
    if field_map is None or "item" not in field_map.fields:
        return None
    return meaning_of(translate({field_map.fields["item"].names[0]: code}, field_map)["item"])
