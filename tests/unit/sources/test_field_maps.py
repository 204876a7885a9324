from datetime import timedelta
from pathlib import Path

import pytest

from enrollment_crm.domain.canonical_rows import CANONICAL_FIELDS
from enrollment_crm.domain.field_maps import RawFields, translate
from enrollment_crm.settings import CHECKOUT
from enrollment_crm.sources.field_maps import FieldMapError, read_countries, read_field_maps

FAIR = """
kind: signup
time_zone: America/New_York
fields:
  email: [Email, Other]
  country: Country
  entry_term: {joined: [Term, Year]}
terms:
  202710: fall 2026
"""


def read(directory: Path, content: str) -> None:
    (directory / "fair.yml").write_text(content, "utf-8")
    read_field_maps(directory, countries={})


def test_reads_a_file_under_its_name(tmp_path: Path) -> None:
    (tmp_path / "fair.yml").write_text(FAIR)
    (field_map,) = read_field_maps(tmp_path, countries={"Norway": "NO"}).values()
    assert field_map.source == "fair"
    assert field_map.fields["email"] == RawFields(("Email", "Other"))
    assert field_map.fields["entry_term"] == RawFields(("Term", "Year"), joined=True)
    row = translate({"Country": "norway", "Term": "202710"}, field_map)
    assert (row["country"], row["entry_term"]) == ("NO", "fall 2026")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("kind: signup", "kind: lead", r"fair\.yml: kind: .*'signup', 'application' or 'checklist'"),
        ("kind: signup", "kinds: signup", r"fair\.yml: kind: Field required; kinds: Extra inputs"),
        ("email:", "mail:", r"fair\.yml: fields: a signup has no 'mail', its fields are email"),
        ("kind: signup", "kind: signup\nencoding: jis", r"fair\.yml: encoding: 'jis' is none, write one such as utf-8"),
        ("America/New_York", "Boston", r"fair\.yml: time_zone: 'Boston' is no time zone, write one such as"),
        ("fall 2026", "summer 2026", r"fair\.yml: terms\.202710: 'summer 2026' is not an entry term"),
        ("terms:", "terms:\n  202710: fall 2027", r"fair\.yml: line 10: '202710' stands there twice: keep one"),
        ("[Email, Other]", "[Email, Other", r"fair\.yml is no YAML"),
    ],
)
def test_says_file_key_and_remedy(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in FAIR
    with pytest.raises(FieldMapError, match=words):
        read(tmp_path, FAIR.replace(old, new, 1))


APPLICATIONS = """
kind: application
time_zone: America/New_York
fields:
  email: Email
"""


@pytest.mark.parametrize(
    ("lines", "budget"),
    [
        ("", timedelta(hours=24)),
        ("freshness_budget_in_hours: 36", timedelta(hours=36)),
        ("freshness_budget_in_hours: 0.5", timedelta(minutes=30)),
        ("freshness: not_watched", None),
    ],
)
def test_a_feed_of_applications_has_a_budget_unless_it_is_not_watched(
    tmp_path: Path, lines: str, budget: timedelta | None
) -> None:
    (tmp_path / "cas.yml").write_text(APPLICATIONS + lines)
    assert read_field_maps(tmp_path, countries={})["cas"].freshness_budget == budget


def test_signups_are_not_watched(tmp_path: Path) -> None:
    (tmp_path / "fair.yml").write_text(FAIR)
    assert read_field_maps(tmp_path, countries={})["fair"].freshness_budget is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (APPLICATIONS + "freshness_budget_in_hours: 0", r"fair\.yml: freshness_budget_in_hours: .*greater than 0"),
        (APPLICATIONS + "freshness_budget_in_hours: nan", r"fair\.yml: freshness_budget_in_hours: "),
        (APPLICATIONS + "freshness_budget_in_hours: 9000", r"fair\.yml: freshness_budget_in_hours: .*less than"),
        (APPLICATIONS + "freshness_budget_in_hours: a day", r"fair\.yml: freshness_budget_in_hours: .*valid number"),
        (APPLICATIONS + "freshness: sometimes", r"fair\.yml: freshness: .*'not_watched'"),
        (APPLICATIONS + "freshness: not_watched\nfreshness_budget_in_hours: 9", r"fair\.yml: .*exclude each other"),
        (FAIR + "freshness_budget_in_hours: 9", r"fair\.yml: freshness is watched of applications only"),
        (FAIR + "freshness: not_watched", r"fair\.yml: freshness is watched of applications only"),
    ],
)
def test_a_budget_that_cannot_be_is_refused_in_words(tmp_path: Path, content: str, words: str) -> None:
    with pytest.raises(FieldMapError, match=words):
        read(tmp_path, content)


def test_an_empty_folder_or_file_is_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(FieldMapError, match="holds no field map"):
        read_field_maps(tmp_path, countries={})
    with pytest.raises(FieldMapError, match="holds no keys"):
        read(tmp_path, "# nothing\n")


def test_norway_is_a_country_and_no_name_means_two() -> None:
    countries = read_countries(CHECKOUT / "config/countries.yml")
    assert countries["NO"] == countries["Norway"] == "NO"
    assert countries["United States of America"] == countries["USA"] == "US"
    assert len(set(countries.values())) == 250


def test_a_name_of_two_countries_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "countries.yml"
    file.write_text('"CD": [Congo]\n"CG": [Congo]\n')
    with pytest.raises(FieldMapError, match="'Congo' is both CD and CG"):
        read_countries(file)


def test_the_sources_of_this_school_are_configured() -> None:
    countries = read_countries(CHECKOUT / "config/countries.yml")
    field_maps = read_field_maps(CHECKOUT / "config/sources", countries=countries)
    assert set(field_maps) == {"events_webhook", "form", "signups_csv", "slate", "slate_checklist", "webadmit"}
    for field_map in field_maps.values():
        assert set(field_map.fields) <= set(CANONICAL_FIELDS[field_map.kind])


@pytest.mark.parametrize(
    ("source", "given", "status"),
    [
        ("slate", "Awaiting Submission", "started"),
        ("slate", "Awaiting Payment", "submitted"),
        ("slate", "Awaiting Materials", "submitted"),
        ("slate", "Awaiting Decision", "submitted"),
        ("slate", "Awaiting Confirmation", "submitted"),
        ("slate", "decided", "submitted"),
        ("slate", "Withdrawn", "Withdrawn"),
        ("slate_checklist", "Awaiting", "awaiting"),
        ("slate_checklist", "WAIVED", "waived"),
        ("slate_checklist", "not  required", "not_required"),
        ("slate_checklist", "submitted", "submitted"),  # of an application: none of an item
        ("webadmit", "In Progress", "started"),
        ("webadmit", "Received", "submitted"),
        ("webadmit", "Complete", "submitted"),
        ("webadmit", "Verified", "submitted"),
        ("webadmit", "Undelivered", "submitted"),
    ],
)
def test_statuses_mean_started_or_submitted(source: str, given: str, status: str) -> None:
    field_map = read_field_maps(CHECKOUT / "config/sources", countries={})[source]
    (raw_name,) = field_map.fields["status"].names
    assert translate({raw_name: given}, field_map)["status"] == status
    assert translate({raw_name: given}, field_map)["source_status"] == given


WEBHOOK = FAIR + "transport: webhook\n"


@pytest.mark.parametrize(
    ("lines", "variables"),
    [
        ("", ()),
        ("secrets: [{environment: FAIR_SECRET}]", ("FAIR_SECRET",)),
        ("secrets: [{environment: FAIR_SECRET}, {environment: FAIR_SECRET_2}]", ("FAIR_SECRET", "FAIR_SECRET_2")),
    ],
)
def test_a_source_that_posts_to_us_names_the_variables_of_its_secrets(
    tmp_path: Path, lines: str, variables: tuple[str, ...]
) -> None:
    (tmp_path / "fair.yml").write_text(WEBHOOK + lines)
    assert read_field_maps(tmp_path, countries={})["fair"].webhook_secrets == variables


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (WEBHOOK.replace("webhook", "pigeon"), "transport: .*webhook"),
        (WEBHOOK + "secrets: [{environment: whsec_abc}]", r"secrets\.0\.environment: String should match"),
        (WEBHOOK + "secrets: [{value: abc}]", r"secrets\.0\.environment: Field required"),
        (WEBHOOK + f"secrets: [{', '.join(f'{{environment: S{n}}}' for n in range(3))}]", "at most 2 items"),
        (FAIR + "secrets: [{environment: FAIR_SECRET}]", "secrets belong to transport: webhook"),
    ],
)
def test_secrets_that_cannot_be(tmp_path: Path, content: str, words: str) -> None:
    with pytest.raises(FieldMapError, match=words):
        read(tmp_path, content)
