"""A small population before a change of the calendar, and what the sweeps really do after it."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import text
from tests.factories import DAY, NEW_YORK, PROGRAM, SEPTEMBER, SHANGHAI, Office

from enrollment_crm.domain.deadlines import Deadline, DeadlineGroup, Round
from enrollment_crm.domain.prep_sessions import PrepSession
from enrollment_crm.domain.reminders import Span
from enrollment_crm.domain.residency import STATED_GROUPS
from enrollment_crm.domain.terms import EntryTerm
from enrollment_crm.mail.recording import RecordingTransport
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.models import Base
from enrollment_crm.storage.rehearsal import empty_tables
from enrollment_crm.workflows.deadlines import load_calendar, load_prep_sessions
from enrollment_crm.workflows.upcoming import next_instant

#: Eleven in Boston, a week before 1 December; midnight in Shanghai, eight in Los Angeles.
NOW = datetime(2026, 11, 24, 16, tzinfo=UTC)
LOS_ANGELES, KIRITIMATI = "America/Los_Angeles", "Pacific/Kiritimati"
FIFTH = PrepSession(
    "prep-5", "Prep", datetime(2026, 12, 5, 15, tzinfo=UTC), NEW_YORK, 60, "Online", "https://crm.example/5"
)
_TERMS = ("spring 2027", "fall 2027")
_GROUPS = ("domestic", "international_inside_us", "international_outside_us", "")
#: One of them has a catch-up that waits for the morning.
_LATE_ZONES = (LOS_ANGELES, SHANGHAI)
_ZONES = (NEW_YORK, SHANGHAI, LOS_ANGELES, KIRITIMATI)
#: Before the points of 1 November.
_JOINED = datetime(2026, 10, 31, 12, tzinfo=UTC)
#: Who left after some reminders.
LEFT = "left@example.edu"
#: To these nothing goes out any more (R7).
SILENT = ("submitted@example.edu", "unsubscribed@example.edu", LEFT)
#: Nothing at all goes out to whoever has this address.
DEAF = "applicant-deaf@example.edu"


def recording(office: Office) -> Office:
    """The office with mail that is recorded and not sent: a cycle in seconds."""
    return replace(office, outbox=replace(office.outbox, transport=RecordingTransport()))


def populate(office: Office, *, until: datetime = NOW) -> None:
    """An empty database, then people of every group in several zones, and sweeps up to an instant."""
    with transaction(office.engine) as connection:
        empty_tables(connection)
    load_calendar(office.engine, office.outbox.programs, now=datetime(2026, 8, 1, tzinfo=UTC))
    load_prep_sessions(office.engine, [FIFTH], now=SEPTEMBER)
    for number, group in enumerate(_GROUPS):
        for term in _TERMS:
            zone = _ZONES[number]
            office.fill_in(f"{group or 'unknown'}-{term[:2]}@example.edu", at=_JOINED, **_form(group, term, zone))
    office.fill_in("shanghai@example.edu", at=_JOINED, **_form("domestic", "spring 2027", SHANGHAI))
    for email in SILENT:
        office.fill_in(email, at=_JOINED, **_form("domestic", "spring 2027", NEW_YORK))
    office.load(now=_JOINED)
    office.change(
        "INSERT INTO unsubscription (person_id, topic, at) SELECT id, '*', now() FROM person "
        "WHERE email LIKE 'unsubscribed%'"
    )
    office.report("submitted@example.edu", at=_JOINED, YearTerm="spring 2027")
    _apply(office, until)
    live(office, _JOINED, until - timedelta(hours=9))
    office.change(
        "INSERT INTO unsubscription (person_id, topic, at) SELECT id, '*', :at FROM person WHERE email = :left",
        at=until - timedelta(hours=9),
        left=LEFT,
    )
    late, later = until - timedelta(hours=8), until - timedelta(hours=7, minutes=57)
    for number, term in enumerate(_TERMS):
        office.fill_in(f"late-{number}@example.edu", at=late, **_form("domestic", term, _LATE_ZONES[number]))
    # Two of one night wait for one morning: a stretch, where turns are put together.
    for number, at in enumerate((late, later)):
        office.fill_in(f"night-{number}@example.edu", at=at, **_form("domestic", _TERMS[0], KIRITIMATI))
    office.load(now=later)
    live(office, later, until)


def _apply(office: Office, until: datetime) -> None:
    """Applicants of every group, whose applications await something, and some of whom R7, R2 or R5 has something to
    say; and who wants a pause, or whose consent ends, while dates are ahead."""
    for number, group in enumerate(_GROUPS):
        for term in _TERMS:
            email = f"applicant-{group or 'unknown'}-{term[:2]}@example.edu"
            office.fill_in(email, at=_JOINED, **_form(group, term, _ZONES[number]))
            _await(office, email, f"a-{number}-{term}", "LOR1", at=_JOINED, YearTerm=term)
    # Domestic applicants are not spoken to of an English test, and nobody of what the office keeps to itself.
    for email, code in (("applicant-test@example.edu", "TOEFL"), ("applicant-fee@example.edu", "FEE")):
        office.fill_in(email, at=_JOINED, **_form("domestic", "spring 2027", NEW_YORK))
        _await(office, email, email, code, at=_JOINED, YearTerm="spring 2027")
    office.fill_in("applicant-started@example.edu", at=_JOINED, **_form("domestic", "spring 2027", NEW_YORK))
    started = {"YearTerm": "spring 2027", "AppStatus": "Awaiting Submission"}
    _await(office, "applicant-started@example.edu", "started", "LOR1", at=_JOINED, **started)
    for email in (DEAF, "applicant-late@example.edu"):
        at = _JOINED if email == DEAF else until - timedelta(hours=12)
        office.fill_in(email, at=_JOINED, **_form("domestic", "spring 2027", NEW_YORK))
        _await(office, email, email, "LOR1", at=at, YearTerm="spring 2027", Program="")
    office.change(
        "INSERT INTO suppression (email_key, reason, at, added_by, why) "
        "SELECT email_key, 'hard_bounce', :at, 'a test', '5.1.1' FROM person WHERE email = :deaf",
        at=_JOINED,
        deaf=DEAF,
    )
    for day in (1, 9, 17, 40):
        email = f"paused-{day}@example.edu"
        office.fill_in(email, at=_JOINED, **_form("domestic", "spring 2027", NEW_YORK))
        office.load(now=_JOINED)
        office.change(
            "UPDATE person SET paused_until = :until WHERE email = :email", until=until + day * DAY, email=email
        )
        email = f"canada-{day}@example.edu"
        office.fill_in(email, at=_JOINED, **_form("domestic", "spring 2027", NEW_YORK))
        office.load(now=_JOINED)
        office.change("UPDATE person SET country = 'CA' WHERE email = :email", email=email)
        office.change(
            "UPDATE consent SET runs_out_at = :until WHERE person_id = :person",
            until=until + day * DAY,
            person=office.person(email),
        )


def apply_late(office: Office, *, at: datetime) -> None:
    """Somebody in Shanghai applies, and the application awaits something from then on."""
    email = "applicant-shanghai@example.edu"
    office.fill_in(email, at=at, **_form("international_inside_us", "spring 2027", SHANGHAI))
    _await(office, email, email, "LOR1", at=at, YearTerm="spring 2027")


def _await(office: Office, email: str, application: str, code: str, *, at: datetime, **columns: str) -> None:
    """They submit, and the application awaits one item."""
    office.report(email, at=at, aid=application, **columns)
    office.list_items({"AppID": application, "Code": code, "Status": "Awaiting"}, at=at)


def prepared(office: Office, name: str, prepare: Callable[[Office], None]) -> None:
    """The database as ``prepare`` leaves it: made once, kept beside, and brought back for each change."""
    schema = f"kept_{name}"
    if not office.query("SELECT 1 FROM pg_namespace WHERE nspname = :name", name=schema):
        prepare(office)
        office.change(f"CREATE SCHEMA {schema}")
        for table in Base.metadata.sorted_tables:
            office.change(f"CREATE TABLE {schema}.{table.name} AS TABLE public.{table.name}")
        return
    with transaction(office.engine) as connection:
        empty_tables(connection)
        for table in Base.metadata.sorted_tables:
            copy = f"INSERT INTO {table.name} OVERRIDING SYSTEM VALUE SELECT * FROM {schema}.{table.name}"
            connection.execute(text(copy))
            if "id" in table.c and table.c.id.identity:
                connection.execute(
                    text(f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), max(id)) FROM {table.name}")
                )
        connection.execute(text("SELECT setval('message_id_seq', greatest(max(id), 1)) FROM message"))


def _form(group: str, term: str, zone: str) -> dict[str, str]:
    return {"residency": group, "entry_term": term, "time_zone": zone, "country": ""}


def live(office: Office, start: datetime, end: datetime) -> None:
    """Sweep now, and at every instant up to the end at which something is due."""
    now: datetime | None = start
    while now is not None:
        office.sweep(now)
        with transaction(office.engine) as connection:
            now = next_instant(connection, office.outbox.cadences, Span(now, end)) if now < end else None


def final(term: str, day: date, *groups: str) -> list[Deadline]:
    """The final date of a term, for some groups or all."""
    return [
        Deadline(DeadlineGroup(PROGRAM, EntryTerm.parse(term), Round.FINAL, one), day)
        for one in STATED_GROUPS
        if not groups or one.value in groups
    ]


def _is_silent(email: str, kind: str) -> bool:
    """Nothing of this kind goes out to them any more, whatever becomes of dates (R7)."""
    if kind == "checklist_reminder":
        return email == DEAF
    return email in SILENT or (email.startswith("applicant-") and "started" not in email)


@dataclass(frozen=True)
class Happened:
    """What the ledger holds that was recorded from an instant on."""

    rows: Sequence[Any]

    @classmethod
    def since(cls, office: Office, now: datetime) -> "Happened":
        return cls(
            office.query(
                'SELECT p.email, p.residency, c.kind, c.program, c.entry_term, c.round, c.stated_date, c."offset", '
                "c.prep_session_id, c.session_starts, c.catch_up, c.withheld, c.recorded_at "
                "FROM cover c JOIN person p ON p.id = c.person_id WHERE c.recorded_at >= :now ORDER BY c.id",
                now=now,
            )
        )

    def reminders(self, kind: str) -> dict[tuple[Any, ...], tuple[bool, datetime]]:
        """Person and key of every reminder of a kind that went out -> whether it was late, and when it went."""
        return {
            (row[0], *row[3:6], row[1], row[6], row[7]): (row[10], row[12])
            for row in self.rows
            if row[2] == kind and row[11] is None
        }

    def dropped(self, kind: str, reason: str) -> set[tuple[Any, ...]]:
        """Cell, person and key of every missed reminder that was dropped, of people whom something could reach."""
        return {
            (*row[3:6], row[1], row[0], *row[6:8])
            for row in self.rows
            if row[2] == kind and row[11] == reason and not _is_silent(row[0], kind)
        }

    def notices(self) -> Counter[tuple[Any, ...]]:
        """Cell -> people told that the date has moved."""
        return Counter((*row[3:6], row[1]) for row in self.rows if row[2] == "deadline_moved" and row[11] is None)

    def invited(self) -> set[tuple[Any, ...]]:
        """Session, start and person of every invitation that went out."""
        return {(*row[8:10], row[0]) for row in self.rows if row[2] == "session_invitation" and row[11] is None}

    def of_kind(self, kind: str) -> Counter[str]:
        """Session -> messages of a kind."""
        return Counter(row[8] for row in self.rows if row[2] == kind and row[11] is None)
