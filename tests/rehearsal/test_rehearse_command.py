"""`enrollment-crm rehearse`: what it prints, what it writes, and what it says of scenarios that cannot be."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text
from tests.factories import ANA
from typer.testing import CliRunner, Result

from enrollment_crm.cli import app
from enrollment_crm.stack.postgres import Cluster

CASES = Path(__file__).parent / "cases"
SOUND = json.loads((CASES / "R30.json").read_text("utf-8"))


@pytest.fixture
def command(cluster: Cluster, migrated_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run the command on the database of the test run."""
    monkeypatch.setenv("CRM_DATABASE_URL", cluster.url("crm"))

    def run(*arguments: object) -> Result:
        return CliRunner().invoke(app, ["rehearse", *(str(one) for one in arguments)])

    return run


def written(folder: Path, name: str, content: Any) -> Path:
    """A file with this scenario, or with this text."""
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return file


def test_one_scenario_is_one_object(command: Any) -> None:
    result = command(CASES / "R30.json")
    assert result.exit_code == 0
    printed = json.loads(result.stdout)
    assert list(printed) == ["id", "sends", "withheld", "reviews", "warnings"]
    assert printed["id"] == "R30"


def test_a_folder_is_a_list_or_a_folder_of_results(command: Any, tmp_path: Path) -> None:
    folder, out = tmp_path / "scenarios", tmp_path / "results" / "of today"
    for name in ("a", "b"):
        written(folder, f"{name}.json", SOUND | {"id": name})
    printed = command(folder)
    assert [one["id"] for one in json.loads(printed.stdout)] == ["a", "b"]
    assert command(folder, "--out", out).exit_code == 0
    assert [json.loads(file.read_text("utf-8"))["id"] for file in sorted(out.iterdir())] == ["a", "b"]
    assert json.loads((out / "a.json").read_text("utf-8")) == json.loads(printed.stdout)[0]


@pytest.mark.slow
def test_side_by_side_gives_what_one_by_one_gives(command: Any, tmp_path: Path) -> None:
    """More files than are worth a process of their own."""
    folder = tmp_path / "scenarios"
    for number in range(8):
        written(folder, f"{number}.json", SOUND | {"id": str(number)})
    found = json.loads(command(folder).stdout)
    assert [one["id"] for one in found] == [str(number) for number in range(8)]
    assert len({json.dumps(one | {"id": ""}) for one in found}) == 1
    assert found[0]["sends"]


def test_a_table_is_read_from_top_to_bottom(command: Any) -> None:
    result = command(CASES / "R29.json", "--table")
    assert result.exit_code == 0
    for word in ("R29", "ana@example.edu", "deadline reminder", "withheld, too close to next"):
        assert word in result.stdout


#: What cannot be rehearsed, and of what the sentence about it speaks.
BROKEN = [
    ("{not json", "broken.json cannot be read as JSON"),
    (SOUND | {"end": "2020-01-01T00:00:00Z"}, "it ends before it starts"),
    (SOUND | {"start": "2025-08-31T00:00:00"}, "write an instant with its offset"),
    (SOUND | {"facts": [SOUND["facts"][0] | {"kind": "greeting"}]}, "there is no kind 'greeting'"),
    (SOUND | {"facts": [{"at": SOUND["start"], "kind": "bounce"}]}, "a bounce needs email, status"),
    (SOUND | {"facts": [SOUND["facts"][0] | {"entry_term": "winter 2026"}]}, "winter 2026"),
    (SOUND | {"config": {"anchor": "moon"}}, "anchor"),
    (SOUND | {"config": {"no_such_entry": 1}}, "no_such_entry"),
    (
        SOUND | {"facts": [{"at": SOUND["start"], "kind": "outage", "until": "tomorrow"}]},
        "tomorrow",
    ),
    (
        SOUND
        | {"facts": [SOUND["facts"][0], {"at": SOUND["end"], "kind": "residency", "email": ANA, "residency": "x"}]},
        "fact 1, residency",
    ),
]


@pytest.mark.parametrize(("content", "sentence"), BROKEN)
def test_what_cannot_be_rehearsed_is_said_in_a_sentence(
    command: Any, tmp_path: Path, content: Any, sentence: str
) -> None:
    result = command(written(tmp_path, "broken.json", content))
    assert result.exit_code == 1
    assert sentence in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr
    assert "broken.json" in result.stderr


def test_in_a_folder_the_others_are_rehearsed_all_the_same(command: Any, tmp_path: Path) -> None:
    for number, (content, _) in enumerate(BROKEN[-3:]):
        written(tmp_path, f"broken-{number}.json", content)
    written(tmp_path, "sound.json", SOUND)
    result = command(tmp_path)
    assert result.exit_code == 1
    assert [one["id"] for one in json.loads(result.stdout)] == ["R30"]
    said = " ".join(result.stderr.split())
    assert all(f"broken-{number}.json" in said and BROKEN[-3:][number][1] in said for number in range(3))


def test_a_folder_without_scenarios_and_a_file_that_is_none_are_misuse(command: Any, tmp_path: Path) -> None:
    assert command(tmp_path).exit_code == 2
    assert command(tmp_path / "missing.json").exit_code == 2


def test_what_is_really_there_is_neither_read_nor_changed(command: Any, engine: Engine, tmp_path: Path) -> None:
    """Ana is known, has complained and has an open review; in the rehearsal she is new and gets her reminder."""
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO person (email, email_key, zone, arrived_at, complained_at) "
                "VALUES (:email, :email, 'America/New_York', now(), now())"
            ),
            {"email": ANA},
        )
    schemas = text("SELECT array_agg(nspname ORDER BY nspname) FROM pg_namespace WHERE nspname LIKE 'rehearsal%'")
    with engine.connect() as connection:
        before = connection.execute(schemas).scalar_one()
    result = json.loads(command(CASES / "R30.json").stdout)
    assert [one["kind"] for one in result["sends"]] == ["deadline_reminder", "welcome"]
    with engine.connect() as connection:
        for table, rows in (("person", 1), ("inbox", 0), ("cover", 0), ("message", 0), ("deadline", 0), ("sweep", 0)):
            assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == rows
        assert connection.execute(schemas).scalar_one() == before
