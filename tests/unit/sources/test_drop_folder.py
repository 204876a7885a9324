import os
import time
from pathlib import Path

from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.sources.drop_folder import pending_files, set_aside, version_of
from enrollment_crm.sources.feeds import drop_feed


def dropped(directory: Path, name: str, *, age_in_seconds: int = 0, content: str = "x") -> Path:
    file = directory / "fair" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(content)
    os.utime(file, (1_000_000 - age_in_seconds,) * 2)
    return file


def put_away(file: Path) -> Path:
    return set_aside(file, as_read=version_of(file))


def test_a_file_that_is_being_written_waits_until_it_is_quiet(tmp_path: Path) -> None:
    file = dropped(tmp_path, "a.csv")
    for seconds, ready in ((0, False), (3, False), (6, True), (-3600, True)):
        os.utime(file, (time.time() - seconds,) * 2)
        assert (pending_files(tmp_path, "fair") == [file]) is ready, seconds


def test_a_file_that_grew_since_it_was_read_is_read_again(tmp_path: Path) -> None:
    file = dropped(tmp_path, "a.csv", content="Email\na@example.edu\n")
    (delivery,) = drop_feed("fair", RecordKind.SIGNUP, drop_directory=tmp_path).deliveries()
    assert len(list(delivery.read())) == 1
    dropped(tmp_path, "a.csv", content="Email\na@example.edu\nb@example.edu\n")
    delivery.keep()
    assert pending_files(tmp_path, "fair") == [file]
    (delivery,) = drop_feed("fair", RecordKind.SIGNUP, drop_directory=tmp_path).deliveries()
    assert len(list(delivery.read())) == 2
    delivery.keep()
    assert pending_files(tmp_path, "fair") == []


def test_the_oldest_file_comes_first(tmp_path: Path) -> None:
    young = dropped(tmp_path, "a.csv")
    old = dropped(tmp_path, "b.csv", age_in_seconds=60)
    assert pending_files(tmp_path, "fair") == [old, young]


def test_unfinished_and_hidden_files_and_folders_wait(tmp_path: Path) -> None:
    for name in (".a.csv", "a.csv.part", "b.csv.tmp", "~$c.xlsx", "d.csv~", "E.CSV.FILEPART"):
        dropped(tmp_path, name)
    (tmp_path / "fair" / "done").mkdir()
    assert pending_files(tmp_path, "fair") == []


def test_an_absent_folder_holds_nothing(tmp_path: Path) -> None:
    assert pending_files(tmp_path, "fair") == []


def test_a_file_that_is_set_aside_is_kept_and_not_pending(tmp_path: Path) -> None:
    kept = put_away(dropped(tmp_path, "a.csv", content="rows"))
    assert kept == tmp_path / "fair" / "done" / "a.csv"
    assert kept.read_text() == "rows"
    assert pending_files(tmp_path, "fair") == []


def test_the_second_file_of_a_name_overwrites_nothing(tmp_path: Path) -> None:
    first = put_away(dropped(tmp_path, "a.csv", content="first"))
    second = put_away(dropped(tmp_path, "a.csv", content="second"))
    assert (first.read_text(), second.read_text()) == ("first", "second")
    assert second.name == "a.2.csv"


def test_a_file_that_somebody_else_set_aside_is_no_error(tmp_path: Path) -> None:
    file = dropped(tmp_path, "a.csv")
    put_away(file)
    put_away(file)
    assert [one.name for one in (tmp_path / "fair" / "done").iterdir()] == ["a.csv"]
