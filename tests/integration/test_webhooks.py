"""Webhooks over a real database: each event is in the inbox once, whatever is sent twice or at once."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, make_url, text
from tests.factories import SEPTEMBER, Office

from enrollment_crm.bootstrap import field_maps_of
from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.domain.webhooks import WebhookSource
from enrollment_crm.settings import Settings
from enrollment_crm.sources.webhooks import rows_in
from enrollment_crm.storage.inbox import CHANNEL, Kept
from enrollment_crm.validation.batches import Validator
from enrollment_crm.workflows.batches import Validated, validate_pending
from enrollment_crm.workflows.webhooks import receive_webhook

SOURCE = WebhookSource("events_webhook", RecordKind.SIGNUP, (b"k",))
ANA = {"email": "ana@example.edu", "consent": "yes"}
BEN = {"email": "ben@example.edu", "consent": "yes"}


def receive(
    engine: Engine, *rows: dict[str, Any], event: str = "evt_1", now: datetime = SEPTEMBER, source: str = SOURCE.source
) -> Kept | None:
    return receive_webhook(engine, WebhookSource(source, SOURCE.kind, SOURCE.keys), event, rows, now=now)


def inbox(engine: Engine) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        return list(connection.execute(text("SELECT raw FROM inbox ORDER BY id")).scalars())


def events(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(text("SELECT event_id FROM webhook_event ORDER BY event_id")).scalars())


def test_an_event_is_kept_once(engine: Engine) -> None:
    assert receive(engine, ANA, BEN) == Kept(2, 0)
    assert receive(engine, ANA, BEN) is None
    assert inbox(engine) == [ANA, BEN]


def test_an_id_stands_for_one_event_whatever_body_comes_under_it(engine: Engine) -> None:
    assert receive(engine, ANA) == Kept(1, 0)
    assert receive(engine, BEN) is None
    assert inbox(engine) == [ANA]


def test_an_id_belongs_to_its_source(engine: Engine) -> None:
    assert receive(engine, ANA) == Kept(1, 0)
    assert receive(engine, ANA, source="other") == Kept(1, 0)


def test_a_row_that_another_event_told_already_is_recognised(engine: Engine) -> None:
    receive(engine, ANA)
    assert receive(engine, ANA, BEN, event="evt_2") == Kept(1, 1)
    assert inbox(engine) == [ANA, BEN]


def test_an_event_without_rows_is_known_too(engine: Engine) -> None:
    assert receive(engine) == Kept(0, 0)
    assert receive(engine) is None


def test_ten_deliveries_of_one_event_at_one_instant_are_one(engine: Engine) -> None:
    with ThreadPoolExecutor(10) as at_once:
        kept = list(at_once.map(lambda _: receive(engine, ANA), range(10)))
    assert sorted(map(str, kept)) == sorted(["Kept(new=1, known=0)", *["None"] * 9])
    assert inbox(engine) == [ANA]


def test_ids_are_remembered_for_thirty_days_and_forgotten_afterwards(engine: Engine) -> None:
    for number in range(5):
        receive(engine, event=f"old_{number}")
    month = SEPTEMBER + timedelta(days=30)
    assert receive(engine, event="old_0", now=month) is None
    for number in range(4):
        receive(engine, event=f"new_{number}", now=month + timedelta(seconds=1))
    assert events(engine) == [f"new_{number}" for number in range(4)]


def test_listeners_are_told_of_new_rows_alone(engine: Engine) -> None:
    address = make_url(engine.url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as listener:
        listener.execute(f"LISTEN {CHANNEL}")
        receive(engine, ANA, BEN)
        receive(engine, ANA)
        receive(engine, ANA, event="evt_2")
        assert [one.payload for one in listener.notifies(timeout=0.5)] == ["signup"]


@pytest.mark.parametrize(
    "body",
    [
        '{"a": "\\u0000\\ud800", "b": NaN, "c": 1e999, "d": 1.10, "a": 2}',
        '[1, "x", null, {"": {"deep": [[[]]]}}]',
        '{"quotes": "\'; DROP TABLE inbox; --", "array": "{}\\\\,\\"", "percent": "%s :name"}',
    ],
)
def test_whatever_can_be_read_can_be_kept(engine: Engine, body: str) -> None:
    rows = rows_in(body.encode())
    assert receive_webhook(engine, SOURCE, "evt_1", rows, now=SEPTEMBER) == Kept(len(rows), 0)
    assert inbox(engine) == rows


def test_rows_that_say_two_things_wait_in_the_quarantine(office: Office, validator: Validator) -> None:
    body = json.dumps(ANA).replace('"consent"', '"email": "other@example.edu", "consent"')
    receive_webhook(office.engine, SOURCE, "evt_1", [*rows_in(body.encode()), BEN], now=SEPTEMBER)
    judged = validate_pending(
        office.engine,
        validator,
        field_maps_of(Settings()),
        kind=RecordKind.SIGNUP,
        secret=office.outbox.secret,
        now=SEPTEMBER,
    )
    assert judged == Validated(1, 2, 1, 1)
    ((rule, reason),) = office.query("SELECT rule, reason FROM quarantine")
    assert rule == "row_damaged"
    assert "could not be read properly" in reason


def test_a_naive_instant_is_refused(engine: Engine) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        receive(engine, ANA, now=datetime(2026, 9, 1))  # noqa: DTZ001
