"""What a record says of its person, field by field, with both clocks."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row

from enrollment_crm.domain.person_facts import FACT_FIELDS, Facts, Said

#: Field -> the column that holds its value.
COLUMNS = {name: "stated_time_zone" if name == "time_zone" else name for name in FACT_FIELDS}


def facts_in(row: Row[Any]) -> dict[str, Said]:
    """The facts of a row of ``person``; a value from before clocks were kept is as old as the record."""
    clocks, facts = row.clocks, {}
    for name, column in COLUMNS.items():
        value = getattr(row, column)
        if value:
            said_at, source, received_at = clocks.get(name, (None, "", None))
            facts[name] = Said(
                value=value.isoformat() if isinstance(value, date) else value,
                said_at=_instant(said_at, row.arrived_at),
                source=source,
                received_at=_instant(received_at, row.arrived_at),
            )
    return facts


def _instant(text: str | None, otherwise: datetime) -> datetime:
    return datetime.fromisoformat(text) if text else otherwise


def columns_of(facts: Facts) -> dict[str, Any]:
    """The columns of ``person`` that hold these facts; of a field that nobody has said, blank."""
    said = {column: facts[name].value if name in facts else None for name, column in COLUMNS.items()}
    for name in ("first_name", "last_name", "phone"):
        said[name] = said[name] or ""
    born = said["birth_date"]
    return {**said, "birth_date": date.fromisoformat(born) if born else None, "clocks": clocks_of(facts)}


def clocks_of(facts: Facts) -> dict[str, list[str]]:
    """The clocks of facts, as the database keeps them."""
    return {name: [one.said_at.isoformat(), one.source, one.received_at.isoformat()] for name, one in facts.items()}


def clocks_text(facts: Facts) -> str:
    """The same as the text of a JSON object: most people are said in one breath, and a million of them are written."""
    before, text, parts = None, "", []
    for name, one in facts.items():
        if one[1:] != before:
            before = one[1:]
            text = json.dumps([one.said_at.isoformat(), one.source, one.received_at.isoformat()])
        parts.append(f'"{name}": {text}')
    return "{" + ", ".join(parts) + "}"


def as_json(facts: Facts) -> dict[str, list[str]]:
    """Facts with their values and clocks, as JSON. pii."""
    return {name: [facts[name].value, *clocks] for name, clocks in clocks_of(facts).items()}


def from_json(kept: Mapping[str, Sequence[str]]) -> dict[str, Said]:
    """The facts that ``as_json`` wrote."""
    return {
        name: Said(value, datetime.fromisoformat(said_at), source, datetime.fromisoformat(received_at))
        for name, (value, said_at, source, received_at) in kept.items()
    }
