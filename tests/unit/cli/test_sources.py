"""`enrollment-crm sources`: each source is tried, and an unknown file gets a proposal."""

import json
import os
import shutil
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from enrollment_crm.bootstrap import field_maps_of
from enrollment_crm.cli import app
from enrollment_crm.settings import CHECKOUT, Settings
from enrollment_crm.sources.field_maps import FieldMapError, read_sources

#: Long enough ago not to be taken for a file that is still written.
LONG_AGO = 1_700_000_000
WEBADMIT = "CAS ID,Program Identifier,E-mail Address,Application Status\n1,AIM-MS,canary@example.edu,Complete\n"


@pytest.fixture
def drop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation with a drop folder, and nothing that is pulled."""
    for name in ("CRM_SLATE_QUERY_URL", "CRM_SLATE_QUERY_KEY", "EVENTS_WEBHOOK_SECRET", "EVENTS_WEBHOOK_SECRET_BEFORE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CRM_DROP_DIRECTORY", str(tmp_path / "drop"))
    monkeypatch.setenv("CRM_STATE_DIRECTORY", str(tmp_path / "state"))
    return tmp_path / "drop"


def put(drop: Path, source: str, name: str, content: str, *, encoding: str = "utf-8") -> Path:
    file = drop / source / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content, encoding)
    os.utime(file, (LONG_AGO, LONG_AGO))
    return file


def sources(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["sources", *arguments])


def verdicts(result: Result) -> dict[str, str]:
    return {one["matter"]: one["verdict"] for one in json.loads(result.stdout)["checks"]}


def test_what_is_not_set_up_is_no_problem_and_says_what_to_set(drop: Path) -> None:
    result = sources("check")
    assert result.exit_code == 0
    said = " ".join(result.stdout.split())
    assert "not asked slate: Not set up" in said
    assert "Set the variable CRM_SLATE_QUERY_URL" in said
    assert "Set EVENTS_WEBHOOK_SECRET or EVENTS_WEBHOOK_SECRET_BEFORE" in said
    assert f"Make the folder {drop}/webadmit" in said
    assert "ok form:" in said


def test_a_file_that_waits_is_read_and_stays(drop: Path) -> None:
    file = put(drop, "webadmit", "export.csv", WEBADMIT)
    result = sources("check", "--source", "webadmit", "--json")
    (check,) = json.loads(result.stdout)["checks"]
    assert result.exit_code == 0
    assert check["verdict"] == "warning"
    assert check["finding"].startswith("export.csv is read: 1 rows looked at. no column 'First Name' for first_name")
    assert "canary" not in result.output
    assert file.is_file()


def test_values_without_a_meaning_are_named(drop: Path) -> None:
    put(drop, "webadmit", "export.csv", WEBADMIT.replace("Complete", "On Mars"))
    assert "1 values of status without a meaning: 'On Mars' (1)" in sources("check", "--json").stdout


def test_a_file_that_is_none_is_a_problem(drop: Path) -> None:
    put(drop, "webadmit", "export.xlsx", "no workbook")
    result = sources("check", "--json")
    assert result.exit_code == 1
    assert verdicts(result)["webadmit"] == "problem"


def test_a_pull_that_fails_is_told_without_its_key(drop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_SLATE_QUERY_URL", "ftp://slate.example/query?id=1")
    monkeypatch.setenv("CRM_SLATE_QUERY_KEY", "canary-key")
    result = sources("check", "--source", "slate")
    assert result.exit_code == 1
    assert "problem slate: The Slate feed has no web address" in " ".join(result.stdout.split())
    assert "canary-key" not in result.output


def test_a_key_that_is_not_set_is_named(drop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_SLATE_QUERY_URL", "https://slate.example/query?id=1")
    result = sources("check", "--source", "slate")
    assert result.exit_code == 1
    assert "CRM_SLATE_QUERY_KEY is not set: config/sources/slate.yml names it" in " ".join(result.stdout.split())


def test_a_source_that_is_none_is_misuse(drop: Path) -> None:
    result = sources("check", "--source", "mars")
    assert result.exit_code == 2
    assert "*.yml" in result.output  # one that ends in .yaml is none


def test_the_proposal_is_a_file_that_can_be_read(tmp_path: Path, drop: Path) -> None:
    export = tmp_path / "new.csv"
    export.write_text(
        "E-mail;First;Surname;Term;Citizenship Status;Opt-In;Shoe\n"
        "canary@example.edu;Canary;B;202710;U.S. Citizen;y;44\n"
        "b@example.edu;C;D;Fall 2027;Martian;y;44\n",
        "utf-8",
    )
    result = sources("map", str(export))
    assert result.exit_code == 0
    (tmp_path / "proposed.yml").write_text(result.stdout, "utf-8")
    field_map = read_sources(tmp_path, countries={})["proposed"].field_map
    assert field_map.read("citizenship", "u.s. citizen") == "citizen"
    assert field_map.read("entry_term", "202710") == "fall 2026"
    assert yaml.safe_load(result.stdout)["fields"]["last_name"] == "Surname"
    assert "Nothing reads: Shoe" in result.stderr
    assert "Martian" in result.stderr
    assert "canary" not in result.output.lower()


def test_the_file_that_the_shell_made_for_the_proposal_is_no_harm(
    tmp_path: Path, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``> config/sources/fair.yml`` makes it before the program looks at what is configured."""
    shutil.copytree(CHECKOUT / "config", tmp_path / "home" / "config")
    monkeypatch.setenv("CRM_HOME_DIRECTORY", str(tmp_path / "home"))
    made = tmp_path / "home" / "config" / "sources" / "fair.yml"
    made.touch()
    export = tmp_path / "new.csv"
    export.write_text("E-mail,First,Term,Opt-In\na@example.edu,Ana,202710,y\n", "utf-8")
    result = sources("map", str(export))
    assert result.exit_code == 0
    assert yaml.safe_load(result.stdout)["fields"]["email"] == "E-mail"
    # Everywhere else it stays an error: rows of a source whose file is being written must not count as nobody's.
    with pytest.raises(FieldMapError, match=r"fair\.yml holds no keys"):
        field_maps_of(Settings())


@pytest.mark.parametrize("content", ["", "Email,Name\n"])
def test_a_file_without_rows_is_told(tmp_path: Path, drop: Path, content: str) -> None:
    export = tmp_path / "empty.csv"
    export.write_text(content, "utf-8")
    result = sources("map", str(export))
    assert result.exit_code == 1
    assert "Error: empty.csv" in " ".join(result.stderr.split())


def test_a_mapping_for_programs(tmp_path: Path, drop: Path) -> None:
    export = tmp_path / "new.csv"
    export.write_text("AppID,Code,Status\n1,LOR,Received\n1,XYZ,Received\n", "utf-8")
    proposal = json.loads(sources("map", str(export), "--json").stdout)
    assert proposal["kind"] == "checklist"
    assert proposal["unmapped"] == {"item": {"XYZ": 1}}


def test_what_a_text_was_taken_for_stands_in_the_proposal_and_is_told(drop: Path) -> None:
    names = "Email,First Name,Consent\na@example.edu,陽子,yes\nb@example.edu,健一,yes\n"
    file = put(drop, "signups_csv", "fair.csv", names, encoding="cp932")
    result = sources("map", str(file))
    assert yaml.safe_load(result.stdout)["encoding"] == "Shift_JIS"
    assert "Read as Shift_JIS, which is a guess" in " ".join(result.stderr.split())
    stated = sources("map", str(file), "--encoding", "cp932", "--json")
    assert (json.loads(stated.stdout)["encoding"], json.loads(stated.stdout)["assumed"]) == ("cp932", False)
    assert sources("map", str(file), "--encoding", "gibberish").exit_code == 2
    (check,) = json.loads(sources("check", "--source", "signups_csv", "--json").stdout)["checks"]
    assert check["verdict"] == "warning"
    assert "Read as Shift_JIS, which is a guess" in check["finding"]


def test_lines_above_a_header_are_passed_over_where_its_columns_are_known(drop: Path) -> None:
    above = "Report: all leads, of November\nRun by: Joe\nFilter: active, no test rows\n\n"
    put(drop, "webadmit", "export.csv", above + WEBADMIT)
    (check,) = json.loads(sources("check", "--source", "webadmit", "--json").stdout)["checks"]
    assert check["finding"].startswith("export.csv is read: 1 rows looked at. no column 'First Name' for first_name")
    assert yaml.safe_load(sources("map", str(drop / "webadmit" / "export.csv")).stdout)["kind"] == "application"
