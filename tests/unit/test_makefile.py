"""What make hands to the program, whatever somebody writes behind AS_OF."""

import subprocess
from pathlib import Path

import pytest

from enrollment_crm.settings import CHECKOUT

#: Says what it was given, a word a line.
PROGRAM = '#!/bin/sh\nprintf "%s\\n" "$@" > "$0.words"\n'


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """Stands where the program is looked for."""
    program = tmp_path / "enrollment-crm"
    program.write_text(PROGRAM)
    program.chmod(0o755)
    return program


def run_make(program: Path, *words: str) -> tuple[int, list[str]]:
    """Process id of make, and the words that the program got."""
    already_installed = ("--old-file=install", "--old-file=.venv/installed", f"BIN={program.parent}")
    with subprocess.Popen(["make", "--silent", *already_installed, *words], cwd=CHECKOUT) as make:
        assert make.wait(timeout=30) == 0
    return make.pid, program.with_suffix(".words").read_text().splitlines()


@pytest.mark.parametrize("target", ["demo", "up"])
def test_make_says_who_it_is(target: str, program: Path) -> None:
    process_id, given = run_make(program, target)
    assert given == [target, "--started-by", str(process_id)]


@pytest.mark.parametrize(
    "as_of",
    ["now", "2026-11-24T10:00:00-05:00", "24 November", "it's ten", '"; touch x; "', "`touch x`", "$$(touch x)"],
)
def test_an_instant_arrives_as_it_was_written(as_of: str, program: Path) -> None:
    _, given = run_make(program, "demo", "ONCE=1", f"AS_OF={as_of}")
    assert given[3:] == ["--once", "--as-of", as_of.replace("$$", "$")]  # make has its own meaning for one $
