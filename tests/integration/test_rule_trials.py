"""``rules check``: what edited rules would do is seen before they judge a batch, and every mistake is told at once."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.factories import SEPTEMBER, SIGNUP, Office
from typer.testing import CliRunner, Result

from enrollment_crm.bootstrap import field_maps_of
from enrollment_crm.cli import app
from enrollment_crm.cli.failures import explained
from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.settings import CHECKOUT, Settings
from enrollment_crm.validation.batches import Validator
from enrollment_crm.workflows.batches import validate_pending
from enrollment_crm.workflows.inbox import receive_form

CANARY = "Xerxes"
META = {"reason": "it is wrong", "remedy": "mend it"}


@pytest.fixture
def home(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what operations edit."""
    monkeypatch.setenv("CRM_DATABASE_URL", office.engine.url.render_as_string(hide_password=False))
    for folder in ("config", "expectations"):
        shutil.copytree(CHECKOUT / folder, tmp_path / folder)
    monkeypatch.setenv("CRM_HOME_DIRECTORY", str(tmp_path))
    return tmp_path


@pytest.fixture
def run(home: Path) -> Callable[..., Result]:
    assert home == Settings().home_directory
    return lambda *words: CliRunner().invoke(app, ["rules", "check", *words])


@pytest.fixture
def ten_signups(office: Office, validator: Validator) -> None:
    """Ten people by the form, who were accepted; three of them said no last name."""
    for number in range(10):
        said = SIGNUP | {"email": f"{CANARY}{number}@example.edu", "last_name": CANARY if number < 7 else ""}
        receive_form(office.engine, said, now=SEPTEMBER)
    validate_pending(
        office.engine,
        validator,
        field_maps_of(Settings()),
        kind=RecordKind.SIGNUP,
        secret=office.outbox.secret,
        now=SEPTEMBER,
    )


def add(home: Path, rules: str, *new: tuple[str, dict[str, Any]]) -> None:
    file = home / "expectations" / "signups.json"
    suite = json.loads(file.read_text("utf-8"))
    suite[rules] += [
        {"type": kind, "kwargs": kwargs, "meta": {"rule": f"mine_{number}", **META}}
        for number, (kind, kwargs) in enumerate(new)
    ]
    file.write_text(json.dumps(suite), "utf-8")


@pytest.mark.usefixtures("ten_signups")
def test_the_rules_of_the_checkout_reject_nothing_that_was_accepted(run: Callable[..., Result]) -> None:
    found = run()
    assert found.exit_code == 0
    assert "All pass the newest accepted rows: 10 signups, 0 applications, 0 checklists." in found.stderr


@pytest.mark.usefixtures("ten_signups")
def test_what_a_new_rule_would_reject_is_counted_and_nothing_is_kept(
    office: Office, home: Path, run: Callable[..., Result]
) -> None:
    add(home, "expectations", ("expect_column_values_to_not_be_null", {"column": "last_name"}))
    before = office.query("SELECT count(*) FROM batch UNION ALL SELECT count(*) FROM quarantine")
    (rule,) = [one for one in json.loads(run("--json").stdout) if one["failed"]]
    assert (rule["rule"], rule["rows"], rule["evaluated"], rule["failed"]) == ("mine_0", 10, 10, 3)
    (rule,) = [one for one in json.loads(run("--json", "--rows", "2").stdout) if one["failed"]]
    assert (rule["rows"], rule["failed"]) == (2, 2)  # the newest
    shown = run()
    assert shown.exit_code == 0
    assert "mine_0" in shown.stdout
    assert CANARY.lower() not in shown.output.lower()
    assert office.query("SELECT count(*) FROM batch UNION ALL SELECT count(*) FROM quarantine") == before


def test_every_rule_that_cannot_be_evaluated_is_told_with_the_reason(
    home: Path, run: Callable[..., Result], capsys: pytest.CaptureFixture[str]
) -> None:
    """No row has to say anything in their fields: otherwise the first one that does would stop intake."""
    unknown = {"type": "nullity", "column": {"name": "shoe_size"}, "is_null": True}
    add(
        home,
        "expectations",
        ("expect_column_values_to_be_between", {"column": "campaign", "min_value": 3}),
        ("expect_column_values_to_not_be_null", {"column": "phone", "row_condition": unknown}),
    )
    with pytest.raises(SystemExit), explained():
        raise run().exception or AssertionError("nothing was found")
    told = " ".join(capsys.readouterr().err.split())
    assert "signups.json: rule mine_0 cannot be evaluated, check its kwargs: " in told
    assert "signups.json: rule mine_1 cannot be evaluated, check its kwargs: " in told
    assert "shoe_size" in told


def test_over_time_they_are_shown_as_before(run: Callable[..., Result]) -> None:
    assert CliRunner().invoke(app, ["rules", "--days", "3"]).exit_code == 0
