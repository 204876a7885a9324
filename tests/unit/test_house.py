"""The rules of the house that a machine can hold: budgets, names, and what must not be in the repository."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
TRACKED = [
    CHECKOUT / name
    for name in subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    if name and (CHECKOUT / name).is_file()
]
PYTHON = [file for file in TRACKED if file.suffix == ".py"]

#: Lines, by folder; the first that fits. A migration is written once and read rarely.
BUDGETS = (("src/enrollment_crm/storage/migrations/versions", None), ("src", 300), ("dags", 60), ("tests", 400))
LONGEST_FUNCTION = 50
BAGS = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc", "lib", "constants"}

#: Hosts of package registries and their mirrors: a lock, an image and a script take the one of their machine.
REGISTRY = re.compile(
    r"https?://[^\s\"'`)]*(?:pypi|pythonhosted|artifactory|nexus|devpi|registry\.npmjs|/simple\b)"
    r"|(?<!no-emit-)(?:--extra)?-?-index-url[ =]https?:|trusted-host",
    re.IGNORECASE,
)
#: Somebody's own folders. What every Linux has (/tmp, /usr, /var) and what our own image has (/opt) are none.
MACHINE_PATH = re.compile(r"(?<![\w.$/}:>-])/(?:(?:home|Users|mnt)/[\w.-]+|root|work|workspace)/\w")


def relative(file: Path) -> str:
    """The path as people write it."""
    return file.relative_to(CHECKOUT).as_posix()


def text_of(file: Path) -> str:
    """The content of a text file; of any other, nothing."""
    content = file.read_bytes()
    return "" if b"\0" in content[:8000] else content.decode("utf-8", errors="replace")


def budget_of(file: Path) -> int | None:
    """How many lines the file may have; None: as many as it likes."""
    return next((limit for folder, limit in BUDGETS if relative(file).startswith(f"{folder}/")), None)


def functions_of(source: str) -> list[tuple[str, int]]:
    """Every function and its length in lines, docstring included; a table of cases above a test is data."""
    return [
        (node.name, (node.end_lineno or 0) - node.lineno + 1)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("dags/intake_signups.py", 60),
        ("src/enrollment_crm/settings.py", 300),
        ("src/enrollment_crm/storage/migrations/env.py", 300),
        ("src/enrollment_crm/storage/migrations/versions/one.py", None),
        ("tests/unit/test_house.py", 400),
    ],
)
def test_budgets(name: str, lines: int | None) -> None:
    assert budget_of(CHECKOUT / name) == lines


def test_there_are_files_to_judge() -> None:
    assert {"src", "dags", "tests"} <= {file.relative_to(CHECKOUT).parts[0] for file in PYTHON}
    assert len(PYTHON) > 150


@pytest.mark.parametrize("file", PYTHON, ids=relative)
def test_line_budget(file: Path) -> None:
    limit = budget_of(file)
    lines = len(text_of(file).splitlines())
    assert limit is None or lines <= limit, f"{relative(file)} has {lines} lines, {limit} at most: divide it"


@pytest.mark.parametrize("file", [file for file in PYTHON if budget_of(file)], ids=relative)
def test_function_budget(file: Path) -> None:
    long = [one for one in functions_of(text_of(file)) if one[1] > LONGEST_FUNCTION]
    assert not long, f"{relative(file)}: {long} lines, {LONGEST_FUNCTION} at most: divide it"


def test_a_long_function_is_seen() -> None:
    source = "@decorated\ndef long():\n" + "    pass\n" * LONGEST_FUNCTION
    assert functions_of(source) == [("long", LONGEST_FUNCTION + 1)]


def test_no_bag_of_things() -> None:
    words = {relative(file): set(re.split(r"[/._]", relative(file).lower())) for file in PYTHON}
    assert {name for name, parts in words.items() if parts & BAGS} == set(), "name the concept instead"


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("see https://pypi.org/project/x", True),
        ("index-url = https://mirror.example/simple/x", True),
        ("--index-url https://mirror.example", True),
        ("--no-emit-index-url", False),
        ("https://crm.example/simply", False),
    ],
)
def test_a_registry_is_recognised(words: str, found: bool) -> None:
    assert bool(REGISTRY.search(words)) is found


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("cd /home/ana/crm", True),
        ('"/Users/ana/crm"', True),
        ("build/work/x and src/home/y", False),
        ("https://crm.example/home/page", False),
        ("/tmp/x, /opt/enrollment-crm", False),
    ],
)
def test_a_path_of_one_machine_is_recognised(words: str, found: bool) -> None:
    assert bool(MACHINE_PATH.search(words)) is found


@pytest.mark.parametrize(("what", "pattern"), [("registry", REGISTRY), ("path of one machine", MACHINE_PATH)])
def test_nothing_of_one_machine_is_tracked(what: str, pattern: re.Pattern[str]) -> None:
    found = [
        f"{relative(file)}:{number}: {line.strip()[:120]}"
        for file in TRACKED
        if file != Path(__file__)
        for number, line in enumerate(text_of(file).splitlines(), start=1)
        if pattern.search(line)
    ]
    assert found == [], f"a {what} is in the repository"


def test_no_lock_with_addresses_is_tracked() -> None:
    """uv.lock and pylock.toml name the registry of whoever made them; the locks of this project do not."""
    assert {file.name for file in TRACKED} & {"uv.lock", "pylock.toml", "poetry.lock", "Pipfile.lock"} == set()


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock", "requirements-uv.lock"])
def test_every_locked_package_has_a_hash_and_no_address(name: str) -> None:
    lines = (CHECKOUT / name).read_text().replace("\\\n", " ").splitlines()
    packages = [line for line in lines if re.match(r"[A-Za-z0-9]", line)]
    assert packages
    assert [line.split()[0] for line in packages if "--hash=sha256:" not in line] == []
    assert [line for line in lines if re.search(r"^\s*-(-index|i |-find|f )|https?://| @ ", line)] == []


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_the_locks_hold_what_the_project_names(name: str) -> None:
    declared = (CHECKOUT / "pyproject.toml").read_text().partition("dependencies = [")[2].partition("\n]")[0]
    wanted = {re.split(r"[\[<>=]", line.strip(' ",'))[0] for line in declared.splitlines() if line.strip()}
    locked = set(re.findall(r"^([a-z0-9][a-z0-9-]*)(?:\[[\w,-]+\])?==", (CHECKOUT / name).read_text(), re.MULTILINE))
    assert len(wanted) > 20
    assert wanted - locked == set()
