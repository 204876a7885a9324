"""Files as other people's programs write them, dropped and taken all the way: no row is lost by count."""

import codecs
import json
import random

import pytest
from tests.integration.hostile_road import HostileRoad

from enrollment_crm.sources.feed_errors import FeedUnreadableError

HEADER = "Email,First Name,Last Name,Entry Term,Residency,Email Consent"
PEOPLE = (
    "ana@example.edu,Zoë,Núñez,fall 2027,domestic,yes",
    "ben@example.edu,Ömer,Çelik,202810,Not sure,1",
    "cem@example.edu,Łukasz,Żak,Fall Semester 2027,unknown,TRUE",
)
LATIN = (*PEOPLE[:2], "cem@example.edu,Luc,Zac,Fall Semester 2027,unknown,TRUE")


def csv_of(*lines: str, end: str = "\r\n") -> str:
    return end.join((HEADER, *lines)) + end


@pytest.mark.parametrize(
    "content",
    [
        csv_of(*PEOPLE).encode(),
        codecs.BOM_UTF8 + csv_of(*PEOPLE).encode(),
        csv_of(*PEOPLE).encode("utf-16"),
        codecs.BOM_UTF16_BE + csv_of(*PEOPLE).encode("utf-16-be"),
        csv_of(*PEOPLE).encode("utf-16-le"),
        csv_of(*PEOPLE).encode("utf-16-be"),
        csv_of(*PEOPLE).encode("utf-32"),
        csv_of(*LATIN).encode("cp1252"),
        csv_of(*PEOPLE).replace(",", ";").encode(),
        csv_of(*PEOPLE).replace(",", "\t").encode(),
        csv_of(*PEOPLE).replace(",", "|").encode(),
        b"sep=;\r\n" + csv_of(*PEOPLE).replace(",", ";").encode(),
        b'"sep=,"\n' + csv_of(*PEOPLE).encode(),
        csv_of(*PEOPLE, end="\n").encode(),
        csv_of(*PEOPLE, end="\r").encode(),
        (HEADER + "\r\n" + PEOPLE[0] + "\n" + PEOPLE[1] + "\r" + PEOPLE[2]).encode(),
        ("\n\n" + csv_of(*PEOPLE, end="\n\n")).encode(),
        csv_of(*(",".join(f'"{cell}"' for cell in one.split(",")) for one in PEOPLE)).encode(),
    ],
    ids=lambda content: repr(content[:12]),
)
def test_every_dialect_gives_the_same_three_people(road: HostileRoad, content: bytes) -> None:
    assert road.drop(content) == 3
    road.check()
    assert road.rules() == []
    assert road.addresses() == ["ana@example.edu", "ben@example.edu", "cem@example.edu"]
    assert road.query("SELECT first_name FROM person ORDER BY id")[0] == "Zoë"
    assert len(road.mails()) == 3


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("dia@example.edu,Dia", "row_damaged"),
        ("dia@example.edu,Dia,D,fall 2027,domestic,yes,surplus,more", "row_damaged"),
        ('dia@example.edu,"Dia,D,fall 2027,domestic,yes', "row_damaged"),
        ('dia@example.edu,Di"a,D,fall 2027,domestic,yes', None),
        ("dia@example.edu,Di\x00a,D,fall 2027,domestic,yes", "first_name_unreadable"),
        ("dia@example.edu," + "x" * 1024 * 1024 + ",D,fall 2027,domestic,yes", "row_damaged"),
        ("dia@example.edu,Dia,D,fall 2027,domestic,", "consent_missing"),
        ("dia@example.edu,Dia,D,999999,domestic,yes", "entry_term_unknown"),
        (",,,,,", ""),
    ],
    ids=lambda one: str(one)[:30],
)
def test_a_broken_row_costs_itself_and_no_other(road: HostileRoad, line: str, rule: str | None) -> None:
    read = road.drop(csv_of(PEOPLE[0], line, *PEOPLE[1:]).encode())
    assert read == (3 if rule == "" else 4)
    road.check()
    assert road.rules() == ([rule] if rule else [])
    assert {"ana@example.edu", "ben@example.edu", "cem@example.edu"} <= set(road.addresses())


def test_a_header_with_empty_and_repeated_names_loses_no_cell(road: HostileRoad) -> None:
    assert road.drop(b"Email,Email,,,Email Consent\nana@example.edu,other@example.edu,x,y,yes\n") == 1
    road.check()
    assert road.query("SELECT raw FROM inbox") == [
        {
            "Email": "ana@example.edu",
            "Email (2)": "other@example.edu",
            "column 3": "x",
            "column 4": "y",
            "Email Consent": "yes",
        }
    ]


def test_a_header_without_rows_gives_no_row(road: HostileRoad) -> None:
    assert road.drop(HEADER.encode()) == 0
    road.check()


def test_a_file_with_somebody_else_s_header_says_so_of_every_row(road: HostileRoad) -> None:
    assert road.drop(b"Mail,Name\nana@example.edu,Ana\nben@example.edu,Ben\n") == 2
    road.check()
    assert road.rules() == ["email_missing"] * 2


@pytest.mark.parametrize(
    "content", [b"", b"\r\n \r\n", b"PK\x03\x04 a workbook", b"\x1f\x8b gzip"], ids=["empty", "blank", "zip", "gzip"]
)
def test_what_is_no_table_is_named_and_the_other_files_are_read(road: HostileRoad, content: bytes) -> None:
    with pytest.raises(FeedUnreadableError, match=r"(?s)a-bad.csv.*\.$"):
        road.drop(content, name="a-bad.csv")
    with pytest.raises(FeedUnreadableError, match=r"a-bad.csv"):  # it stays, and is named again
        road.drop(csv_of(*PEOPLE).encode(), name="b-good.csv")
    road.take_in()
    road.check()
    assert len(road.addresses()) == 3


def test_the_same_file_again_is_known_row_by_row(road: HostileRoad) -> None:
    for name in ("monday.csv", "tuesday.csv"):
        assert road.drop(csv_of(*PEOPLE).encode(), name=name) == 3
    road.drop(csv_of(*PEOPLE, "dia@example.edu,Dia,D,fall 2027,domestic,yes").encode(), name="wednesday.csv")
    road.check()
    assert len(road.mails()) == 4


@pytest.mark.parametrize(
    ("rows", "rules"),
    [
        ('[{"Email": "a@example.edu", "Email Consent": "yes", "Phone": NaN, "Page": -Infinity}]', []),
        ('[{"Email": "a@example.edu", "Email": "b@example.edu", "Email Consent": "yes"}]', ["row_damaged"]),
        ('[{"Email": "a@example.edu", "Email Consent": true, "Entry Term": 202810.0}]', []),
        ('[{"Email": "a@example.edu", "Email Consent": "yes", "Phone": "\\ud800"}]', []),
        ('[{"Email": "a@example.edu", "Email Consent": "yes", "First Name": "\\u0000"}]', ["first_name_unreadable"]),
        ('[{"Email": "a@example.edu", "Email Consent": "yes", "First Name": {"a": [1]}}]', ["first_name_unreadable"]),
        ('[{"Email": ["a@example.edu"], "Email Consent": "yes"}]', ["email_implausible"]),
        ('[{"Email": "a@example.edu", "Email Consent": "yes", "Phone": ' + "9" * 4000 + "}]", []),
        ('[{"Email": "a@example.edu", "Email Consent": "yes", "Phone": ' + "9" * 5000 + "}]", []),
        ('[{"Email": "a@example.edu", "Email Consent": "yes", "Phone": 1e999, "Page": -1e999}]', []),
        ('[{"Email": "a@example.edu", "Email Consent": "yes", "Phone": 1e308}]', []),
        ('[1, null, "x", [], {"Email": "a@example.edu", "Email Consent": "yes"}]', ["row_damaged"] * 4),
        ('{"row": [{}, {"": ""}]}', ["email_missing"] * 2),
        ('[{"Email": "a@example.edu", "Email Consent": "yes", "(damage)": {"x": 1}}]', ["row_damaged"]),
    ],
    ids=lambda one: str(one)[:60],
)
def test_hostile_json_is_rows_with_reasons(road: HostileRoad, rows: str, rules: list[str]) -> None:
    road.drop(rows.encode(), name="fair.json")
    road.check()
    assert sorted(road.rules()) == sorted(rules)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b'[{"Email": "a@exam',
        b'[{"Email": "a@example.edu"}] trailing',
        b"[" * 10_000 + b"]" * 10_000,
        b'{"row": ' + b'{"a":' * 10_000 + b"1" + b"}" * 10_000 + b"}",
        b'"a text"',
        b"\xff\xfe\x00\x00",
        b"<html>Log in</html>",
        b'[{"Email": "a@example.edu",}]',
    ],
    ids=lambda content: repr(content[:20]),
)
def test_what_is_no_json_with_rows_is_named(road: HostileRoad, content: bytes) -> None:
    with pytest.raises(FeedUnreadableError, match=r"fair.json is no JSON with a list of rows.*\.$"):
        road.drop(content, name="fair.json")
    road.check()


def test_a_deep_value_is_a_row_with_a_reason_or_a_file_that_is_named(road: HostileRoad) -> None:
    """How deep Python reads is its own affair; that nothing is lost is ours."""
    for depth in (10, 100, 900):
        deep = "[" * depth + "]" * depth
        rows = f'[{{"Email": "a{depth}@example.edu", "Email Consent": "yes", "First Name": {deep}}}]'
        road.drop(rows.encode(), name=f"{depth}.json")
    road.check()
    assert road.rules() == ["first_name_unreadable"] * 3


@pytest.mark.parametrize("seed", [*range(5), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(5, 20))])
def test_a_file_with_bytes_turned_at_random_loses_no_row(road: HostileRoad, seed: int) -> None:
    chance = random.Random(seed)
    lines = [f"p{n}@example.edu,Ana,Silva,fall 2027,domestic,yes" for n in range(30)]
    content = bytearray(csv_of(*lines).encode())
    for _ in range(12):
        content[chance.randrange(len(HEADER) + 2, len(content))] = chance.randrange(256)
    road.drop(bytes(content))
    road.check()


def test_json_lines_take_the_same_road_and_a_broken_line_is_quarantined_with_its_number(road: HostileRoad) -> None:
    people = [{"Email": f"p{n}@example.edu", "Email Consent": "yes", "Entry Term": "fall 2027"} for n in range(3)]
    lines = [json.dumps(one) for one in people]
    assert road.drop("\n".join([lines[0], lines[1][:-5], "", "7", lines[2]]).encode(), name="leads.jsonl") == 4
    road.check()
    assert road.rules() == ["row_damaged"] * 2
    assert road.query("SELECT raw ->> '(damage)' FROM inbox WHERE outcome = 'quarantined' ORDER BY id") == [
        "line 2 is no row",
        "line 4 is no row",
    ]
    assert road.addresses() == ["p0@example.edu", "p2@example.edu"]


def test_a_title_above_the_header_costs_nobody_anything(road: HostileRoad) -> None:
    assert road.drop(b"Leads export, 24 Nov\r\n\r\n" + csv_of(*PEOPLE).replace(",", ";").encode()) == 3
    road.check()
    assert len(road.addresses()) == 3


def test_a_web_page_in_place_of_a_table_is_no_delivery(road: HostileRoad) -> None:
    """The login page of the system that should have written it: as a table without rows it would count as fresh."""
    with pytest.raises(FeedUnreadableError, match=r"fair\.csv is a web page"):
        road.drop(b"<!DOCTYPE html>\n<html><body>Log in</body></html>\n")
    assert road.query("SELECT source FROM source_delivery") == []


def test_applications_take_the_same_road(road: HostileRoad) -> None:
    row = {"aid": "a-1", "Email": "ana@example.edu", "YearTerm": "202810", "AppStatus": "Decided"}
    broken = [row | {"aid": "x" * 300}, row | {"AppStatus": "{{7*7}}"}, row | {"aid": None, "Email": None}, {}]
    rows = [row, *broken, row | {"AppStatusDate": "46343.4375"}, row | {"YearTerm": "999999"}]
    road.drop(json.dumps({"row": rows}).encode(), name="slate.json", source="slate")
    road.check()
    assert road.query("SELECT status FROM application") == ["submitted"]
    assert len(road.rules()) == 6


def test_a_day_that_no_calendar_has_is_named_by_its_column(road: HostileRoad) -> None:
    road.drop(b"Email,Email Consent,Submitted At\nana@example.edu,yes,2026-02-29T10:00:00Z\n")
    road.check()
    assert road.query('SELECT rule, "column" FROM quarantine') == [("usable", "occurred_at")]
