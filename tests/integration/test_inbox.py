"""The inbox and its batches: raw rows are kept once, as they came, and each is accepted or quarantined."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from tests.factories import ANA, BEN, SEPTEMBER, SIGNUP, Office

from enrollment_crm.bootstrap import field_maps_of
from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.settings import Settings
from enrollment_crm.sources.feed_errors import (
    FeedError,
    FeedRefusedError,
    FeedUnreachableError,
    FeedUnreadableError,
)
from enrollment_crm.sources.feeds import Delivery, Feed
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.inbox import RawRow, count_pending, digest_of, keep_raw_rows, pending_rows
from enrollment_crm.validation.batches import Validator
from enrollment_crm.workflows.batches import Validated, validate_pending
from enrollment_crm.workflows.inbox import Collected, collect, receive_form

SIGNUPS = RecordKind.SIGNUP


def keep(engine: Engine, *rows: Mapping[str, Any], source: str = "form") -> tuple[int, int]:
    with transaction(engine) as connection:
        kept = keep_raw_rows(connection, rows, source=source, kind=SIGNUPS.value, received_at=SEPTEMBER)
    return kept.new, kept.known


def pending(engine: Engine) -> list[RawRow]:
    with transaction(engine) as connection:
        return pending_rows(connection, kind=SIGNUPS.value, limit=100)


def test_the_same_post_twice_is_one_row_with_one_id(engine: Engine) -> None:
    first = receive_form(engine, SIGNUP, now=SEPTEMBER)
    assert receive_form(engine, dict(reversed(SIGNUP.items())), now=SEPTEMBER) == first
    assert receive_form(engine, SIGNUP | {"phone": "1"}, now=SEPTEMBER) != first


def test_rows_that_were_delivered_before_are_recognised_also_within_one_delivery(engine: Engine) -> None:
    a, b, c = ({"Email": email} for email in "abc")
    assert keep(engine, a, b, a) == (2, 1)
    assert keep(engine, b, c) == (1, 1)
    assert keep(engine) == (0, 0)


def test_the_same_row_of_another_source_is_another_row(engine: Engine) -> None:
    assert keep(engine, {"Email": ANA}, source="form") == (1, 0)
    assert keep(engine, {"Email": ANA}, source="signups_csv") == (1, 0)


@pytest.mark.parametrize(
    "raw",
    [
        {"name": "NUL \x00 inside"},
        {"name": "half a pair \ud800"},
        {"name": "\u202eright to left", "emoji": "🎓", "quotes": "'; DROP TABLE inbox; --"},
        {"nested": {"a": [1, 2.5, None, True]}},
        {"empty": "", "null": None, "": "no name"},
        {"long": "x" * 200_000},
    ],
)
def test_a_raw_row_is_kept_exactly_as_it_came(engine: Engine, raw: dict[str, Any]) -> None:
    assert keep(engine, raw) == (1, 0)
    (row,) = pending(engine)
    assert row.raw == raw
    assert (row.source, row.received_at) == ("form", SEPTEMBER)


def test_the_digest_does_not_depend_on_the_order_of_the_keys() -> None:
    assert digest_of({"a": "1", "b": "2"}) == digest_of({"b": "2", "a": "1"})
    assert digest_of({"a": "1"}) == "452647e07c48d5e6dbdad452d4f4715de98ad66f3397952966e13ffa37b3523f"


def test_two_workers_never_take_the_same_row(engine: Engine) -> None:
    keep(engine, *({"Email": email} for email in "abcd"))
    with engine.begin() as one, engine.begin() as other:
        first = [row.id for row in pending_rows(one, kind=SIGNUPS.value, limit=3)]
        second = [row.id for row in pending_rows(other, kind=SIGNUPS.value, limit=3)]
    assert (len(first), len(second)) == (3, 1)
    assert not set(first) & set(second)


def test_rows_come_oldest_first_and_by_kind(engine: Engine) -> None:
    keep(engine, *({"Email": email} for email in "cab"))
    assert [row.raw["Email"] for row in pending(engine)] == ["c", "a", "b"]
    with transaction(engine) as connection:
        assert count_pending(connection, kind=SIGNUPS.value) == 3
        assert count_pending(connection, kind=RecordKind.APPLICATION.value) == 0


def validate(engine: Engine, validator: Validator) -> Validated:
    return validate_pending(engine, validator, field_maps_of(Settings()), kind=SIGNUPS, secret=b"tests", now=SEPTEMBER)


def test_in_is_accepted_plus_quarantined_and_the_raw_row_stays(office: Office, validator: Validator) -> None:
    bad = {"no_address": {"email": ""}, "bad_term": {"entry_term": "999999"}, "robot": {"website": "https://x.example"}}
    for number, change in enumerate([{}, {}, *bad.values()]):
        receive_form(office.engine, SIGNUP | {"email": f"p{number}@example.edu"} | change, now=SEPTEMBER)
    assert validate(office.engine, validator) == Validated(1, 5, 2, 3)
    assert office.query("SELECT rows_in, accepted, quarantined FROM batch") == [(5, 2, 3)]
    assert office.query("SELECT outcome, count(*) FROM inbox GROUP BY outcome ORDER BY 1") == [
        ("accepted", 2),
        ("quarantined", 3),
    ]
    rejected = office.query("SELECT q.rule, i.raw ->> 'entry_term' FROM quarantine q JOIN inbox i ON i.id = inbox_id")
    assert ("entry_term_unknown", "999999") in rejected
    assert all(office.query("SELECT reason <> '' FROM quarantine"))
    assert office.query("SELECT evaluated, failed FROM batch_rule WHERE rule = 'honeypot_filled'") == [(5, 1)]


def test_a_source_that_was_removed_keeps_no_other_from_being_judged(office: Office, validator: Validator) -> None:
    keep(office.engine, {"Email": ANA}, source="old_fair")
    receive_form(office.engine, SIGNUP | {"email": BEN}, now=SEPTEMBER)
    assert validate(office.engine, validator) == Validated(2, 2, 1, 1)
    ((rule, reason),) = office.query("SELECT rule, reason FROM quarantine")
    assert rule == "source_known"
    assert "The source 'old_fair' is not in config/sources/" in reason


def test_only_rows_of_a_removed_source(office: Office, validator: Validator) -> None:
    keep(office.engine, {"Email": ANA}, source="old_fair")
    assert validate(office.engine, validator) == Validated(1, 1, 0, 1)


def test_a_source_that_is_removed_after_its_rows_were_judged(office: Office) -> None:
    keep(office.engine, {"Email": ANA}, source="old_fair")
    receive_form(office.engine, SIGNUP | {"email": BEN}, now=SEPTEMBER)
    office.load(now=SEPTEMBER)
    assert office.query("SELECT email FROM person") == [BEN]
    assert office.query("SELECT accepted, quarantined FROM batch") == [(1, 1)]


def test_a_batch_is_judged_once(office: Office, validator: Validator) -> None:
    receive_form(office.engine, SIGNUP | {"email": ANA}, now=SEPTEMBER)
    assert validate(office.engine, validator).batches == 1
    assert validate(office.engine, validator) == Validated()


def test_a_nul_in_a_name_reaches_quarantine_or_record_and_breaks_nothing(office: Office, validator: Validator) -> None:
    receive_form(office.engine, SIGNUP | {"email": ANA, "first_name": "A\x00na"}, now=SEPTEMBER)
    receive_form(office.engine, SIGNUP | {"email": BEN}, now=SEPTEMBER)
    validated = validate(office.engine, validator)
    assert validated.rows_in == 2
    office.load(now=SEPTEMBER)
    assert BEN in office.query("SELECT email FROM person")
    assert not any("\x00" in name for name in office.query("SELECT first_name FROM person"))


def test_the_database_refuses_counts_that_do_not_add_up(engine: Engine) -> None:
    statement = "INSERT INTO batch (kind, validated_at, step, rows_in, accepted, quarantined) VALUES "
    with pytest.raises(IntegrityError, match="ck_batch_in_equals_accepted_and_quarantined"), engine.begin() as one:
        one.execute(text(statement + "('signup', now(), 'validated', 3, 1, 1)"))


def delivery(rows: Sequence[Mapping[str, Any]] | Exception, kept: list[int]) -> Delivery:
    def read() -> Sequence[Mapping[str, Any]]:
        if isinstance(rows, Exception):
            raise rows
        return rows

    return Delivery(read, keep=lambda: kept.append(len(kept)))


def feed(deliveries: Iterable[Delivery], source: str = "signups_csv") -> Feed:
    return Feed(source, SIGNUPS, lambda: deliveries)


def test_a_delivery_that_fails_keeps_no_other_from_delivering(engine: Engine) -> None:
    kept: list[int] = []
    broken = delivery(FeedUnreachableError("The feed does not answer."), kept)
    feeds = [feed([broken, delivery([{"Email": ANA}], kept)]), feed([delivery([{"Email": BEN}], kept)])]
    with pytest.raises(FeedUnreachableError, match="does not answer"):
        collect(engine, feeds, now=SEPTEMBER)
    assert [row.raw["Email"] for row in pending(engine)] == [ANA, BEN]
    assert len(kept) == 2  # only what was committed is set aside


def test_a_folder_that_cannot_be_looked_into_keeps_no_other_source_from_delivering(engine: Engine) -> None:
    def deliveries() -> Iterable[Delivery]:
        raise PermissionError(13, "Permission denied")

    broken = Feed("broken", RecordKind.SIGNUP, deliveries)
    good = Feed("good", RecordKind.SIGNUP, lambda: [Delivery(lambda: [{"a": "1"}], keep=lambda: None)])
    with pytest.raises(FeedUnreachableError, match="Permission denied"):
        collect(engine, [broken, good], now=SEPTEMBER)
    with transaction(engine) as connection:
        assert count_pending(connection, kind="signup") == 1


@pytest.mark.parametrize(
    ("failures", "told"),
    [
        ([FeedRefusedError("The key is wrong."), FeedUnreachableError("It is busy.")], FeedUnreachableError),
        ([FeedRefusedError("The key is wrong."), OSError(28, "It is busy.")], FeedUnreachableError),
        ([FeedUnreadableError("It is busy."), FeedRefusedError("The key is wrong.")], FeedUnreadableError),
        ([FeedRefusedError("The key is wrong."), FeedRefusedError("It is busy.")], FeedRefusedError),
    ],
)
def test_of_several_that_fail_each_is_told_and_tried_again_where_that_may_help_one(
    engine: Engine, failures: list[Exception], told: type[FeedError]
) -> None:
    with pytest.raises(FeedError, match="busy") as raised:
        collect(engine, [feed([delivery(one, [])]) for one in failures], now=SEPTEMBER)
    assert type(raised.value) is told
    assert "The key is wrong." in str(raised.value)


def test_what_is_collected_is_counted(engine: Engine) -> None:
    feeds = [feed([delivery([{"Email": ANA}, {"Email": BEN}], [])]), feed([delivery([{"Email": ANA}], [])])]
    assert collect(engine, feeds, now=SEPTEMBER) == Collected(new=2, known=1)


def test_a_naive_instant_is_refused(engine: Engine) -> None:
    naive = datetime(2026, 9, 1)  # noqa: DTZ001
    with pytest.raises(ValueError, match="no time zone"):
        receive_form(engine, SIGNUP, now=naive)
    with pytest.raises(ValueError, match="no time zone"):
        collect(engine, [], now=naive)
