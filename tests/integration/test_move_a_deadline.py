"""The recipe for moving a deadline, executed as it stands; and what its commands refuse."""

import json
import re
import shlex
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from tests.factories import PROGRAM
from typer.testing import CliRunner, Result

from enrollment_crm.bootstrap import programs_of
from enrollment_crm.cli import app
from enrollment_crm.cli.failures import explained
from enrollment_crm.domain.calendar_plans import PlanAlreadyAppliedError
from enrollment_crm.domain.programs import Cadences
from enrollment_crm.settings import CHECKOUT, Settings
from enrollment_crm.workflows.calendar_changes import apply_calendar
from enrollment_crm.workflows.calendar_plans import from_json
from enrollment_crm.workflows.deadlines import load_calendar

RECIPE = (CHECKOUT / "docs" / "how-to" / "move-a-deadline.md").read_text("utf-8")
EXCEPTION = RECIPE.partition("```yaml\n")[2].partition("```")[0]
NOW = "2026-11-24T16:00:00+00:00"


@pytest.fixture
def desk(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with the configuration, and a database in which its dates are in force."""
    monkeypatch.setenv("CRM_DATABASE_URL", engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("CRM_AS_OF", NOW)
    settings = Settings()
    load_calendar(engine, programs_of(settings), now=settings.as_of or pytest.fail("the clock stands"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "build").mkdir()
    changed = tmp_path / "build" / "changed-programs"
    changed.mkdir()
    for file in (CHECKOUT / "config" / "programs").glob("*.yml"):
        (changed / file.name).write_text(file.read_text("utf-8") + EXCEPTION, "utf-8")
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def failure(capfd: pytest.CaptureFixture[str], *words: str) -> str:
    """What a command that a person can mend says, as the program says it; it ends with 1."""
    with pytest.raises(SystemExit) as ended, explained():
        app(list(words), standalone_mode=False)
    assert ended.value.code == 1
    return " ".join(capfd.readouterr().err.split())


def commands() -> list[list[str]]:
    """Every command of the recipe, in its order."""
    blocks = re.findall(r"^```sh\n(.*?)^```", RECIPE, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("enrollment-crm ")]
    return [shlex.split(line)[1:] for line in lines]


def test_the_recipe_works_as_it_stands(desk: Path, engine: Engine) -> None:
    assert [words[1] for words in commands()] == ["show", "plan", "apply", "rollover", "confirm", "confirm"]
    for words in commands():
        result = run(*words)
        assert result.exit_code == 0, f"{' '.join(words)}: {result.output}"
    with engine.connect() as connection:
        dates = connection.execute(
            text(
                "SELECT residency, stated_date::text, version, approved_by, reason FROM deadline "
                "WHERE replaced_at IS NULL AND entry_term IN ('spring 2027', 'fall 2029') AND round = 'final' "
                "ORDER BY entry_term DESC, residency"
            )
        ).all()
        changes = connection.execute(text("SELECT applied_by, changes FROM calendar_change ORDER BY applied_at")).all()
    page = "the program page says 15 December"
    assert [tuple(one) for one in dates] == [
        ("domestic", "2026-12-15", 2, "Ana Silva", page),
        ("international_inside_us", "2026-12-15", 2, "Ana Silva", page),
        ("international_outside_us", "2026-11-01", 1, "configuration", ""),
        ("domestic", "2029-08-03", 2, "Ana Silva", "1 August is a holiday"),
        ("international_inside_us", "2029-07-01", 2, "Ana Silva", "as on the program page"),
        ("international_outside_us", "2029-06-01", 2, "Ana Silva", "as on the program page"),
    ]
    assert sorted(len(one.changes) for one in changes) == [1, 2, 5]


def planned(desk: Path, name: str = "plan.json") -> dict[str, object]:
    result = run("calendar", "plan", "--config", "build/changed-programs", "--out", name, "--json")
    assert result.exit_code == 0, result.output
    said: dict[str, object] = json.loads(result.stdout)
    return said


APPLY = ("calendar", "apply", "plan.json", "--by", "Ana", "--why", "so", "--yes")


def test_a_plan_changes_nothing_and_is_applied_once(desk: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = json.loads(run("calendar", "show", "--json").stdout)
    planned(desk)
    assert json.loads(run("calendar", "show", "--json").stdout) == before
    assert run(*APPLY).exit_code == 0
    assert "applied already, by Ana at 2026-11-24 16:00 UTC" in failure(capfd, *APPLY)


def test_a_stale_plan_is_refused(desk: Path, engine: Engine, capfd: pytest.CaptureFixture[str]) -> None:
    planned(desk)
    with engine.begin() as connection:
        connection.execute(text("UPDATE deadline SET stated_date = '2027-08-02' WHERE stated_date = '2027-08-01'"))
    assert "has changed since this plan was made" in failure(capfd, *APPLY)


@pytest.mark.parametrize(
    "edit", [("2026-12-15", "2026-12-16"), ('"notices": 0', '"notices": 1'), ('"plan"', '"plans"')]
)
def test_an_edited_plan_is_refused(desk: Path, capfd: pytest.CaptureFixture[str], edit: tuple[str, str]) -> None:
    planned(desk)
    file = desk / "plan.json"
    file.write_text(file.read_text().replace(*edit), "utf-8")
    assert "plan" in failure(capfd, *APPLY)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"[" * 100_000, b"[]", b""])
def test_any_other_file_is_no_plan(desk: Path, capfd: pytest.CaptureFixture[str], content: bytes) -> None:
    (desk / "plan.json").write_bytes(content)
    assert "This is no plan" in failure(capfd, *APPLY)


def test_of_two_that_apply_a_plan_side_by_side_one_does(desk: Path, engine: Engine) -> None:
    planned(desk)
    plan, cadences = from_json((desk / "plan.json").read_text("utf-8")), Cadences(programs_of(Settings()), PROGRAM)

    def attempt(number: int) -> str:
        try:
            apply_calendar(engine, cadences, plan, by=f"Ana {number}", why="so", now=plan.made_at)
        except PlanAlreadyAppliedError:
            return "refused"
        return "applied"

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(attempt, range(4)))
    assert outcomes == ["applied", "refused", "refused", "refused"]
    with engine.connect() as connection:
        versions = connection.execute(text("SELECT max(version) FROM deadline")).scalar_one()
    assert versions == 2


def test_it_asks_first_and_takes_no_for_an_answer(desk: Path) -> None:
    planned(desk)
    asked = CliRunner().invoke(app, list(APPLY[:-1]), input="n\n")
    assert asked.exit_code == 1
    assert "domestic: Tue 2026-12-01 moves to Tue 2026-12-15, 14 days later" in asked.stdout
    assert "2026-12-15" not in run("calendar", "show", "--json").stdout


def test_nothing_to_change_is_said(desk: Path) -> None:
    result = run("calendar", "plan")
    assert result.exit_code == 0
    assert "Nothing would change" in result.stdout


def test_a_plan_of_nothing_is_written_to_a_new_folder_and_applied_as_json(desk: Path) -> None:
    file = "a new/folder/plan.json"
    assert run("calendar", "plan", "--out", file).exit_code == 0
    applied = run("calendar", "apply", file, "--by", "Ana", "--why", "so", "--json")
    said = json.loads(applied.stdout)
    assert (said["applied_at"], said["changes"]) == (None, [])


def test_a_misspelt_program_is_no_program_without_dates(desk: Path) -> None:
    assert run("calendar", "show", "--program", "msaim").exit_code == 2
    assert run("calendar", "show", "--program", PROGRAM, "--term", "fall 2060").exit_code == 0


def test_a_date_that_a_file_lists_no_longer_is_cancelled(desk: Path) -> None:
    for file in (desk / "build" / "changed-programs").glob("*.yml"):
        content = file.read_text("utf-8").replace(EXCEPTION, "").replace(", fall 2028]", "]")
        file.write_text(content, "utf-8")
    changes = planned(desk)["plan"]
    assert isinstance(changes, dict)
    assert {str(one["old"]["group"]["entry_term"]["year"]) for one in changes["deadlines"]} == {"2028"}
    assert all(one["new"] is None for one in changes["deadlines"])
    assert len(changes["deadlines"]) == 6
    assert run(*APPLY).exit_code == 0
    assert "fall 2028" not in run("calendar", "show", "--json").stdout
    assert "Nothing would change" in run("calendar", "plan", "--config", "build/changed-programs").stdout
    rolled = json.loads(run("calendar", "rollover", "--term", "fall 2028", "--json").stdout)
    assert (rolled["added"], len(rolled["to_be_confirmed"])) == (6, 6)
    assert json.loads(run("calendar", "rollover", "--term", "fall 2028", "--json").stdout)["added"] == 0
    assert run("calendar", "confirm", "fall 2028", "--all", "--by", "Ana", "--why", "so", "--yes").exit_code == 0
    shown = json.loads(run("calendar", "show", "--term", "fall 2028", "--json").stdout)
    assert {one["version"] for one in shown["in_force"]} == {3}


def test_a_rollover_adds_once_and_sends_nobody_anything(desk: Path) -> None:
    first, second = (json.loads(run("calendar", "rollover", "--json").stdout) for _ in range(2))
    assert (first["entry_terms"], first["added"], second["added"]) == (["spring 2029", "fall 2029"], 9, 0)
    assert first["to_be_confirmed"] == second["to_be_confirmed"]
    warned = {(one["entry_term"], one["round"], one["residency"]): one["warnings"] for one in first["to_be_confirmed"]}
    assert warned["fall 2029", "final", "international_inside_us"] == ["a Sunday"]
    assert warned["fall 2029", "final", "domestic"] == []
    shown = json.loads(run("calendar", "show", "--term", "fall 2029", "--json").stdout)
    assert (shown["in_force"], len(shown["to_be_confirmed"])) == ([], 6)


def test_a_date_that_is_past_already_is_said_so(desk: Path) -> None:
    run("calendar", "rollover")
    who = ("--date", "2019-08-01", "--by", "Ana", "--why", "so")
    asked = CliRunner().invoke(app, ["calendar", "confirm", "fall 2029", "--round", "final", *who], input="n\n")
    assert asked.exit_code == 1
    assert asked.stdout.count("Thu 2019-08-01 is added") == asked.stdout.count("it is past") == 3
    assert "is past" not in run("calendar", "plan", "--config", "build/changed-programs").stdout


def test_what_cannot_be_confirmed(desk: Path, capfd: pytest.CaptureFixture[str]) -> None:
    who = ("--by", "Ana", "--why", "so", "--yes")
    assert "No such date waits" in failure(capfd, "calendar", "confirm", "fall 2029", "--all", *who)
    for wrong in (("fall 2029",), ("fall 2029", "--all", "--round", "final"), ("autumn 29", "--all")):
        assert run("calendar", "confirm", *wrong, *who).exit_code == 2


def test_a_rollover_to_29_february_says_so(
    desk: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = desk / "home"
    (home / "config" / "programs").mkdir(parents=True)
    name = Settings().default_program
    content = (CHECKOUT / "config" / "programs" / f"{name}.yml").read_text("utf-8")
    leap = content.replace("month: 8, day: 1, year: same", "month: 2, day: 29, year: same")
    leap = re.sub(r"entry_terms: \[.*\]", "entry_terms: [fall 2028]", leap)
    (home / "config" / "programs" / f"{name}.yml").write_text(leap, "utf-8")
    monkeypatch.setenv("CRM_HOME_DIRECTORY", str(home))
    said = failure(capfd, "calendar", "rollover", "--term", "fall 2029")
    assert "2-29 does not exist in 2029: choose another day for fall 2029." in said


@pytest.mark.parametrize("term", ["fall 2019", "spring 2025"])
def test_a_rollover_of_a_term_that_is_past_is_refused(desk: Path, capfd: pytest.CaptureFixture[str], term: str) -> None:
    said = failure(capfd, "calendar", "rollover", "--term", term)
    assert f"{term} is past, its last date would be" in said
    assert "name a term that is ahead with --term" in said
    assert json.loads(run("calendar", "show", "--term", term, "--json").stdout)["to_be_confirmed"] == []


def test_a_rollover_of_a_term_that_has_its_dates_says_so(desk: Path) -> None:
    said = run("calendar", "rollover", "--term", "fall 2027").stdout
    assert "fall 2027 has all its dates in force already" in said
    assert "to move one: enrollment-crm calendar plan" in said
    (remark,) = json.loads(run("calendar", "rollover", "--term", "fall 2027", "--json").stdout)["remarks"]
    assert "fall 2027 has all its dates in force already" in remark
    assert json.loads(run("calendar", "rollover", "--json").stdout)["remarks"] == []


def test_a_session_that_was_cancelled_and_is_listed_again_stays_cancelled_and_is_said_so(desk: Path) -> None:
    file = desk / "build" / "changed-programs" / f"{Settings().default_program}.yml"
    listed = file.read_text("utf-8")
    ahead = re.sub(r"date: 2025-(\d\d)-", r"date: 2027-\1-", listed)
    with_sessions = ahead.replace("id: graduate-application-prep-sessions-", "id: prep-")
    file.write_text(with_sessions, "utf-8")
    plan = ("calendar", "plan", "--config", "build/changed-programs", "--out", "plan.json")
    assert "it is listed" not in run(*plan).stdout
    assert run(*APPLY).exit_code == 0
    file.write_text(re.sub(r"  - \{id: prep-9.*\n", "", with_sessions), "utf-8")
    assert "prep-9, Sun 2027-12-05 10:00 (America/New_York): cancelled" in run(*plan).stdout
    assert run(*APPLY).exit_code == 0
    file.write_text(with_sessions, "utf-8")
    said = run(*plan).stdout
    assert "session prep-9, Sun 2027-12-05 10:00 (America/New_York): it is listed" in said
    assert "it stays cancelled" in said
    assert "list it under another id" in said
    (remark,) = json.loads(run(*plan, "--json").stdout)["plan"]["remarks"]
    assert "prep-9" in remark
