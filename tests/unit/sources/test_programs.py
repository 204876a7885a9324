"""Programs as the school configures them: what cannot be is an error that says what to write instead."""

from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pytest
import yaml

from enrollment_crm.domain.points import Anchor
from enrollment_crm.domain.residency import STATED_GROUPS, Residency
from enrollment_crm.sources.programs import (
    ProgramConfigurationError,
    read_country_zones,
    read_prep_sessions,
    read_programs,
)

GROUPS = [group.value for group in STATED_GROUPS]
SESSION = {
    "id": "prep-1",
    "title": "Prep Session",
    "date": date(2026, 11, 25),
    "starts": "10:00",
    "zone": "EST",
    "minutes": 60,
    "location": "Online",
    "url": "https://crm.example/prep-1",
}


def final(groups: list[str] = GROUPS, month: int = 6, day: int = 1, **changed: Any) -> dict[str, Any]:
    pattern = {"season": "fall", "round": "final", "residencies": groups, "month": month, "day": day, "year": "same"}
    return pattern | changed


def program(**changed: Any) -> dict[str, Any]:
    """A program that can be; ``changed`` makes it one that cannot."""
    return {
        "name": "A Program",
        "url": "https://crm.example/program",
        "request_info_url": "https://crm.example/program#signup",
        "apply_url": "https://crm.example/apply",
        "source": "a test",
        "counselors": {"desk": {"name": "A Name", "address": "desk@crm.example", "residencies": [*Residency]}},
        "entry_terms": ["fall 2027"],
        "dates": [final()],
    } | changed


def written(directory: Path, content: object, name: str = "ms-test.yml") -> Path:
    file = directory / name
    text = content if isinstance(content, str) else yaml.safe_dump(_plain(content), sort_keys=False)
    file.write_text(text, "utf-8")
    return directory


def _plain(value: Any) -> Any:
    """Enumerations as the words that a file has."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, str) else value


def error_of(directory: Path, content: object) -> str:
    with pytest.raises(ProgramConfigurationError) as caught:
        read_programs(written(directory, content))
    return str(caught.value)


def test_a_program_that_can_be(tmp_path: Path) -> None:
    content = program(dates=[final(), final(round="early_action", month=12, year="previous")], prep_sessions=[SESSION])
    one = read_programs(written(tmp_path, content))["ms-test"]

    assert (one.key, one.name) == ("ms-test", "A Program")
    assert {d.group.residency: d.stated_date for d in one.deadlines if d.group.round == "final"} == dict.fromkeys(
        STATED_GROUPS, date(2027, 6, 1)
    )
    assert {d.stated_date for d in one.deadlines if d.group.round == "early_action"} == {date(2026, 12, 1)}
    assert {owner.key for owner in one.counselors.values()} == {"desk"}
    assert one.prep_sessions[0].starts == datetime(2026, 11, 25, 15, tzinfo=UTC)
    assert one.prep_sessions[0].zone == "America/New_York"  # R11: EST means New York's wall clock


def test_the_cadence_is_the_rule_unless_the_file_says_otherwise(tmp_path: Path) -> None:
    default = read_programs(written(tmp_path, program()))["ms-test"].cadence
    assert (default.offsets_in_days, default.hour, default.anchor) == ((30, 14, 7, 1), time(10), Anchor.STATED_DATE)
    own = {"offsets_in_days": [60, 3], "hour": "18:30", "anchor": "recipient_local"}
    cadence = read_programs(written(tmp_path, program(cadence=own)))["ms-test"].cadence
    assert (cadence.offsets_in_days, cadence.hour, cadence.anchor) == ((60, 3), time(18, 30), Anchor.RECIPIENT_LOCAL)


def test_29_february_exists_in_leap_years_only(tmp_path: Path) -> None:
    leap = program(entry_terms=["fall 2028"], dates=[final(month=2, day=29)])
    assert read_programs(written(tmp_path, leap))["ms-test"].deadlines[0].stated_date == date(2028, 2, 29)
    assert error_of(tmp_path, leap | {"entry_terms": ["fall 2027"]}) == (
        "ms-test.yml: 2-29 does not exist in 2027: choose another day for fall 2027."
    )


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {"dates": [final(GROUPS[:2])]},
            "fall 2027 has 0 final deadlines for international_outside_us: state exactly one.",
        ),
        ({"dates": [final(), final(GROUPS[:1])]}, "fall 2027 has 2 final deadlines for domestic: state exactly one."),
        (
            {"dates": [final(), *[final(round="early_action", residencies=["domestic"])] * 2]},
            "fall 2027 has 2 early-action deadlines for domestic: state at most one.",
        ),
        ({"dates": [final(), final(["unknown"])]}, "fall 2027 has a date for unknown residency"),
        ({"entry_terms": ["spring 2027"]}, "spring 2027 has 0 final deadlines for domestic: state exactly one."),
        ({"entry_terms": ["202710"]}, "'202710' is not an entry term: write a season and a year"),
        ({"entry_terms": []}, "entry_terms: List should have at least 1 item"),
        (
            {"counselors": {"desk": {"name": "A", "address": "a@crm.example", "residencies": GROUPS}}},
            "no counselor for unknown: add it to the residencies of one counselor.",
        ),
        (
            {
                "counselors": {
                    "desk": {"name": "A", "address": "a@crm.example", "residencies": [*Residency]},
                    "other": {"name": "B", "address": "b@crm.example", "residencies": ["domestic"]},
                }
            },
            "desk and other all own domestic: list it under one counselor.",
        ),
        ({"prep_sessions": [SESSION | {"zone": "PST"}]}, "'PST' is not a time zone: write an IANA name"),
        ({"prep_sessions": [SESSION | {"minutes": 0}]}, "prep_sessions.0.minutes: Input should be greater than 0"),
        ({"dates": [final(month=13)]}, "dates.0.month: Input should be less than or equal to 12"),
        ({"dates": [final(year="next")]}, "dates.0.year: Input should be 'same' or 'previous'"),
        ({"cadence": {"offsets_in_days": [7, 0]}}, "cadence.offsets_in_days.1: Input should be greater than or equal"),
        ({"cadence": {"offsets_in_days": []}}, "cadence.offsets_in_days: List should have at least 1 item"),
        ({"cadence": {"anchor": "utc"}}, "cadence.anchor: Input should be 'stated_date' or 'recipient_local'"),
        ({"nmae": "A typing error"}, "nmae: Extra inputs are not permitted"),
    ],
)
def test_what_cannot_be_is_said_in_words(tmp_path: Path, changed: dict[str, Any], sentence: str) -> None:
    error = error_of(tmp_path, program(**changed))
    assert error.startswith("ms-test.yml: ")
    assert sentence in error


def test_every_mistake_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    error = error_of(tmp_path, program(dates=[final(month=13)], nmae="A typing error"))
    assert "dates.0.month" in error
    assert "nmae" in error


@pytest.mark.parametrize("content", ["", "a list\n", "name: [unclosed\n", "key: 'unclosed\n"])
def test_a_file_that_is_no_program_is_named(tmp_path: Path, content: str) -> None:
    assert error_of(tmp_path, content).startswith("ms-test.yml: ")


def test_a_folder_without_a_program_says_what_to_add(tmp_path: Path) -> None:
    with pytest.raises(ProgramConfigurationError, match=r"holds no program: add a file such as my-program\.yml"):
        read_programs(tmp_path)


def test_sessions_of_a_file_of_their_own(tmp_path: Path) -> None:
    directory = written(tmp_path, {"prep_sessions": [SESSION]}, "sessions.yml")
    (session,) = read_prep_sessions(directory / "sessions.yml")
    assert session.local_start.isoformat() == "2026-11-25T10:00:00-05:00"


@pytest.mark.parametrize("content", ["", "prep_sessions: []\n"])
def test_a_file_without_sessions_holds_none(tmp_path: Path, content: str) -> None:
    assert read_prep_sessions(written(tmp_path, content, "sessions.yml") / "sessions.yml") == ()


@pytest.mark.parametrize(
    "content", [{"prep_sessions": [SESSION | {"zone": "PST"}]}, {"sessions": [SESSION]}, "- a\n", "a: [unclosed\n"]
)
def test_sessions_that_cannot_be_are_an_error_that_names_the_file(tmp_path: Path, content: object) -> None:
    with pytest.raises(ProgramConfigurationError, match=r"^sessions\.yml: "):
        read_prep_sessions(written(tmp_path, content, "sessions.yml") / "sessions.yml")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("CN: Asia/Atlantis\n", "zones.yml: CN has 'Asia/Atlantis', which is not an IANA time zone."),
        ("NO: Europe/Oslo\n", "zones.yml: "),  # YAML reads a bare NO as false
        ("China: Asia/Shanghai\n", "zones.yml: China"),
        ("- CN\n", "zones.yml: "),
    ],
)
def test_zones_of_countries_that_cannot_be(tmp_path: Path, content: str, sentence: str) -> None:
    with pytest.raises(ProgramConfigurationError) as caught:
        read_country_zones(written(tmp_path, content, "zones.yml") / "zones.yml")
    assert sentence in str(caught.value)


def test_a_checklist_names_what_is_required_and_of_whom(tmp_path: Path) -> None:
    checklist = [{"item": "transcript"}, {"item": "english_test", "for": "international"}]
    content = program(checklist=checklist, checklist_reminders=True)
    one = read_programs(written(tmp_path, content))["ms-test"]
    assert one.checklist_reminders
    assert [(expected.item, expected.required_of) for expected in one.checklist] == [
        ("transcript", "all"),
        ("english_test", "international"),
    ]


def test_nobody_is_reminded_of_a_checklist_unless_the_program_says_so(tmp_path: Path) -> None:
    assert not read_programs(written(tmp_path, program()))["ms-test"].checklist_reminders


@pytest.mark.parametrize(
    ("checklist", "words"),
    [
        ([{"item": "haiku"}], r"ms-test\.yml: checklist\.0\.item"),
        ([{"item": "resume", "for": "martians"}], r"checklist\.0\.for"),
        ([{"item": "resume"}, {"item": "resume"}], "resume stands there more than once: keep one"),
    ],
)
def test_a_checklist_that_cannot_be_is_named(tmp_path: Path, checklist: list[dict[str, str]], words: str) -> None:
    with pytest.raises(ProgramConfigurationError, match=words):
        read_programs(written(tmp_path, program(checklist=checklist)))


def test_one_term_can_have_another_date_than_its_pattern(tmp_path: Path) -> None:
    exception = {"entry_term": "fall 2027", "round": "final", "residencies": ["domestic"], "date": date(2027, 6, 15)}
    content = program(entry_terms=["fall 2027", "fall 2028"], date_exceptions=[exception])
    dates = read_programs(written(tmp_path, content))["ms-test"].deadlines
    assert {one.stated_date for one in dates if one.group.residency is Residency.DOMESTIC} == {
        date(2027, 6, 15),
        date(2028, 6, 1),
    }
    assert {one.stated_date for one in dates if one.group.residency is not Residency.DOMESTIC} == {
        date(2027, 6, 1),
        date(2028, 6, 1),
    }
    twice = error_of(tmp_path, content | {"date_exceptions": [exception, exception]})
    assert twice == "ms-test.yml: date_exceptions: final fall 2027 for domestic is named twice."
    early = error_of(tmp_path, content | {"date_exceptions": [exception | {"round": "early_action"}]})
    assert "early_action fall 2027 for domestic is named but no pattern of dates has it." in early
    other = error_of(tmp_path, content | {"date_exceptions": [exception, exception | {"entry_term": "fall 2029"}]})
    assert other == (
        "ms-test.yml: date_exceptions: fall 2029 is not among entry_terms (fall 2027, fall 2028): correct the term, or "
        "list it there too."
    )


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"cut_off_zone": "America/Bostom"}, "cut_off_zone: 'America/Bostom' is not a time zone"),
        ({"entry_terms": ["fall 2027", "fall 2027"]}, "entry_terms: fall 2027 is listed twice."),
        ({"prep_sessions": [SESSION, SESSION]}, "prep_sessions: prep-1 is listed twice"),
        (
            {"cadence": {"too_close_in_hours": float("inf")}},
            "too_close_in_hours: Input should be a finite number",
        ),
        ({"cadence": {"hour": "10:00+02:00"}}, "leave out the zone"),
        ({"cadence": {"hour": 600}}, "write them in quotes"),  # how YAML reads 10:00 without quotes
        (
            {"cadence": {"offsets_in_days": [0]}},
            "offsets_in_days.0: Input should be greater than or equal to 1",
        ),
        ({"cadence": {"window_from": "12:00"}}, "hour must lie between window_from and window_to"),
    ],
)
def test_what_no_calendar_can_be_made_of(tmp_path: Path, changed: dict[str, Any], sentence: str) -> None:
    assert sentence in error_of(tmp_path, program() | changed)


def test_a_date_ends_on_the_clock_that_the_file_names(tmp_path: Path) -> None:
    one = read_programs(written(tmp_path, program(cut_off_zone="Asia/Tokyo")))["ms-test"]
    assert {deadline.ends_at() for deadline in one.deadlines} == {datetime(2027, 6, 1, 15, tzinfo=UTC)}
