"""Traces: by what the raw rows of one person are found, and what is left of rows that only mention them."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from enrollment_crm.domain.addresses import address_key
from enrollment_crm.domain.canonical_rows import CanonicalRow

_ADDRESS_IN_TEXT = re.compile(r"[^\s<>,;:\"'()\[\]]+@[^\s<>,;:\"'()\[\]]+")
#: Stands where somebody's address stood in a row that is about somebody else.
REDACTED = "erased"


class Mention(StrEnum):
    """What a raw row has to do with a person."""

    #: It is about them.
    THEIRS = "theirs"
    #: It is about somebody else, and names an address of theirs.
    NAMED = "named"


@dataclass(frozen=True)
class Traces:
    """All by which sources and we call one person. pii."""

    address_keys: frozenset[str]
    #: (source, reference) of the person.
    person_references: frozenset[tuple[str, str]]
    #: (source, reference) of their applications.
    application_references: frozenset[tuple[str, str]]

    def needles(self) -> list[str]:
        """Texts of which every raw row of the person holds one, in lower case and as JSON writes it.

        A quick look for a database; ``mention_in`` then reads the rows that have one.
        """
        found = {_needle(one) for one in self.address_keys}
        for _, reference in self.person_references | self.application_references:
            found.add(_in_json(max(reference.split(), key=len, default=reference)))
        return sorted(found)


_NOBODY = Traces(frozenset(), frozenset(), frozenset())


def _needle(key: str) -> str:
    local, at, domain = key.rpartition("@")
    if local.isascii():
        return _in_json(f"{local}{at}")
    # Case and spelling of what is not ASCII differ as JSON writes it.
    return f"@{domain}" if not domain.startswith("xn--") and ".xn--" not in domain else at


def _in_json(text: str) -> str:
    return json.dumps(text)[1:-1].lower()


def mention_in(
    raw: Mapping[str, Any], canonical: CanonicalRow | None, *, source: str, traces: Traces
) -> Mention | None:
    """What a row has to do with the person; None: nothing.

    Args:
        raw: the row as it came.
        canonical: what it means; None: nobody can tell, and naming an address is enough.
        source: who delivered it.
        traces: of the person.
    """
    said = traces_in(canonical or {}, source=source)
    if (
        said.address_keys & traces.address_keys
        or said.person_references & traces.person_references
        or said.application_references & traces.application_references
    ):
        return Mention.THEIRS
    if any(_is_theirs(found, traces) for text in _texts(raw) for found in _ADDRESS_IN_TEXT.findall(text)):
        return Mention.NAMED if said != _NOBODY else Mention.THEIRS
    return None


def traces_in(row: CanonicalRow, *, source: str) -> Traces:
    """By what one row of a source calls the person that it is about."""
    email, person, application = row.get("email"), row.get("person_reference"), row.get("application_id")
    named_by = row.get("application_source") or source
    return Traces(
        address_keys=frozenset({address_key(email)} if email else ()),
        person_references=frozenset({(source, person)} if person else ()),
        application_references=frozenset({(named_by, application)} if application else ()),
    )


def _is_theirs(address: str, traces: Traces) -> bool:
    return address_key(address.rstrip(".")) in traces.address_keys


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield str(key)
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def redacted(value: Any, traces: Traces) -> Any:
    """The same raw row without the person's addresses."""
    if isinstance(value, str):
        return _ADDRESS_IN_TEXT.sub(lambda found: REDACTED if _is_theirs(found[0], traces) else found[0], value)
    if isinstance(value, Mapping):
        return {redacted(str(key), traces): redacted(one, traces) for key, one in value.items()}
    return [redacted(one, traces) for one in value] if isinstance(value, list) else value
