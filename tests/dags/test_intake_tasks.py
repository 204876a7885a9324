"""What the tasks of the intake DAGs take in: applications and their checklists by one DAG."""

import os
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

NO_PARAMETERS = {"dry_run": False, "as_of": None}


def drop(directory: Path, source: str, content: str) -> None:
    """A file that another system dropped, and that is quiet by now."""
    folder = directory / source
    folder.mkdir()
    file = folder / "export.csv"
    file.write_text(content, "utf-8")
    os.utime(file, (0, 0))


@pytest.fixture
def dropped(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One WebAdMIT application, two items of a checklist of which one is damaged, and a signup."""
    monkeypatch.setenv("CRM_DATABASE_URL", engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("CRM_DROP_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("CRM_SLATE_QUERY_URL", "")
    drop(
        tmp_path,
        "webadmit",
        "CAS ID,E-mail Address,Program Identifier,Start Term,Start Year,Application Status\n"
        "1,ana@example.edu,AIM-MS,Fall,2027,Received\n",
    )
    drop(tmp_path, "slate_checklist", "AppID,Code,Status,Date\na-1,LOR,Awaiting,\n,LOR,Awaiting,\n")
    drop(tmp_path, "signups_csv", "Email,Email Consent\nben@example.edu,yes\n")


@pytest.mark.usefixtures("dropped")
def test_the_dag_of_applications_takes_in_their_checklists_too(engine: Engine) -> None:
    from enrollment_crm.orchestration import intake

    assert intake.collect("application", NO_PARAMETERS) == {"new": 3, "known": 0}
    judged = intake.validate("application", NO_PARAMETERS)
    assert judged == {"batches": 2, "rows_in": 3, "accepted": 2, "quarantined": 1, "stopped": 0, "erased": 0}
    assert intake.load("application", NO_PARAMETERS) == {"batches": 2, "loaded": 2, "quarantined": 0}
    with engine.connect() as connection:
        kinds = connection.execute(text("SELECT kind, count(*) FROM inbox GROUP BY kind ORDER BY kind")).all()
        assert [tuple(one) for one in kinds] == [("application", 1), ("checklist", 2)]
        assert connection.execute(text("SELECT count(*) FROM checklist_item")).scalar_one() == 1


@pytest.mark.usefixtures("dropped")
def test_the_dag_of_signups_takes_in_signups_alone() -> None:
    from enrollment_crm.orchestration import intake

    assert intake.collect("signup", NO_PARAMETERS) == {"new": 1, "known": 0}


def test_rows_that_nobody_was_told_of_are_drained_by_the_clock(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost event, a merged one, a paused DAG: the next run, whatever wakes it, takes in all that waits."""
    from enrollment_crm.orchestration import intake

    monkeypatch.setenv("CRM_DATABASE_URL", engine.url.render_as_string(hide_password=False))
    insert = "INSERT INTO inbox (source, kind, received_at, raw, digest) VALUES ('form', 'signup', now(), :raw, :name)"
    with engine.begin() as connection:
        for name in ("ana", "ben"):
            raw = f'{{"email": "{name}@example.edu", "consent": "yes"}}'
            connection.execute(text(insert), {"raw": raw, "name": name})
    assert intake.validate("signup", NO_PARAMETERS) == {
        "batches": 1,
        "rows_in": 2,
        "accepted": 2,
        "quarantined": 0,
        "erased": 0,
        "stopped": 0,
    }
    assert intake.load("signup", NO_PARAMETERS) == {"batches": 1, "loaded": 2, "quarantined": 0}
    assert intake.validate("signup", NO_PARAMETERS)["rows_in"] == 0
