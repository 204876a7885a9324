"""Checklist items from the source's row to what an application awaits."""

import itertools
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pytest
from tests.factories import ANA, BEN, HOUR, SEPTEMBER, T_7, T_14, Office

from enrollment_crm.bootstrap import field_maps_of
from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.settings import Settings
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.inbox import keep_raw_rows
from enrollment_crm.storage.merging import unite_people
from enrollment_crm.validation.batches import Validator
from enrollment_crm.workflows.batches import Validated, validate_pending
from enrollment_crm.workflows.checklists import load_checklists
from enrollment_crm.workflows.loading import Loaded

LETTER = {"Code": "LOR1", "Status": "Awaiting"}
OLD, NEW = SEPTEMBER.isoformat(), T_14.isoformat()


def keep(office: Office, rows: Sequence[Mapping[str, Any]], *, at: datetime = T_14) -> None:
    with transaction(office.engine) as connection:
        keep_raw_rows(connection, rows, source="slate_checklist", kind=RecordKind.CHECKLIST.value, received_at=at)


def items(office: Office) -> list[tuple[str | None, str]]:
    return office.query("SELECT item, status FROM checklist_item ORDER BY name")


def test_in_is_accepted_and_quarantined(office: Office, validator: Validator) -> None:
    good = {"AppID": "a-1", "Code": "LOR1", "Status": "Awaiting", "Date": "11/20/2026"}
    keep(office, [good, {**good, "AppID": ""}, {**good, "Status": "Lost"}, {**good, "Code": "HAIKU"}])
    field_maps = field_maps_of(Settings())
    judged = validate_pending(
        office.engine, validator, field_maps, kind=RecordKind.CHECKLIST, secret=b"tests", now=T_14
    )
    assert judged == Validated(batches=1, rows_in=4, accepted=2, quarantined=2)
    assert load_checklists(office.engine, field_maps, now=T_14) == Loaded(batches=1, loaded=2)
    rules = office.query("SELECT rule FROM quarantine ORDER BY inbox_id")
    assert rules == ["application_missing", "status_unknown"]
    assert items(office) == [(None, "awaiting"), ("letter_of_recommendation", "awaiting")]


REPORTS = (
    {**LETTER, "Date": ""},
    {**LETTER, "Date": OLD},
    {**LETTER, "Status": "Received", "Date": NEW},
)


@pytest.mark.parametrize("order", list(itertools.permutations(REPORTS)))
def test_the_newest_by_the_sources_clock_holds_in_whatever_order(
    office: Office, order: Sequence[Mapping[str, str]]
) -> None:
    for hours, report in enumerate(order):
        office.list_items(report, at=T_14 + HOUR * hours)
    assert items(office) == [("letter_of_recommendation", "received")]
    assert office.query("SELECT listed_at FROM checklist_item") == [T_14]


def test_a_row_delivered_twice_is_one(office: Office) -> None:
    office.list_items(LETTER, at=T_14)
    office.list_items({**LETTER, "Date": T_14.isoformat()}, at=T_7)
    assert office.query("SELECT array_length(inbox_ids, 1) FROM checklist_item") == [1]


def test_two_letters_are_two_items_by_their_code_or_by_their_own_id(office: Office) -> None:
    office.list_items(LETTER, {**LETTER, "Code": "LOR2"}, at=T_14)
    office.list_items({**LETTER, "Code": "LOR", "ItemID": "i-1"}, {**LETTER, "Code": "LOR", "ItemID": "i-2"}, at=T_14)
    assert len(items(office)) == 4


def meant(office: Office) -> list[tuple[str, str]]:
    """Whose items are whose, and of which term."""
    return office.query(
        "SELECT p.email, a.entry_term FROM checklist_item i JOIN application_reference r ON r.source = "
        "i.application_source AND r.reference = i.application_reference JOIN application a ON a.id = r.application_id "
        "JOIN person p ON p.id = a.person_id ORDER BY i.id"
    )


def test_items_that_come_before_their_application_wait_for_it(office: Office) -> None:
    office.list_items(LETTER, at=SEPTEMBER)
    assert meant(office) == []
    office.report(at=T_14)
    assert meant(office) == [(ANA, "fall 2027")]


def test_items_go_along_with_an_application_whose_term_changes(office: Office) -> None:
    office.report(at=SEPTEMBER)
    office.list_items(LETTER, at=SEPTEMBER)
    office.report(at=T_14, YearTerm="spring 2028")
    assert meant(office) == [(ANA, "spring 2028")]
    office.report(at=T_7, SubmittedDateTime=SEPTEMBER.isoformat(), LastName="Silva")  # an old export
    assert meant(office) == [(ANA, "spring 2028")]


def test_another_source_that_reports_the_same_application_takes_no_items_away(office: Office) -> None:
    office.report(at=SEPTEMBER)
    office.report(at=T_14, aid="from another system")
    office.list_items(LETTER, at=T_14)
    assert meant(office) == [(ANA, "fall 2027")]


def test_items_follow_a_person_who_is_merged(office: Office) -> None:
    office.report(at=SEPTEMBER)
    office.list_items(LETTER, at=SEPTEMBER)
    ben = office.sign_up(BEN)
    with transaction(office.engine) as connection:
        unite_people(connection, gone=office.person(ANA), stays=ben, at=T_14)
    assert meant(office) == [(BEN, "fall 2027")]


def test_an_erasure_takes_items_away_and_empties_their_raw_rows(office: Office) -> None:
    office.report(at=SEPTEMBER)
    office.list_items(LETTER, at=SEPTEMBER)
    office.list_items({**LETTER, "Status": "Received"}, at=T_14)
    office.list_items({**LETTER, "AppID": "of somebody else"}, at=T_14)
    office.erase(at=T_14)
    assert office.query("SELECT application_reference FROM checklist_item") == ["of somebody else"]
    raw = office.query("SELECT raw::text FROM inbox WHERE kind = 'checklist' ORDER BY id")
    assert [one == "{}" for one in raw] == [True, True, False]


def test_an_unknown_code_is_a_question_about_the_person_and_has_its_meaning_later(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.list_items({"Code": "RECO-X", "Status": "Awaiting"}, at=SEPTEMBER)
    assert office.query("SELECT count(*) FROM review WHERE about = 'unmapped_value'") == [0]  # nobody knows whose it is
    office.report(at=SEPTEMBER)
    office.load(now=T_14)
    asked = "SELECT person_id, detail FROM review WHERE about = 'unmapped_value'"
    detail = "slate_checklist says 'RECO-X' as item: give it a meaning in the value map"
    assert office.query(asked) == [(office.person(ANA), detail)]
    office.change("UPDATE review SET closed_at = now()")
    office.load(now=T_7)
    assert len(office.query(asked)) == 1  # asked once

    field_map = field_maps_of(Settings())["slate_checklist"]
    known = {**field_map.value_maps, "item": {**field_map.value_maps["item"], "RECO-X": "letter_of_recommendation"}}
    mended = type(field_map)(**{**_fields(field_map), "value_maps": known})
    load_checklists(office.engine, {"slate_checklist": mended}, now=T_7)
    assert items(office) == [("letter_of_recommendation", "awaiting")]


def _fields(field_map: Any) -> dict[str, Any]:
    return {name: getattr(field_map, name) for name in field_map.__dataclass_fields__}


def test_a_dry_run_keeps_nothing(office: Office) -> None:
    office.list_items(LETTER, at=SEPTEMBER)
    office.change("UPDATE batch SET step = 'validated'")
    office.change("DELETE FROM checklist_item")
    assert load_checklists(office.engine, field_maps_of(Settings()), now=T_14, dry_run=True) == Loaded(1, 1)
    assert items(office) == []
