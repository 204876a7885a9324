"""Bodies of webhooks: kept as they came, kept with a note, or refused in words; never a crash."""

import json

import pytest

from enrollment_crm.domain.field_maps import DAMAGE_NOTE
from enrollment_crm.sources.webhooks import DEEPEST, MOST_ROWS, BodyRefused, rows_in

TWICE = {DAMAGE_NOTE: "a name stands there twice"}


@pytest.mark.parametrize(
    "body",
    [
        b'{"email": "a@b.cd", "age": 7, "score": 2.5, "consent": true, "phone": null, "empty": "", "": "no name"}',
        b'{"nul": "a\\u0000b", "half": "\\ud800", "whole": "\\ud83c\\udf93", "right": "\\u202eleft"}',
        '{"name": "Zoë 王小明", "lines": "a\\nb"}'.encode(),
        b'{"nested": {"a": [1, [2, {"b": {}}]]}}',
        b'{"big": 123456789012345678901234567890, "negative": -0.5}',
    ],
)
def test_a_row_is_kept_as_it_came(body: bytes) -> None:
    assert rows_in(body) == [json.loads(body)]


@pytest.mark.parametrize(
    ("number", "kept"),
    [
        ("NaN", "NaN"),
        ("-Infinity", "-Infinity"),
        ("1e999", "1e999"),
        ("0.1000000000000000000001", "0.1000000000000000000001"),
        ("9" * 5000, "9" * 5000),
        ("1.50", "1.50"),
    ],
)
def test_numbers_that_would_be_changed_are_kept_as_text(number: str, kept: str) -> None:
    assert rows_in(b'{"a": %s}' % number.encode()) == [{"a": kept}]


def test_of_a_name_that_stands_there_twice_both_values_are_kept() -> None:
    body = b'{"email": "a", "email": "b", "email (2)": "c", "email": "d"}'
    expected = {"email": "a", "email (2)": "b", "email (2) (2)": "c", "email (3)": "d"}
    assert rows_in(body) == [{**expected, **TWICE}]


def test_a_nested_name_that_stands_there_twice_damages_no_more_than_its_object() -> None:
    assert rows_in(b'{"a": {"b": 1, "b": 2}, "c": 3}') == [{"a": {"b": 1, "b (2)": 2, **TWICE}, "c": 3}]


def test_entries_that_are_no_rows_are_kept_with_a_note_each() -> None:
    note = {DAMAGE_NOTE: "the entry is no row"}
    assert rows_in(b'[{"a": 1}, 7, null, "x", [1]]') == [
        {"a": 1}, {**note, "entry": 7}, {**note, "entry": None}, {**note, "entry": "x"}, {**note, "entry": [1]},
    ]  # fmt: skip


def test_what_the_envelope_says_is_kept_beside_what_the_row_says() -> None:
    body = b'{"type": "created", "timestamp": "2026", "data": [{"type": "fair", "a": 1}, {"a": 2}]}'
    assert rows_in(body) == [
        {"(type)": "created", "timestamp": "2026", "type": "fair", "a": 1},
        {"type": "created", "timestamp": "2026", "a": 2},
    ]


@pytest.mark.parametrize("body", [b'{"data": "text"}', b'{"data": {}, "more": 1}', b'{"type": "x"}'])
def test_what_is_no_envelope_is_a_row(body: bytes) -> None:
    assert rows_in(body) == [json.loads(body)]


def test_a_byte_order_mark_is_no_harm() -> None:
    assert rows_in(b'\xef\xbb\xbf{"a": 1}') == [{"a": 1}]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "no JSON"),
        (b'{"a": 1', "no JSON, or not the whole"),
        (b'{"a": 1} {"b": 2}', "no JSON"),
        (b'{"a": tru', "no JSON"),
        (b"{'a': 1}", "no JSON"),
        (b'{"a": "\x00"}', "no JSON"),
        (b"<html>", "no JSON"),
        (b'\xff\xfe{\x00"\x00', "not UTF-8"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b'{"a": "\xed\xa0\x80"}', "not UTF-8"),
        (b"7", "Send a row"),
        (b"null", "Send a row"),
        (b'"text"', "Send a row"),
        (b"[" * DEEPEST + b"{}" + b"]" * DEEPEST, f"deeper than {DEEPEST} levels"),
        (b"[" * 100_000, "(deeper than|no JSON)"),
        (b'{"a":' * 200_000, "(deeper than|no JSON)"),
        (b"[" + b"{}," * MOST_ROWS + b"{}]", f"{MOST_ROWS} at most"),
    ],
)
def test_what_is_no_row_is_refused_in_words(body: bytes, words: str) -> None:
    with pytest.raises(BodyRefused, match=words):
        rows_in(body)


def test_as_deep_and_as_many_as_may_be() -> None:
    assert len(rows_in(b"[" * (DEEPEST - 1) + b"{}" + b"]" * (DEEPEST - 1))) == 1
    assert len(rows_in(b"[" + b"{}," * (MOST_ROWS - 1) + b"{}]")) == MOST_ROWS
