"""A small admissions office on a real database and a real SMTP server: people sign up, apply, are swept and answered.

Rows take the real road but for Great Expectations: they are accepted without being asked, which spares each test
the seconds that its import costs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache, partial
from itertools import count
from typing import Any

from sqlalchemy import select, text
from tests.integration.relay import Relay

from enrollment_crm.bootstrap import country_zones_of, field_maps_of
from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.domain.deadlines import Deadline, DeadlineGroup, Round
from enrollment_crm.domain.facts import Fact
from enrollment_crm.domain.field_maps import FieldMap
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.reminders import Span
from enrollment_crm.domain.residency import STATED_GROUPS, Residency
from enrollment_crm.domain.terms import EntryTerm
from enrollment_crm.mail.accept_log import MaildirAcceptLog
from enrollment_crm.mail.smtp import SmtpTransport
from enrollment_crm.mail.smtp_session import SmtpOptions
from enrollment_crm.settings import Settings
from enrollment_crm.storage.batches import record_batch
from enrollment_crm.storage.deadlines import Approval
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.inbox import keep_raw_rows, pending_rows
from enrollment_crm.storage.models import MessageRow, PersonRow
from enrollment_crm.workflows.answers import send_answers
from enrollment_crm.workflows.applications import load_applications
from enrollment_crm.workflows.checklists import load_checklists
from enrollment_crm.workflows.corrections import correct_entry_term, correct_residency, correct_zone
from enrollment_crm.workflows.deadlines import bring_into_force
from enrollment_crm.workflows.erasure import erase_person
from enrollment_crm.workflows.inbox import receive_form
from enrollment_crm.workflows.outbox import Outbox
from enrollment_crm.workflows.people import merge_people
from enrollment_crm.workflows.registrations import register_address
from enrollment_crm.workflows.reminders import send_reminders
from enrollment_crm.workflows.routing import route_people
from enrollment_crm.workflows.signups import load_signups
from enrollment_crm.workflows.upcoming import next_instant

#: Each fact has a name of its own, unless a test gives it one.
_FACTS = count(1)

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

    def register(self, session: str, email: str = ANA, *, at: datetime, fact: str = "") -> bool:
        """Take a seat in a session, and be routed."""
        named = fact_at(at, fact)
        seated = register_address(self.engine, email, session, country_zones=_country_zones(), fact=named)
        self.load(now=at)
        return seated

    def say_residency(self, residency: str, email: str = ANA, *, at: datetime, fact: str = "") -> None:
        """Another answer about residency, and the route that follows."""
        correct_residency(self.engine, email, Residency(residency), fact=fact_at(at, fact))
        self.load(now=at)

    def merge(self, email: str, into: str, *, at: datetime, fact: str = "") -> None:
        """Two records become one person, and the route that follows."""
        merge_people(self.engine, email, into, fact=fact_at(at, fact))
        self.load(now=at)

    def erase(self, email: str = ANA, *, at: datetime, fact: str = "") -> None:
        """What is known of somebody is erased."""
        named = fact_at(at, fact)
        erase_person(self.engine, email, fact=named, secret=self.outbox.secret, field_maps=_field_maps())

    def say_zone(self, zone: str, email: str = ANA, *, at: datetime) -> None:
        """Another clock, and the route that follows."""
        correct_zone(self.engine, email, zone, country_zones=_country_zones(), fact=fact_at(at))
        self.load(now=at)

    def say_term(self, old: str | None, new: str, email: str = ANA, *, at: datetime, fact: str = "") -> None:
        """Another term instead of one."""
        was = EntryTerm.parse(old) if old else None
        cadences, named = self.outbox.cadences, fact_at(at, fact)
        correct_entry_term(self.engine, email, was, EntryTerm.parse(new), cadences=cadences, fact=named)
        self.load(now=at)

    def move_date(self, day: str, *, at: datetime, term: str = "fall 2027", of: str = "", a_round: str = "") -> int:
        """State another date for a round of a term, for one group or for all; the number of dates that changed."""
        a_round = a_round or ("early_action" if term.startswith("fall") else "final")
        deadlines = [
            Deadline(DeadlineGroup(PROGRAM, EntryTerm.parse(term), Round(a_round), group), date.fromisoformat(day))
            for group in ([Residency(of)] if of else STATED_GROUPS)
        ]
        approval = Approval(by="dean", at=at, source="https://crm.example/dates", reason="a holiday")
        with transaction(self.engine) as connection:
            return len(bring_into_force(connection, self.outbox.cadences, deadlines, approval))

    def sweep(self, now: datetime) -> dict[str, int]:
        """One sweep of the reminders: messages by state."""
        return dict(send_reminders(self.outbox, now=now).counts)

    def live(self, since: datetime, until: datetime) -> None:
        """Sweep at the first instant, and then whenever something is due, up to and with the last."""
        now: datetime | None = since
        while now is not None:
            self.sweep(now)
            with transaction(self.engine) as connection:
                now = next_instant(connection, self.outbox.cadences, Span(now, until)) if now < until else None

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

    def frozen(self) -> list[bytes]:
        """The bytes of all messages that were frozen, in order of their ids."""
        contents = select(MessageRow.content).where(MessageRow.content.is_not(None)).order_by(MessageRow.id)
        with transaction(self.engine) as connection:
            return [one for one in connection.execute(contents).scalars() if one is not None]

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

    def sent(self, kind: str = "deadline_reminder", email: str = ANA) -> list[str]:
        """What went out to somebody: instant, stated date or session, offset, and whether it was caught up."""
        rows = self.query(
            "SELECT c.recorded_at, coalesce(c.stated_date::text, c.prep_session_id), c.offset, c.catch_up "
            "FROM cover c JOIN person p ON p.id = c.person_id JOIN message m ON m.id = c.message_row_id "
            "WHERE m.state = 'accepted' AND c.kind = :kind AND p.email = :email ORDER BY c.recorded_at, c.id",
            kind=kind,
            email=email,
        )
        return [
            " ".join(filter(None, [f"{at:%m-%dT%H:%M}Z", about, offset, "caught up" if late else ""]))
            for at, about, offset, late in rows
        ]

    def reasons(self, email: str = ANA) -> list[str]:
        """What was withheld from somebody: instant, stated date or session, offset and reason."""
        rows = self.query(
            "SELECT c.recorded_at, coalesce(c.stated_date::text, c.prep_session_id), c.offset, c.withheld "
            "FROM cover c JOIN person p ON p.id = c.person_id "
            "WHERE c.withheld IS NOT NULL AND p.email = :email ORDER BY c.recorded_at, c.due_at, c.id",
            email=email,
        )
        return [f"{at:%m-%dT%H:%M}Z {about} {offset} {reason}" for at, about, offset, reason in rows]

    def reviews(self) -> list[tuple[str, str]]:
        """What every open question is about, and for whom."""
        return self.query(
            "SELECT r.about, p.email FROM review r JOIN person p ON p.id = r.person_id "
            "WHERE closed_at IS NULL ORDER BY r.id"
        )

    def offsets(self) -> list[tuple[str, str | None]]:
        """Offset and reason of every cover, in order of its instant."""
        return self.query('SELECT "offset", withheld FROM cover ORDER BY due_at, id')


def fact_at(at: datetime, name: str = "") -> Fact:
    """A fact of a source of the tests, which reached us at this instant."""
    return Fact("tests", name or f"fact {next(_FACTS)}", at)


def utc(text: str) -> datetime:
    """``2026-11-24T15:00`` as an instant."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


DAY, HOUR, MINUTE, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
