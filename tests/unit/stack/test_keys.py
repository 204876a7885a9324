"""The secrets of a stack."""

import base64
from pathlib import Path

from enrollment_crm.stack.keys import Keys, keys_of, write_for_owner


def test_stay_the_same_from_start_to_start(tmp_path: Path) -> None:
    assert keys_of(tmp_path) == keys_of(tmp_path)


def test_differ_from_folder_to_folder(tmp_path: Path) -> None:
    one, other = keys_of(tmp_path / "one"), keys_of(tmp_path / "other")
    assert one.admin_password != other.admin_password
    assert one.jwt_secret != other.jwt_secret


def test_only_the_owner_reads_them(tmp_path: Path) -> None:
    keys_of(tmp_path)
    assert (tmp_path / "keys.json").stat().st_mode & 0o777 == 0o600


def test_fernet_key_has_the_size_that_airflow_needs() -> None:
    assert len(base64.urlsafe_b64decode(Keys().fernet_key)) == 32


def test_are_not_shown() -> None:
    keys = Keys()
    assert keys.admin_password not in repr(keys)
    assert keys.fernet_key not in repr(keys)


def test_file_that_a_kill_left_unfinished_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "keys.json.unfinished").write_text('{"adm')
    write_for_owner(tmp_path / "keys.json", "whole")
    assert (tmp_path / "keys.json").read_text() == "whole"
