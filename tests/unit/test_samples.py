"""The sample input holds the traps that samples/README.md lists, seen through the real translation and rules."""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from enrollment_crm.domain.addresses import address_key
from enrollment_crm.domain.applications import Application, application_of
from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.domain.checklists import ChecklistReport, checklist_report_of
from enrollment_crm.domain.field_maps import translate
from enrollment_crm.domain.residency import Residency, conclude_residency
from enrollment_crm.domain.signups import Signup, signup_of
from enrollment_crm.settings import CHECKOUT
from enrollment_crm.sources.delimited import read_delimited
from enrollment_crm.sources.field_maps import read_countries, read_field_maps
from enrollment_crm.validation.batches import Validator
from enrollment_crm.validation.verdicts import CandidateRow, Verdict

SAMPLES = CHECKOUT / "samples"
SEEN_FROM = datetime(2026, 11, 24, 15, tzinfo=UTC)
FILES = {
    "signups_csv": "request-info/signups.csv",
    "form": "form-posts.json",
    "slate": "slate/applications.json",
    "webadmit": "webadmit/applications.csv",
    "slate_checklist": "slate-checklist/items.csv",
}
MAKE: Mapping[RecordKind, Callable[..., Any]] = {
    RecordKind.SIGNUP: signup_of,
    RecordKind.APPLICATION: application_of,
    RecordKind.CHECKLIST: checklist_report_of,
}
RESERVED_DOMAIN = re.compile(r"@(.+\.)?(example|example\.(com|org|net|edu))$", re.IGNORECASE)


@dataclass
class Outcome:
    """What became of one sample file."""

    rows: int
    verdict: Verdict
    records: Sequence[Any]

    @property
    def of_people(self) -> Sequence[Signup | Application]:
        """The records that name a person by address."""
        return [one for one in self.records if not isinstance(one, ChecklistReport)]


def raw_rows(file: Path) -> Sequence[Mapping[str, object]]:
    if file.suffix == ".csv":
        return read_delimited(file)
    content = json.loads(file.read_text("utf-8"))
    rows: Sequence[Mapping[str, object]] = content["row"] if isinstance(content, dict) else content
    return rows


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcome]:
    countries = read_countries(CHECKOUT / "config/countries.yml")
    field_maps = read_field_maps(CHECKOUT / "config/sources", countries=countries)
    validator = Validator(CHECKOUT / "expectations", known_programs=["ms-advanced-intelligent-manufacturing"])
    found = {}
    for source, name in FILES.items():
        field_map = field_maps[source]
        rows = [translate(raw, field_map) for raw in raw_rows(SAMPLES / name)]
        verdict = validator.validate(field_map.kind, [CandidateRow(i, row) for i, row in enumerate(rows)])
        make = MAKE[field_map.kind]
        records = [make(rows[i], source=source, received_at=SEEN_FROM) for i in verdict.accepted]
        found[source] = Outcome(len(rows), verdict, records)
    return found


@pytest.fixture(scope="module")
def people(outcomes: dict[str, Outcome]) -> dict[str, list[Signup | Application]]:
    by_address: dict[str, list[Signup | Application]] = {}
    for outcome in outcomes.values():
        for record in outcome.of_people:
            by_address.setdefault(address_key(record.email or ""), []).append(record)
    return by_address


def readme_table(heading: str) -> dict[str, list[int]]:
    """First cell -> the numbers in the other cells, of the table under these column names."""
    lines = (SAMPLES / "README.md").read_text("utf-8").splitlines()
    start = lines.index(heading) + 2
    table = {}
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        first, *others = (cell.strip(" `") for cell in line.strip("|").split("|"))
        table[first] = [int(cell) for cell in others if cell.isdecimal()]
    return table


def test_every_row_is_accepted_or_quarantined_as_the_readme_says(outcomes: dict[str, Outcome]) -> None:
    told = readme_table("| file | rows | accepted | quarantined |")
    assert told == {
        FILES[source]: [one.rows, len(one.verdict.accepted), len(one.verdict.rejected)]
        for source, one in outcomes.items()
    }
    assert all(rows == accepted + quarantined for rows, accepted, quarantined in told.values())


def test_the_rules_reject_what_the_readme_says(outcomes: dict[str, Outcome]) -> None:
    failed = Counter(
        rule for one in outcomes.values() for rejection in one.verdict.rejected for rule in rejection.rules
    )
    told = readme_table("| rule that rejects | rows | what was done |")
    assert {rule: [count] for rule, count in failed.items()} == told


def test_the_people_are_those_of_the_readme(people: dict[str, list[Signup | Application]]) -> None:
    groups = Counter(
        conclude_residency([record.residency_evidence for record in records]).residency for records in people.values()
    )
    sources = [{record.source for record in records} for records in people.values()]
    terms = [{r.entry_term for r in records if r.entry_term} for records in people.values()]
    registered = {a for a, records in people.items() for r in records if isinstance(r, Signup) and r.prep_session}
    zones = {record.time_zone for records in people.values() for record in records if record.time_zone}
    counted = {
        "with an accepted row": len(people),
        "domestic": groups[Residency.DOMESTIC],
        "international, inside the US": groups[Residency.INTERNATIONAL_INSIDE_US],
        "international, outside the US": groups[Residency.INTERNATIONAL_OUTSIDE_US],
        "residency to review": groups[Residency.UNKNOWN],
        "in more than one source": sum(len(one) > 1 for one in sources),
        "in three sources or more": sum(len(one) > 2 for one in sources),
        "with more than one entry term": sum(len(one) > 1 for one in terms),
        "registered for a prep session": len(registered),
        "time zones": len(zones),
    }
    assert {name: [count] for name, count in counted.items()} == readme_table("| people | count |")


def test_the_term_code_of_this_school_is_not_computed(people: dict[str, list[Signup | Application]]) -> None:
    (record,) = people["kenji.watanabe@example.net"]
    assert str(record.entry_term) == "fall 2026"  # from 202710


def test_everything_happened_before_the_demonstration_begins(outcomes: dict[str, Outcome]) -> None:
    moments = [
        record.occurred_at if isinstance(record, Signup) else record.report.occurred_at
        for one in outcomes.values()
        for record in one.of_people
    ]
    moments += [one.state.occurred_at for one in outcomes["slate_checklist"].records if one.state.occurred_at]
    assert max(moments) <= SEEN_FROM
    assert min(moments) < datetime(2026, 9, 15, tzinfo=UTC)


def test_nobody_can_be_reached_at_a_sample_address(outcomes: dict[str, Outcome]) -> None:
    addresses = [record.email or "" for one in outcomes.values() for record in one.of_people]
    assert addresses
    assert [address for address in addresses if not RESERVED_DOMAIN.search(address)] == []


def test_the_checklists_belong_to_sample_applications_but_for_one(outcomes: dict[str, Outcome]) -> None:
    applications = {one.application_id for one in outcomes["slate"].of_people if isinstance(one, Application)}
    listed = {one.application_reference for one in outcomes["slate_checklist"].records}
    assert {one[-3:] for one in listed - applications} == {"099"}
    assert {one.code for one in outcomes["slate_checklist"].records if one.item is None} == {"PORTFOLIO"}
