"""A dry run of any workflow says what would happen and keeps nothing."""

from collections.abc import Callable

import pytest
from sqlalchemy import Engine
from tests.factories import ANA, BEN, PROGRAM, SEPTEMBER, T_7, T_14, Office

from enrollment_crm.bootstrap import country_zones_of, field_maps_of
from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.settings import Settings
from enrollment_crm.sources.feeds import Delivery, Feed
from enrollment_crm.storage.batches import record_batch
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.models import Base
from enrollment_crm.validation.batches import Validator
from enrollment_crm.workflows.answers import send_answers
from enrollment_crm.workflows.applications import load_applications
from enrollment_crm.workflows.batches import Validated, validate_pending
from enrollment_crm.workflows.inbox import Collected, collect
from enrollment_crm.workflows.loading import Loaded
from enrollment_crm.workflows.reminders import find_due, send_due, send_reminders
from enrollment_crm.workflows.routing import Routed, route_people
from enrollment_crm.workflows.signups import load_signups


def everything_in(engine: Engine) -> dict[str, object]:
    """What every table holds."""
    with transaction(engine) as connection:
        return {
            name: connection.exec_driver_sql(
                f'SELECT md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM "{name}" t'
            ).scalar()
            for name in Base.metadata.tables
        }


@pytest.fixture
def unchanged(office: Office) -> Callable[[], bool]:
    """Whether the database holds what it held when this was first asked, and nothing was offered to the relay."""
    seen: list[dict[str, object]] = []

    def compare() -> bool:
        seen.append(everything_in(office.engine))
        return seen[0] == seen[-1] and not office.relay.offered

    return compare


def accept_pending(office: Office, kind: RecordKind) -> None:
    ids = office.query("SELECT id FROM inbox WHERE kind = :kind", kind=kind.value)
    with transaction(office.engine) as connection:
        record_batch(connection, kind=kind.value, accepted=ids, rejected=[], tallies=[], now=SEPTEMBER)


def test_collecting(office: Office, unchanged: Callable[[], bool]) -> None:
    kept: list[str] = []
    delivery = Delivery(lambda: [{"Email": ANA}, {"Email": BEN}], keep=lambda: kept.append("set aside"))
    unchanged()
    feed = Feed("signups_csv", RecordKind.SIGNUP, lambda: [delivery])
    assert collect(office.engine, [feed], now=SEPTEMBER, dry_run=True) == Collected(new=2, known=0)
    assert unchanged()
    assert kept == []


def test_validating(office: Office, validator: Validator, unchanged: Callable[[], bool]) -> None:
    office.fill_in(ANA, at=SEPTEMBER)
    office.fill_in(BEN, at=SEPTEMBER, entry_term="999999")
    unchanged()
    field_maps = field_maps_of(Settings())
    validated = validate_pending(
        office.engine, validator, field_maps, kind=RecordKind.SIGNUP, secret=b"tests", now=SEPTEMBER, dry_run=True
    )
    assert validated == Validated(batches=1, rows_in=2, accepted=1, quarantined=1)
    assert unchanged()


@pytest.mark.parametrize("load", [load_signups, load_applications])
def test_loading(office: Office, load: Callable[..., Loaded], unchanged: Callable[[], bool]) -> None:
    if load is load_signups:
        office.fill_in(ANA, at=SEPTEMBER)
        accept_pending(office, RecordKind.SIGNUP)
    else:
        office.report(at=SEPTEMBER)
        office.change("UPDATE batch SET step = 'validated'")
        office.change("UPDATE application SET status = 'started'")
    unchanged()
    loaded = load(
        office.engine,
        field_maps_of(Settings()),
        country_zones=country_zones_of(Settings()),
        default_program=PROGRAM,
        now=SEPTEMBER,
        dry_run=True,
    )
    assert loaded == Loaded(batches=1, loaded=1)
    assert unchanged()


def test_routing(office: Office, unchanged: Callable[[], bool]) -> None:
    office.fill_in(ANA, at=SEPTEMBER)
    office.load(now=SEPTEMBER, route=False)
    unchanged()
    programs = office.outbox.programs
    routed = route_people(office.engine, programs, default_program=PROGRAM, now=SEPTEMBER, dry_run=True)
    assert routed == Routed(routed=1, to_review=0)
    assert unchanged()


@pytest.mark.parametrize("kind", [MessageKind.WELCOME, MessageKind.APPLICATION_RECEIVED])
def test_answering(office: Office, kind: MessageKind, unchanged: Callable[[], bool]) -> None:
    office.sign_up(ANA)
    office.sign_up(BEN, entry_term="spring 2027")
    office.report(at=T_14)
    unchanged()
    planned = dict(send_answers(office.outbox, kind, now=T_14, dry_run=True).counts)
    assert planned == {"planned": 1}  # Ben's welcome, or the receipt of Ana, who needs no welcome any more
    assert unchanged()


def test_reminding(office: Office, unchanged: Callable[[], bool]) -> None:
    office.sign_up(ANA)
    office.sign_up(BEN)
    unchanged()
    assert dict(send_reminders(office.outbox, now=T_7, dry_run=True).counts) == {"planned": 2}
    (due,) = find_due(office.outbox, now=T_7)
    assert dict(send_due(office.outbox, due, now=T_7, dry_run=True).counts) == {"planned": 2}
    assert unchanged()


def test_a_dry_run_counts_people_to_whom_a_message_would_go(office: Office) -> None:
    office.sign_up(ANA)
    office.report(at=T_14)
    office.sign_up(BEN)
    assert dict(send_reminders(office.outbox, now=T_7, dry_run=True).counts) == {"planned": 1}
    assert office.sweep(T_7) == {"accepted": 1, "withheld": 1}
