"""A small admissions office on a real database and a real SMTP server: people sign up, apply, are swept and answered.

Rows take the real road but for Great Expectations: they are accepted without being asked, which spares each test
the seconds that its import costs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any

from sqlalchemy import select, text
from tests.integration.relay import Relay

from enrollment_crm.bootstrap import country_zones_of, field_maps_of
from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.domain.field_maps import FieldMap
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.mail.accept_log import MaildirAcceptLog
from enrollment_crm.mail.smtp import SmtpOptions, SmtpTransport
from enrollment_crm.settings import Settings
from enrollment_crm.storage.batches import record_batch
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.inbox import keep_raw_rows, pending_rows
from enrollment_crm.storage.models import PersonRow
from enrollment_crm.workflows.answers import send_answers
from enrollment_crm.workflows.applications import load_applications
from enrollment_crm.workflows.checklists import load_checklists
from enrollment_crm.workflows.inbox import receive_form
from enrollment_crm.workflows.outbox import Outbox
from enrollment_crm.workflows.reminders import send_reminders
from enrollment_crm.workflows.routing import route_people
from enrollment_crm.workflows.signups import load_signups

PROGRAM = "ms-advanced-intelligent-manufacturing"
ANA, BEN = "ana@example.edu", "ben@example.edu"
NEW_YORK, SHANGHAI = "America/New_York", "Asia/Shanghai"
#: Early action of fall 2027 and two of the finals of spring 2027 are on 1 December 2026: these are their points.
T_30 = datetime(2026, 11, 1, 15, tzinfo=UTC)
T_14 = datetime(2026, 11, 17, 15, tzinfo=UTC)
T_7 = datetime(2026, 11, 24, 15, tzinfo=UTC)
T_1 = datetime(2026, 11, 30, 15, tzinfo=UTC)
CUT_OFF = datetime(2026, 12, 2, 5, tzinfo=UTC)
#: Ten in Boston: a prep session.
STARTS = datetime(2026, 11, 25, 15, tzinfo=UTC)
#: Long before: everybody is there.
SEPTEMBER = datetime(2026, 9, 1, 12, tzinfo=UTC)

SIGNUP = {
    "first_name": "Ana",
    "last_name": "Silva",
    "country": "US",
    "residency": "domestic",
    "entry_term": "fall 2027",
    "consent": "yes",
    "consent_text_version": "2026-01",
    "time_zone": NEW_YORK,
}


@cache
def _field_maps() -> Mapping[str, FieldMap]:
    return field_maps_of(Settings())


@cache
def _country_zones() -> Mapping[str, str]:
    return country_zones_of(Settings())


@dataclass(frozen=True)
class Office:
    """The workflows with their parts, and short words for what happens to people."""

    outbox: Outbox
    relay: Relay
    _transports: list[SmtpTransport] = field(default_factory=list)

    @property
    def engine(self) -> Any:
        return self.outbox.engine

    def fill_in(self, email: str, *, at: datetime, **fields: str) -> int:
        """Post the request-info form; the id of the raw row."""
        return receive_form(self.engine, SIGNUP | {"email": email, "submission": f"{email} {at}"} | fields, now=at)

    def sign_up(self, email: str = ANA, *, at: datetime = SEPTEMBER, **fields: str) -> int:
        """Post the form, load and route; the id of the person."""
        self.fill_in(email, at=at, **fields)
        self.load(now=at)
        return self.person(email)

    def report(self, email: str | None = ANA, *, at: datetime, **columns: str) -> None:
        """A row of Slate about an application, loaded and routed."""
        row = {"aid": "a-1", "YearTerm": "fall 2027", "AppStatus": "Awaiting Decision", "Program": "MS-AIM"}
        row |= {"SubmittedDateTime": at.isoformat(), **({"Email": email} if email else {})} | columns
        with transaction(self.engine) as connection:
            keep_raw_rows(connection, [row], source="slate", kind=RecordKind.APPLICATION.value, received_at=at)
        self.load(now=at)

    def list_items(self, *rows: Mapping[str, str], at: datetime) -> None:
        """Rows of Slate about items of a checklist, loaded."""
        listed = [{"AppID": "a-1", "Date": at.isoformat()} | dict(row) for row in rows]
        with transaction(self.engine) as connection:
            keep_raw_rows(connection, listed, source="slate_checklist", kind=RecordKind.CHECKLIST.value, received_at=at)
        self.load(now=at)

    def load(self, *, now: datetime, route: bool = True) -> None:
        """Accept and load every pending row, and route."""
        people: dict[str, Any] = {"country_zones": _country_zones(), "default_program": PROGRAM}
        loaders: dict[RecordKind, Callable[..., object]] = {
            RecordKind.SIGNUP: partial(load_signups, **people),
            RecordKind.APPLICATION: partial(load_applications, **people),
            RecordKind.CHECKLIST: load_checklists,
        }
        for kind, load in loaders.items():
            with transaction(self.engine) as connection:
                ids = [row.id for row in pending_rows(connection, kind=kind.value, limit=10_000)]
                if ids:
                    record_batch(connection, kind=kind.value, accepted=ids, rejected=[], tallies=[], now=now)
            load(self.engine, _field_maps(), now=now)
        if route:
            route_people(self.engine, self.outbox.programs, default_program=PROGRAM, now=now)

    def sweep(self, now: datetime) -> dict[str, int]:
        """One sweep of the reminders: messages by state."""
        return dict(send_reminders(self.outbox, now=now).counts)

    def answer(self, kind: MessageKind, now: datetime) -> dict[str, int]:
        """Send the welcomes or receipts that are owed: messages by state."""
        return dict(send_answers(self.outbox, kind, now=now).counts)

    def another(self) -> Outbox:
        """The outbox of another worker: a transport belongs to one."""
        return replace(self.outbox, transport=self.transport())

    def transport(self) -> SmtpTransport:
        """A session of its own with the relay, and the relay's accept log where it keeps one."""
        options = SmtpOptions(
            host="127.0.0.1",
            port=self.relay.port,
            helo_name="crm.example",
            connect_timeout_in_seconds=5,
            command_timeout_in_seconds=5,
            data_timeout_in_seconds=5,
        )
        log = MaildirAcceptLog(self.relay.log) if self.relay.log else None
        self._transports.append(SmtpTransport(options, accept_log=log))
        return self._transports[-1]

    def close(self) -> None:
        for one in self._transports:
            one.close()

    def person(self, email: str) -> int:
        """Id of the person with exactly this address."""
        with transaction(self.engine) as connection:
            return connection.execute(select(PersonRow.id).where(PersonRow.email == email)).scalar_one()

    def query(self, sql: str, **values: object) -> list[Any]:
        """Rows of a question about what the database holds; one column comes as bare values."""
        with transaction(self.engine) as connection:
            rows = [tuple(row) for row in connection.execute(text(sql), values)]
        return [row[0] for row in rows] if rows and len(rows[0]) == 1 else rows

    def change(self, sql: str, **values: object) -> None:
        """Make something so that no workflow of this release makes so."""
        with transaction(self.engine) as connection:
            connection.execute(text(sql), values)

    def end_leases(self) -> None:
        """As if every worker had vanished, and every pause were over."""
        self.change("UPDATE message SET lease_until = now() - interval '1 second' WHERE lease_until IS NOT NULL")
        self.change("UPDATE message SET retry_at = now() - interval '1 second' WHERE retry_at IS NOT NULL")

    def states(self) -> list[str]:
        """States of all messages, in order of their ids."""
        return self.query("SELECT state FROM message ORDER BY id")

    def withheld(self) -> list[str]:
        """Reasons of all covers that were withheld."""
        return self.query("SELECT withheld FROM cover WHERE withheld IS NOT NULL ORDER BY id")

    def offsets(self) -> list[tuple[str, str | None]]:
        """Offset and reason of every cover, in order of its instant."""
        return self.query('SELECT "offset", withheld FROM cover ORDER BY due_at, id')


DAY, HOUR, MINUTE, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
