"""What the documents name exists: states, links, pictures, commands, targets, decisions."""

import re
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import typer

from enrollment_crm.cli import app
from enrollment_crm.domain.batches import BatchStep, InboxOutcome, Severity
from enrollment_crm.domain.deadlines import Round
from enrollment_crm.domain.ledger import MessageState
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.residency import Residency
from enrollment_crm.domain.withholding import WithholdReason
from enrollment_crm.storage.models import Base

CHECKOUT = Path(__file__).parents[2]
DOCS = CHECKOUT / "docs"
PAGES = [
    *(CHECKOUT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "samples/README.md")),
    *sorted(DOCS.rglob("*.md")),
]
GLOSSARY = (DOCS / "glossary.md").read_text("utf-8")
ARCHITECTURE = (DOCS / "architecture.md").read_text("utf-8")
DECISIONS = sorted((DOCS / "decisions").glob("*.md"))

#: What operations see in tables, in Airflow and in the database.
SEEN_BY_OPERATIONS = [
    BatchStep,
    InboxOutcome,
    MessageKind,
    MessageState,
    Residency,
    Round,
    Severity,
    WithholdReason,
]
#: The program, with its commands below it. Typer's types do not tell a group from a command.
ROOT: Any = typer.main.get_command(app)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
LARGEST_PICTURE_IN_BYTES = 250 * 1024


def relative(page: Path) -> str:
    """The page as people name it."""
    return page.relative_to(CHECKOUT).as_posix()


def anchors_of(page: Path) -> set[str]:
    """The anchors of the page's headings, as they are made from the words."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands_of(text: str) -> list[list[str]]:
    """Every `enrollment-crm ...` that stands in code, as words; the words end where an option begins."""
    code = [*re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL), *re.findall(r"`([^`\n]+)`", text)]
    found = [match for one in code for match in re.findall(r"(?:^|[/ ])enrollment-crm((?: [^\n|;&#]+)?)", one, re.M)]
    return [words.split() for words in found]


def known_options(command: Any) -> set[str]:
    """The options of a command, in every spelling."""
    return {"--help", *(name for one in command.params for name in (*one.opts, *one.secondary_opts))}


@pytest.mark.parametrize("enumeration", SEEN_BY_OPERATIONS, ids=lambda one: one.__name__)
def test_the_glossary_explains_what_operations_see(enumeration: type[StrEnum]) -> None:
    missing = [member.value for member in enumeration if f"`{member.value}`" not in GLOSSARY]
    assert missing == [], "say what it means in docs/glossary.md"


def test_no_word_is_explained_twice() -> None:
    words = re.findall(r"^\| ([^|]+?) \| ", GLOSSARY, re.MULTILINE)
    words = [word for word in words if word not in {"word", "state", "reason"}]
    assert len(words) > 70
    assert sorted(words) == sorted(set(words))


def test_the_architecture_names_every_table_and_no_other() -> None:
    section = ARCHITECTURE.partition("\n## Tables\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == set(Base.metadata.tables)


def test_the_state_diagram_has_every_state_and_no_other() -> None:
    diagram = ARCHITECTURE.partition("stateDiagram-v2\n")[2].partition("```")[0]
    states = {state for line in diagram.splitlines() for state in re.findall(r"[a-z]+", line.partition(":")[0])}
    assert states == {state.value for state in MessageState}


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_links_and_pictures_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text("utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = unquote(target).partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{relative(page)} links to {target}"
        assert not anchor or anchor in anchors_of(file), f"{relative(page)} links to {target}"


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, ahead = set(), [CHECKOUT / "README.md"]
    while ahead:
        page = ahead.pop()
        reached.add(page)
        targets = [(page.parent / one).resolve() for one in LINK.findall(page.read_text("utf-8")) if ":" not in one]
        pages = [one for target in targets for one in (target.glob("*.md") if target.is_dir() else [target])]
        ahead += [one for one in pages if one.suffix == ".md" and one.exists() and one not in reached]
    assert {relative(page) for page in PAGES} <= {relative(page) for page in reached}


def test_pictures_are_small_and_shown() -> None:
    pictures = [file for file in (DOCS / "images").iterdir() if file.is_file()]
    text = "".join(page.read_text("utf-8") for page in PAGES)
    assert pictures
    for picture in pictures:
        assert picture.stat().st_size < LARGEST_PICTURE_IN_BYTES
        assert f"images/{picture.name})" in text, f"no page shows {picture.name}"


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_commands_exist_with_their_options(page: Path) -> None:
    for words in commands_of(page.read_text("utf-8")):
        command, asked = ROOT, list(words)
        while asked and hasattr(command, "commands") and not asked[0].startswith("-"):
            assert asked[0] in command.commands, f"{relative(page)}: enrollment-crm {' '.join(words)}"
            command = command.commands[asked.pop(0)]
        options = {word.strip("[]").partition("=")[0] for word in asked if word.strip("[]").startswith("--")}
        assert options <= known_options(command), f"{relative(page)}: enrollment-crm {' '.join(words)}"


@pytest.mark.parametrize(
    ("text", "commands"),
    [
        ("`enrollment-crm db upgrade`", [["db", "upgrade"]]),
        (
            "```sh\nenrollment-crm send --dry-run\n.venv/bin/enrollment-crm up  # all\n```",
            [["send", "--dry-run"], ["up"]],
        ),
        ("the program enrollment-crm reads it", []),
    ],
)
def test_commands_are_found(text: str, commands: list[list[str]]) -> None:
    assert commands_of(text) == commands


def test_the_readme_lists_every_command() -> None:
    table = (CHECKOUT / "README.md").read_text("utf-8").partition("\n## Commands\n")[2].partition("\n## ")[0]
    listed = {" ".join(words) for words in commands_of("\n".join(re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE)))}
    every = set()
    for name, command in ROOT.commands.items():
        every |= {f"{name} {below}" for below in getattr(command, "commands", {})} or {name}
        every |= {name} if getattr(command, "invoke_without_command", False) else set()
    assert listed == every


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_targets_of_make_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
    named = re.findall(r"(?:^|`|\$ )make ([a-z]+)", page.read_text("utf-8"), re.MULTILINE)
    assert set(named) <= targets


def test_contributing_lists_every_target() -> None:
    documented = set(re.findall(r"^([a-z]+):.*##", (CHECKOUT / "Makefile").read_text(), re.MULTILINE)) - {"help"}
    listed = set(re.findall(r"`make ([a-z]+)`", (CHECKOUT / "CONTRIBUTING.md").read_text("utf-8")))
    assert listed == documented


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = [int(file.name[:4]) for file in DECISIONS]
    assert numbers == list(range(1, len(DECISIONS) + 1))


@pytest.mark.parametrize("file", DECISIONS, ids=lambda file: file.name)
def test_a_decision_is_whole(file: Path) -> None:
    text = file.read_text("utf-8")
    assert text.startswith(f"# {file.name[:4]}: ")
    parts = [text.partition(f"**{part}.**")[2] for part in ("Context", "Decision", "Rejected", "Measured")]
    assert all(re.match(r"\s+\S.{5}", part, re.DOTALL) for part in parts)
    assert parts == sorted(parts, key=len, reverse=True)


@pytest.mark.parametrize("folder", ["config/programs", "config/sources", "expectations", "templates/email"])
def test_the_readme_names_what_is_configured(folder: str) -> None:
    assert (CHECKOUT / folder).is_dir()
    assert f"`{folder}/`" in (CHECKOUT / "README.md").read_text("utf-8")
