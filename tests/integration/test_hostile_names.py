"""Names of all the world, and what is no name at all: kept as they are, and harmless in what goes out."""

import pytest
from tests.integration.hostile_road import HostileRoad, check_reason

#: Kept as they are.
NAMES = (
    "Null",
    "None",
    "True",
    "Nan",
    "李",
    "محمد بن عبد الله",
    "\u200fשרה\u200f",
    "Ṩ̸̛a̷l̶g̵o̴",
    "Ngọc Ánh",
    "Zoë\u0308",
    "O'Neill-D’Arcy",
    "👩‍🔬 Curie",
    "Wolfe+585, Senior",
    "X Æ A-12",
    "Jr.",
    "田中さんにあげて下さい",
    "x" * 200,
    "{{7*1111111}}",
    "{{ config.items() }}",
    "{% for x in range(9) %}{{ x }}{% endfor %}",
    "${7*7} #{7*7} <%= 7*7 %>",
    "%s %n %d %x",
    "=cmd|'/C calc'!A0",
    "+1+1",
    "@SUM(1)",
    "-2+3",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "Robert'); DROP TABLE person;--",
    "../../etc/passwd",
    "[link](javascript:alert(1))",
    "Ana <evil@example.com>",
    "Ana, Ben: Cem; Dia",
    "=?utf-8?q?Bcc=3A?=",
    "a\u200bb\u200dc",
    "\u202eanA",
    "A\u2028B\u2029C",
    "\U0001f1e6\U0001f1e7",
    "ﷺ",
    "Ⅷ",
)
#: Rejected in words.
UNREADABLE = (
    "x" * 201,
    "x" * 500,
    "x" * 20_000,
    "A\x00B",
    "A\r\nBcc: all@example.edu",
    "A\nB",
    "A\x1b[31mB",
    "A\x7f",
    "A\x85B",
    "A\ufffdB",
    "A\ud800B",
)


@pytest.mark.parametrize("part", ["first_name", "last_name"])
def test_a_name_is_kept_as_it_is_and_is_harmless_in_what_goes_out(road: HostileRoad, part: str) -> None:
    for number, name in enumerate(NAMES):
        road.post(email=f"n{number}@example.edu", **{part: name})
    road.take_in()
    road.check()
    assert road.rules() == []
    assert len(road.mails()) == len(NAMES)
    assert len(road.query(f"SELECT DISTINCT {part} FROM person")) == len(NAMES)
    for mail, number in zip(road.mails(), range(len(NAMES)), strict=True):
        assert mail["To"].addresses[0].addr_spec == f"n{number}@example.edu"


@pytest.mark.parametrize("part", ["first_name", "last_name"])
def test_what_nobody_can_read_is_rejected_in_words(road: HostileRoad, part: str) -> None:
    for number, name in enumerate(UNREADABLE):
        road.post(email=f"n{number}@example.edu", **{part: name})
    road.take_in()
    road.check()
    assert set(road.rules()) == {f"{part}_unreadable", "row_damaged"}
    assert len(road.rules()) == len(UNREADABLE)


@pytest.mark.slow
@pytest.mark.parametrize("field", ["phone", "country", "time_zone", "campaign", "page", "prep_session", "residency"])
def test_the_other_fields_take_anything_and_break_nothing(road: HostileRoad, field: str) -> None:
    values = [*NAMES, *UNREADABLE]
    for number, value in enumerate(values):
        road.post(email=f"n{number}@example.edu", **{field: value})
    road.take_in()
    road.check()
    assert len(road.addresses()) + len(road.rules()) == len(values)


def test_a_single_word_is_a_name(road: HostileRoad) -> None:
    road.post(first_name="Suharto", last_name="")
    road.take_in()
    road.check()
    assert road.query("SELECT first_name, last_name FROM person") == [("Suharto", "")]


@pytest.mark.parametrize(
    ("reason", "column"),
    [
        ("The email address is missing", "email"),
        ("The email address x@y is wrong.", "email"),
        ("KeyError: the email address.", "email"),
        ("The email address does not match \\A[^x]+.", "email"),
        ("Something is wrong.", "email"),
        ("the email address is missing.", "email"),
    ],
)
def test_a_reason_that_nobody_understands_is_seen(reason: str, column: str) -> None:
    with pytest.raises(AssertionError):
        check_reason(reason, column=column, values=["x@y.z", "x@y is"])
