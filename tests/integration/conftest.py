"""Fixtures of the integration tests: a real database, a real SMTP server, the real configuration."""

import mailbox
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine
from tests.factories import SEPTEMBER, STARTS, Office
from tests.integration.relay import Relay, running_relay

from enrollment_crm.bootstrap import (
    country_zones_of,
    field_maps_of,
    outbox_of,
    programs_of,
    validator_of,
)
from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.prep_sessions import PrepSession
from enrollment_crm.domain.programs import Program
from enrollment_crm.settings import Settings
from enrollment_crm.stack import mailbox as smtp_mailbox
from enrollment_crm.stack.ports import free_port
from enrollment_crm.stack.processes import Supervisor
from enrollment_crm.validation.batches import Validator
from enrollment_crm.workflows.answers import send_answers
from enrollment_crm.workflows.applications import load_applications
from enrollment_crm.workflows.batches import validate_pending
from enrollment_crm.workflows.checklists import load_checklists
from enrollment_crm.workflows.deadlines import load_calendar, load_prep_sessions
from enrollment_crm.workflows.outbox import Outbox
from enrollment_crm.workflows.reminders import send_reminders
from enrollment_crm.workflows.routing import route_people
from enrollment_crm.workflows.signups import load_signups

if TYPE_CHECKING:
    from tests.integration.hostile_road import HostileRoad

#: 10:00 in Boston, a week before 1 December 2026.
TEN_IN_BOSTON = datetime(2026, 11, 24, 15, tzinfo=UTC)


@dataclass(frozen=True)
class Inbox:
    """A real SMTP server and the Maildir that it keeps."""

    port: int
    directory: Path

    def messages(self) -> list[EmailMessage]:
        """Every message that arrived, in no particular order."""
        parser = BytesParser(policy=policy.default)
        folder = mailbox.Maildir(self.directory, create=False)
        return [parser.parsebytes(folder.get_bytes(key)) for key in folder.keys()]  # noqa: SIM118


@pytest.fixture(scope="session")
def shared_inbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inbox]:
    """An SMTP server on loopback, a process of its own: starting one takes longer than most tests."""
    folder = tmp_path_factory.mktemp("inbox")
    port, directory = free_port(), folder / "mail"
    with Supervisor(log_directory=folder / "logs") as supervisor:
        supervisor.launch(smtp_mailbox.service(port, directory))
        supervisor.wait_until_ready()
        yield Inbox(port, directory)


@pytest.fixture
def inbox(shared_inbox: Inbox) -> Inbox:
    """The same, emptied."""
    for message in shared_inbox.directory.glob("*/*"):
        message.unlink()
    return shared_inbox


@pytest.fixture
def settings(inbox: Inbox) -> Settings:
    """Settings whose relay is the test's SMTP server."""
    return Settings(
        smtp_port=inbox.port,
        allowed_recipient_domains="*",
        accept_log_directory=inbox.directory,
        secret_key=SecretStr("a secret of the tests"),
        smtp_data_timeout_in_seconds=10,
        smtp_command_timeout_in_seconds=5,
        smtp_connect_timeout_in_seconds=5,
        lease_in_seconds=30,
    )


@pytest.fixture(scope="session")
def validator() -> Validator:
    """Great Expectations with the real suites, built once: its import costs seconds."""
    return validator_of(Settings())


@dataclass(frozen=True)
class Pipeline:
    """The workflows in the order in which the DAGs run them."""

    engine: Engine
    outbox: Outbox
    validator: Validator
    programs: Mapping[str, Program]
    default_program: str

    def take_in(self, *, now: datetime) -> None:
        """Validate, load and route everything that waits in the inbox, and answer it."""
        field_maps, country_zones = field_maps_of(Settings()), country_zones_of(Settings())
        for kind in RecordKind:
            validate_pending(self.engine, self.validator, field_maps, kind=kind, secret=self.outbox.secret, now=now)
        for load in (load_signups, load_applications):
            load(self.engine, field_maps, country_zones=country_zones, default_program=self.default_program, now=now)
        load_checklists(self.engine, field_maps, now=now)
        route_people(self.engine, self.programs, default_program=self.default_program, now=now)
        for answer in (MessageKind.WELCOME, MessageKind.APPLICATION_RECEIVED):
            send_answers(self.outbox, answer, now=now)

    def sweep(self, *, now: datetime) -> dict[str, int]:
        """One sweep of the reminders; gives what became of messages, by state."""
        return dict(send_reminders(self.outbox, now=now).counts)


@pytest.fixture
def pipeline(engine: Engine, settings: Settings, validator: Validator) -> Iterator[Pipeline]:
    """The real workflows on the real database, with the dates of the configuration in force."""
    programs = programs_of(settings)
    load_calendar(engine, programs, now=datetime(2026, 8, 1, tzinfo=UTC))
    outbox = outbox_of(settings, engine)
    yield Pipeline(engine, outbox, validator, programs, settings.default_program)
    outbox.transport.close()


@pytest.fixture
def road(pipeline: Pipeline, tmp_path: Path) -> "HostileRoad":
    """The same with a folder to drop files into, and a transport that keeps what would go out."""
    from tests.integration.hostile_road import HostileRoad  # noqa: PLC0415 - it needs the pipeline of this module

    folder = tmp_path / "drop"
    folder.mkdir()
    return HostileRoad(pipeline, folder)


@pytest.fixture(scope="session")
def shared_relay() -> Iterator[Relay]:
    """One server for all tests: starting one takes longer than most of them."""
    with running_relay() as relay:
        yield relay


@pytest.fixture
def relay(shared_relay: Relay) -> Relay:
    """An SMTP server that answers as the test tells it."""
    shared_relay.forget()
    return shared_relay


@pytest.fixture
def office(engine: Engine, relay: Relay) -> Iterator[Office]:
    """The workflows on the real database, without Great Expectations and with a relay that obeys the test."""
    settings = Settings(smtp_port=relay.port, secret_key=SecretStr("a secret of the tests"))
    outbox = outbox_of(settings, engine)
    load_calendar(engine, outbox.programs, now=datetime(2026, 8, 1, tzinfo=UTC))
    office = Office(outbox, relay)
    yield replace(office, outbox=office.another())
    office.close()


@pytest.fixture
def session(office: Office) -> str:
    """The id of a prep session that begins at ``STARTS``."""
    one = PrepSession("prep-1", "Prep Session", STARTS, "America/New_York", 60, "Online", "https://crm.example/1")
    load_prep_sessions(office.engine, [one], now=SEPTEMBER)
    return one.id
