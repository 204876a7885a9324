"""A person as a page, or as plain JSON values.

.. pii: all of it, for staff.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from rich.console import Console
from rich.markup import escape

from enrollment_crm.cli.forecast import local, words
from enrollment_crm.cli.output import print_rows
from enrollment_crm.domain.zones import HOME_ZONE
from enrollment_crm.storage.explanations import Statement
from enrollment_crm.workflows.dossiers import Dossier


def dossier_as_json(seen: Dossier) -> dict[str, object]:
    """The person as plain JSON values."""
    facts = {name: one._asdict() for name, one in seen.facts.items()}
    plain: dict[str, object] = json.loads(json.dumps({**asdict(seen), "facts": facts}, default=_plain))
    return plain


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def print_dossier(seen: Dossier) -> None:
    """The person as staff read them."""
    person, conclusion = seen.record.person, seen.conclusion
    name = f"{person.first_name} {person.last_name}".strip()
    console = Console(soft_wrap=True)
    for line in (
        f"Person {person.id}: {name or 'no name'} <{person.email}>, here since {_at(person.arrived_at)}",
        f"Residency: {words(conclusion.residency)}, confidence {conclusion.confidence}. {conclusion.reason}",
        f"Owner: {person.owner or 'nobody yet'}. {'Waits for a route.' if person.needs_routing else ''}".strip(),
        f"Erased on {person.erased_at:%Y-%m-%d}." if person.erased_at else "",
    ):
        if line:
            console.print(escape(line), highlight=False)
    print_rows("Evidence about residency", ("Source", "Said", "At"), _evidence(seen))
    print_rows("What holds, field by field", ("Field", "Value", "Source", "Said", "Reached us"), _facts(seen))
    print_rows("Known as", ("Record", "Address or reference", "How"), _names(seen))
    print_rows("Reviews", ("Id", "About", "Detail", "Asked", "Decided"), _reviews(seen))
    print_rows("What staff did", ("When", "Who", "What", "Why"), _trail(seen))


def said_in_words(one: Statement) -> str:
    """What one source said about residency."""
    visa = {True: "holds a visa", False: "holds no visa", None: None}[one.holds_visa]
    address = f"address in {one.address_country}" if one.address_country else None
    return ", ".join(words(part) for part in (one.stated, one.citizenship, visa, address) if part)


def _evidence(seen: Dossier) -> list[Sequence[str]]:
    return [(one.source, said_in_words(one), _at(one.said_at)) for one in seen.record.evidence]


def _facts(seen: Dossier) -> list[Sequence[str]]:
    return [
        (words(name), one.value, one.source or "before this was kept", _at(one.said_at), _at(one.received_at))
        for name, one in seen.facts.items()
    ]


def _names(seen: Dossier) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = []
    for one in seen.records:
        how = "written to" if one.is_written_to else "merged: not written to"
        rows.append((str(one.id), one.email, f"{how}; bounced" if one.is_bounced else how))
    return [*rows, *((str(one.record), one.reference, f"called so by {one.source}") for one in seen.references)]


def _reviews(seen: Dossier) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = []
    for one in seen.reviews:
        decided = f"{one.decision or 'answered by newer evidence'}, {one.closed_by or ''} {_at(one.closed_at)}"
        about = f"{words(one.about)} with {one.other_person_id}" if one.other_person_id else words(one.about)
        rows.append((str(one.id), about, one.detail, _at(one.opened_at), decided if one.closed_at else "open"))
    return rows


def _trail(seen: Dossier) -> list[Sequence[str]]:
    return [
        (_at(one.at), one.by, f"{one.action} {one.person_id} {one.other_person_id or ''}".strip(), one.reason)
        for one in seen.trail
    ]


def _at(instant: datetime | None) -> str:
    return f"{local(instant, HOME_ZONE)} Boston" if instant else ""
