"""Each import contract is broken once on purpose, in a copy of the package, to see it fail."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")

#: Contract, module that breaks it, the line that does. What is imported exists: only the contract can object.
OFFENCES = [
    ("Floors", "domain/people.py", "import enrollment_crm.mail.problems"),
    ("Floors", "mail/links.py", "import enrollment_crm.sources.feed_errors"),
    ("Only orchestration knows Airflow", "workflows/outbox.py", "import airflow"),
    ("Only validation knows Great Expectations and pandas", "sources/feeds.py", "import pandas"),
    ("The domain imports the standard library alone", "domain/people.py", "import yaml"),
    ("Only storage sees ORM rows", "workflows/outbox.py", "import enrollment_crm.storage.models"),
]


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the package and its contracts."""
    shutil.copytree(CHECKOUT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CHECKOUT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(house: Path) -> subprocess.CompletedProcess[str]:
    """What the contracts say of the copy."""
    return subprocess.run(
        [LINT_IMPORTS, "--no-cache", "--config", "pyproject.toml"],
        cwd=house,
        env={**os.environ, "PYTHONPATH": str(house / "src"), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_copy_keeps_every_contract(house: Path) -> None:
    """Else a failure below could have another cause. Proves, too, that it is the copy that is read."""
    assert lint(house).returncode == 0
    (house / "src" / "enrollment_crm" / "domain" / "people.py").write_text("import enrollment_crm.settings_gone\n")
    (house / "src" / "enrollment_crm" / "settings.py").unlink()
    assert lint(house).returncode != 0


def test_every_contract_has_an_offence(house: Path) -> None:
    names = [line.partition('"')[2].rstrip('"') for line in contract_lines()]
    assert len(names) == 5
    assert all(any(name.startswith(broken) for broken, _, _ in OFFENCES) for name in names)


def contract_lines() -> list[str]:
    """The names of the contracts as pyproject.toml gives them."""
    sections = (CHECKOUT / "pyproject.toml").read_text().split("[[tool.importlinter.contracts]]")[1:]
    return [next(line for line in section.splitlines() if line.startswith("name")) for section in sections]


@pytest.mark.parametrize(("contract", "module", "offence"), OFFENCES)
def test_an_offence_breaks_its_contract(house: Path, contract: str, module: str, offence: str) -> None:
    file = house / "src" / "enrollment_crm" / module
    file.write_text(f"{file.read_text()}\n{offence}\n")
    told = lint(house)
    assert told.returncode == 1
    broken = [line for line in told.stdout.splitlines() if line.rstrip().endswith("BROKEN")]
    assert len(broken) == 1, told.stdout
    assert broken[0].startswith(contract)


def test_a_module_on_no_floor_breaks_the_build(house: Path) -> None:
    (house / "src" / "enrollment_crm" / "utils.py").write_text('"""A bag."""\n')
    told = lint(house)
    assert told.returncode == 1
    assert "enrollment_crm.utils" in told.stdout
