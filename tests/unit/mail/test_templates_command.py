import json
from pathlib import Path

import pytest
from tests.unit.mail.template_folders import ANA_YML, BODY_TXT, write_folder
from typer.testing import CliRunner

from enrollment_crm.cli.templates import app

RUNNER = CliRunner()


def test_lint_says_when_all_is_in_order(tmp_path: Path) -> None:
    result = RUNNER.invoke(app, ["lint", "--folder", str(write_folder(tmp_path))])
    assert result.exit_code == 0
    assert "The emails are in order." in result.output


def test_lint_ends_with_1_and_tells_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_folder(tmp_path, {"note/subject.txt": "[red]{{ nobody }}"})
    monkeypatch.chdir(tmp_path)
    result = RUNNER.invoke(app, ["lint", "--folder", str(tmp_path)])
    assert result.exit_code == 1
    assert "note/subject.txt:1:9\n  The variable “nobody” is not declared. Check the spelling" in result.output
    assert "1 problem(s) to mend." in result.output


def test_lint_as_json_and_as_of(tmp_path: Path) -> None:
    write_folder(tmp_path, {"note/body.txt": BODY_TXT + "The fee is waived.\n"})
    before = RUNNER.invoke(app, ["lint", "--folder", str(tmp_path), "--json", "--as-of", "2026-01-31"])
    after = RUNNER.invoke(app, ["lint", "--folder", str(tmp_path), "--json", "--as-of", "2026-02-01"])
    assert (before.exit_code, json.loads(before.output)) == (0, {"as_of": "2026-01-31", "problems": []})
    (problem,) = json.loads(after.output)["problems"]
    assert after.exit_code == 1
    assert (Path(problem["file"]).name, problem["line"], problem["column"]) == ("body.txt", 6, 5)


def test_lint_takes_its_day_from_the_stopped_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Already 1 February in UTC, still the last day of January at the school.
    monkeypatch.setenv("CRM_AS_OF", "2026-02-01T03:00:00+00:00")
    write_folder(tmp_path)
    result = RUNNER.invoke(app, ["lint", "--folder", str(tmp_path), "--json"])
    assert json.loads(result.output)["as_of"] == "2026-01-31"


def test_preview_writes_every_email_for_everyone(tmp_path: Path) -> None:
    folder, out = write_folder(tmp_path / "emails"), tmp_path / "out"
    result = RUNNER.invoke(app, ["preview", "--folder", str(folder), "--out", str(out)])
    assert result.exit_code == 0
    assert f"2 emails written. Look at them: {(out / 'index.html').as_uri()}" in result.output
    assert "Hello Bo," in (out / "note" / "bo.html").read_text()
    assert (out / "note" / "ana.txt").read_text().startswith("Subject: A note for Hello Ana,\n\nHello Ana,\n")
    index = (out / "index.html").read_text()
    assert index.count("<iframe") == 6
    assert 'src="note/ana.html"' in index


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("note/subject.txt", "{{ nobody }}", "The variable “nobody” is not declared."),
        ("_people/ana.yml", ANA_YML.replace("greeting", "greting"), "greeting is missing"),
    ],
)
def test_preview_ends_with_1_and_tells_why(tmp_path: Path, file: str, text: str, told: str) -> None:
    folder = write_folder(tmp_path / "emails", {file: text})
    result = RUNNER.invoke(app, ["preview", "--folder", str(folder), "--out", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert told in result.output
    assert not (tmp_path / "out" / "index.html").exists()
