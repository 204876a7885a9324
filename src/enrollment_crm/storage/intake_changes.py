"""What a batch adds to the people of it, written in sets."""

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from psycopg.errors import UniqueViolation
from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Connection,
    Date,
    DateTime,
    FromClause,
    Text,
    case,
    cast,
    delete,
    func,
    null,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.dialects.postgresql import insert as insert_or_update

from enrollment_crm.domain.consent import ConsentBasis
from enrollment_crm.domain.intake import Dossier, Interest, InterestKey
from enrollment_crm.storage.consent import free_unwanted_keys
from enrollment_crm.storage.copying import Values, copy_rows, staged
from enrollment_crm.storage.identity import NamedRecord, remember_references
from enrollment_crm.storage.intake import Dossiers
from enrollment_crm.storage.models import (
    ConsentRow,
    EventRow,
    InterestRow,
    PersonRow,
    RegistrationRow,
    ResidencyEvidenceRow,
    UnsubscriptionRow,
)
from enrollment_crm.storage.people import warn_of_zone
from enrollment_crm.storage.person_facts import COLUMNS, clocks_text
from enrollment_crm.storage.relations import Columns
from enrollment_crm.storage.reviews import AskedReview, open_reviews

_INSTANT = DateTime(timezone=True)
#: Columns of a person that hold no text, and the texts that are never NULL.
_TYPES: Columns = {"birth_date": Date, "clocks": JSON}
_BLANK = {"first_name": "", "last_name": "", "phone": ""}


def create_people(connection: Connection, newcomers: Sequence[Dossier]) -> bool:
    """Write the records of those whom nobody knew, and give them their ids.

    False: somebody else has made one of them meanwhile, so that what was decided goes by less than is known. Roll
    back, and decide again.
    """
    if not newcomers:
        return True
    for one, person_id in zip(newcomers, _new_ids(connection, len(newcomers)), strict=True):
        one.person_id = person_id
    values = {"id": [one.person_id for one in newcomers], **_details_of(newcomers)} | {
        "email": [one.contact.email for one in newcomers],
        "email_key": [one.contact.email_key for one in newcomers],
        "arrived_at": [one.arrived_at for one in newcomers],
    }
    try:
        copy_rows(connection, PersonRow, values)
    except UniqueViolation:
        return False
    return True


def _new_ids(connection: Connection, number: int) -> Sequence[int]:
    """Ids that nobody else will be given: known before the rows are written, they need not be asked for afterwards."""
    sequence = func.pg_get_serial_sequence(PersonRow.__tablename__, PersonRow.id.name)
    each = func.generate_series(1, number).table_valued("position")
    return connection.execute(select(func.nextval(sequence)).select_from(each)).scalars().all()


def _details_of(dossiers: Sequence[Dossier]) -> dict[str, list[Any]]:
    said = [one.details.facts for one in dossiers]
    values: dict[str, list[Any]] = {
        column: [facts[name].value if name in facts else _BLANK.get(column) for facts in said]
        for name, column in COLUMNS.items()
    }
    values["clocks"] = list(map(clocks_text, said))
    values["zone"] = [one.details.zone for one in dossiers]
    return values


def _typed(rows: FromClause, name: str) -> ColumnElement[Any]:
    """A column that was staged as text, as the table has it."""
    return cast(rows.c[name], _TYPES[name]) if name in _TYPES else rows.c[name]


def write_changes(connection: Connection, dossiers: Dossiers, *, now: datetime) -> None:
    """Write what was decided about everybody of the batch; the newcomers have their records by now."""
    people = dossiers.people
    _update_people(connection, list(dossiers.known.values()))
    _write_interests(connection, dossiers)
    _write_evidence(connection, people)
    _write_consents(connection, people)
    _take_up_again(connection, list(dossiers.known.values()))
    _write_references(connection, people)
    _write_registrations(connection, people)
    asked = [AskedReview(_id(one), review) for one in people for review in one.reviews.values()]
    open_reviews(connection, asked, now=now)
    _write_events(connection, people, now)
    for one in people:
        for instead in one.zones_instead:
            warn_of_zone(_id(one), instead)


def _id(dossier: Dossier) -> int:
    if dossier.person_id is None:
        raise LookupError("A newcomer has no record yet: create_people comes before write_changes.")
    return dossier.person_id


def _update_people(connection: Connection, known: Sequence[Dossier]) -> None:
    if not known:
        return
    values = {"id": list(map(_id, known)), **_details_of(known)}
    rows = staged(connection, "known", dict.fromkeys(values, Text) | {"id": BigInteger}, values)
    said = {name: _typed(rows, name) for name in values if name != "id"}
    connection.execute(update(PersonRow).where(PersonRow.id == rows.c.id).values(**said, needs_routing=True))


def _write_interests(connection: Connection, dossiers: Dossiers) -> None:
    new: list[tuple[int, InterestKey, Interest]] = []
    changed: list[tuple[int, Interest]] = []
    gone: list[int] = []
    for one in dossiers.people:
        before = dossiers.interests_before.get(_id(one), {})
        new += [(_id(one), key, interest) for key, interest in one.interests.items() if key not in before]
        for key, (interest_id, interest) in before.items():
            now = one.interests.get(key)
            if now is None:
                gone.append(interest_id)
            elif now != interest:
                changed.append((interest_id, now))
    if gone:
        connection.execute(delete(InterestRow).where(InterestRow.id == func.any(gone)))
    _change_interests(connection, changed)
    values: Values = {
        "person_id": [person_id for person_id, _, _ in new],
        "program": [program for _, (program, _), _ in new],
        "entry_term": [term for _, (_, term), _ in new],
        **_columns_of([interest for _, _, interest in new]),
    }
    copy_rows(connection, InterestRow, values)


_INTEREST: Columns = {"since": _INSTANT, "changed_at": _INSTANT, "asked_for_information": Boolean}


def _columns_of(interests: Sequence[Interest]) -> dict[str, list[Any]]:
    return {name: list(map(attrgetter(name), interests)) for name in _INTEREST}


def _change_interests(connection: Connection, changed: Sequence[tuple[int, Interest]]) -> None:
    if not changed:
        return
    values = {"id": [one for one, _ in changed], **_columns_of([interest for _, interest in changed])}
    values["is_copied"] = [interest.is_copied for _, interest in changed]
    rows = staged(connection, "changed", {"id": BigInteger, "is_copied": Boolean, **_INTEREST}, values)
    statement = update(InterestRow).where(InterestRow.id == rows.c.id)
    copied_from = case((rows.c.is_copied, InterestRow.copied_from), else_=null())
    connection.execute(statement.values({name: rows.c[name] for name in _INTEREST} | {"copied_from": copied_from}))


def _write_evidence(connection: Connection, people: Sequence[Dossier]) -> None:
    said = [(_id(one), evidence) for one in people for evidence in one.evidence]
    names = ("source", "said_at", "stated", "citizenship", "holds_visa", "address_country")
    values = {name: [getattr(evidence.statement, name) for _, evidence in said] for name in names}
    values["received_at"] = [evidence.received_at for _, evidence in said]
    copy_rows(connection, ResidencyEvidenceRow, {"person_id": [one for one, _ in said], **values})


def _write_consents(connection: Connection, people: Sequence[Dossier]) -> None:
    given = [(_id(one), consent) for one in people for consent in one.consents]
    names = ("source", "submission", "text_version", "page", "given_at")
    values = {name: [getattr(consent, name) for _, consent in given] for name in names}
    basis = [ConsentBasis.EXPRESS.value] * len(given)
    copy_rows(connection, ConsentRow, {"person_id": [one for one, _ in given], "basis": basis, **values})


def _take_up_again(connection: Connection, known: Sequence[Dossier]) -> None:
    """Who had withdrawn or paused, and has agreed anew."""
    _lift_unsubscriptions(connection, [(_id(one), topic, at) for one in known for topic, at in one.lifted.items()])
    resumed = [_id(one) for one in known if one.is_resumed]
    if resumed:
        paused = update(PersonRow).where(PersonRow.id == func.any(resumed))
        connection.execute(paused.values(paused_until=None))
    again = [_id(one) for one in known if one.lifted or one.is_resumed]
    if again:
        free_unwanted_keys(connection, again)


def _lift_unsubscriptions(connection: Connection, lifted: Sequence[tuple[int, str, datetime]]) -> None:
    if not lifted:
        return
    people, topics, instants = map(list, zip(*lifted, strict=True))
    shape: Columns = {"person_id": BigInteger, "topic": Text, "at": _INSTANT}
    rows = staged(connection, "lifted", shape, {"person_id": people, "topic": topics, "at": instants})
    same = UnsubscriptionRow.person_id == rows.c.person_id, UnsubscriptionRow.topic == rows.c.topic
    connection.execute(update(UnsubscriptionRow).where(*same).values(lifted_at=rows.c.at))


def _write_references(connection: Connection, people: Sequence[Dossier]) -> None:
    named = (
        NamedRecord(name.source, name.reference, _id(one), name.said_at, name.received_at)
        for one in people
        for name in one.references
    )
    remember_references(connection, named)


def _write_registrations(connection: Connection, people: Sequence[Dossier]) -> None:
    registered = [(_id(one), session, at) for one in people for session, at in one.registrations.items()]
    if not registered:
        return
    persons, sessions, instants = map(list, zip(*registered, strict=True))
    shape: Columns = {"person_id": BigInteger, "prep_session_id": Text, "registered_at": _INSTANT}
    values = {"person_id": persons, "prep_session_id": sessions, "registered_at": instants}
    rows = staged(connection, "registered", shape, values)
    statement = insert_or_update(RegistrationRow).from_select(list(shape), select(*(rows.c[name] for name in shape)))
    connection.execute(statement.on_conflict_do_nothing())


def _write_events(connection: Connection, people: Sequence[Dossier], now: datetime) -> None:
    events = [(_id(one), event) for one in people for event in one.events]
    values: Values = {
        "person_id": [one for one, _ in events],
        "kind": ["SignupReceived"] * len(events),
        "occurred_at": [event.occurred_at for _, event in events],
        "recorded_at": [now] * len(events),
        "inbox_id": [event.inbox_id for _, event in events],
    }
    copy_rows(connection, EventRow, values)
