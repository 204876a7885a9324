"""A dropped file wakes the intake of its kind within seconds, once, and only when it is whole."""

import os
import shutil
import time
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from tests.dags.watched_triggers import Watched, watched

from enrollment_crm.settings import CHECKOUT

WITHIN_IN_SECONDS = 20


@pytest.fixture
def drop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A drop folder with the folders of two sources, and a configuration that a test may spoil."""
    from enrollment_crm.orchestration import drop_trigger

    monkeypatch.setattr(drop_trigger, "_LOOK_EVERY_IN_SECONDS", 0.2)
    shutil.copytree(CHECKOUT / "config", tmp_path / "config")
    monkeypatch.setenv("CRM_HOME_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("CRM_DROP_DIRECTORY", str(tmp_path / "drop"))
    for source in ("signups_csv", "webadmit"):
        (tmp_path / "drop" / source).mkdir(parents=True)
    return tmp_path / "drop"


def drop_trigger(kind: str = "signup") -> AbstractContextManager[Watched]:
    from enrollment_crm.orchestration.drop_trigger import DropTrigger

    return watched(DropTrigger(kind))


def put(folder: Path, name: str, *, content: str = "Email\n", age_in_seconds: float = 60) -> None:
    file = folder / name
    file.write_text(content)
    changed = time.time() - age_in_seconds
    os.utime(file, (changed, changed))


def test_a_file_wakes_once_and_another_wakes_again(drop: Path) -> None:
    with drop_trigger() as seen:
        assert seen.is_silent(for_seconds=0.5)
        put(drop / "signups_csv", "a.csv")
        assert seen.next_event(within_in_seconds=WITHIN_IN_SECONDS)[0] == {"kind": "signup", "files": 1}
        assert seen.is_silent(for_seconds=1)
        put(drop / "signups_csv", "b.csv")
        assert seen.next_event(within_in_seconds=WITHIN_IN_SECONDS)[0]["files"] == 2


def test_files_that_wait_already_are_told(drop: Path) -> None:
    put(drop / "signups_csv", "a.csv")
    with drop_trigger() as seen:
        assert seen.next_event(within_in_seconds=WITHIN_IN_SECONDS)[0]["files"] == 1


def test_a_file_that_is_replaced_wakes_again(drop: Path) -> None:
    put(drop / "signups_csv", "a.csv")
    with drop_trigger() as seen:
        seen.next_event(within_in_seconds=WITHIN_IN_SECONDS)
        put(drop / "signups_csv", "a.csv", content="Email\nana@example.edu\n")
        assert seen.next_event(within_in_seconds=WITHIN_IN_SECONDS)[0]["files"] == 1


def test_a_file_that_is_still_written_waits_until_it_is_quiet(drop: Path) -> None:
    with drop_trigger() as seen:
        put(drop / "signups_csv", "a.csv", age_in_seconds=0)
        put(drop / "signups_csv", "b.csv.part")
        assert seen.is_silent(for_seconds=3)
        assert seen.next_event(within_in_seconds=WITHIN_IN_SECONDS)[0]["files"] == 1


def test_a_file_of_another_kind_wakes_another_dag(drop: Path) -> None:
    with drop_trigger() as signups, drop_trigger("application") as applications:
        put(drop / "webadmit", "export.csv")
        assert applications.next_event(within_in_seconds=WITHIN_IN_SECONDS)[0]["kind"] == "application"
        assert signups.is_silent(for_seconds=1)


def test_a_mistake_in_the_configuration_is_survived(drop: Path) -> None:
    spoilt = drop.parent / "config" / "sources" / "form.yml"
    good = spoilt.read_text()
    with drop_trigger() as seen:
        spoilt.write_text("kind: [")
        put(drop / "signups_csv", "a.csv")
        assert seen.is_silent(for_seconds=1)
        spoilt.write_text(good)
        assert seen.next_event(within_in_seconds=WITHIN_IN_SECONDS)[0]["files"] == 1


def test_without_a_drop_folder_nothing_happens(drop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(drop / "signups_csv", "a.csv")
    monkeypatch.setenv("CRM_DROP_DIRECTORY", str(drop / "nowhere"))
    with drop_trigger() as seen:
        assert seen.is_silent(for_seconds=1)
