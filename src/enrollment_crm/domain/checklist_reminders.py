"""Checklist reminders: what applicants may be reminded of, and how it is said."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from enrollment_crm.domain.checklists import ChecklistItem, MissingItems
from enrollment_crm.domain.programs import Program
from enrollment_crm.domain.reminders import DueCell, name_of_cell
from enrollment_crm.domain.residency import Residency

#: How often a number is written as a word.
_NUMBERS = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine"}


@dataclass(frozen=True)
class Expectation:
    """One item that one program requires of the people of one residency group."""

    program: str
    residency: Residency
    item: ChecklistItem


def expectations_of(programs: Mapping[str, Program]) -> tuple[Expectation, ...]:
    """What applicants may be reminded of; nothing of a program whose ``checklist_reminders`` are switched off."""
    return tuple(
        Expectation(program.key, residency, expected.item)
        for program in programs.values()
        if program.checklist_reminders
        for expected in program.checklist
        for residency in Residency
        if expected.required_of.includes(residency)
    )


def name_of_checklists(cell: DueCell) -> str:
    """What operations read in the grid: ``checklists: final spring 2027 · 7 days · inside US · Asia/Riyadh``."""
    return f"checklists: {name_of_cell(cell)}"


@dataclass(frozen=True)
class MissingInWords:
    """What an application awaits from one quarter: ``From your recommenders``, ``two letters of recommendation``."""

    program: str
    entry_term: str
    whence: str
    what: str


#: Who can do something about which items, in the order in which a reader is told.
_QUARTERS: tuple[tuple[str, tuple[ChecklistItem, ...]], ...] = (
    ("From your recommenders", (ChecklistItem.LETTER_OF_RECOMMENDATION,)),
    ("From your schools", (ChecklistItem.TRANSCRIPT, ChecklistItem.CREDENTIAL_EVALUATION)),
    ("From you", (ChecklistItem.STATEMENT_OF_PURPOSE, ChecklistItem.RESUME)),
    ("From the testing service", (ChecklistItem.ENGLISH_TEST,)),
)
#: One of an item, and several.
_NOUNS: Mapping[ChecklistItem, tuple[str, str]] = {
    ChecklistItem.LETTER_OF_RECOMMENDATION: ("letter of recommendation", "letters of recommendation"),
    ChecklistItem.TRANSCRIPT: ("transcript", "transcripts"),
}
#: What there is one of, however often a source lists it.
_SINGLE: Mapping[ChecklistItem, str] = {
    ChecklistItem.CREDENTIAL_EVALUATION: "the Foreign Credential Evaluation (FCE)",
    ChecklistItem.STATEMENT_OF_PURPOSE: "the statement of purpose",
    ChecklistItem.RESUME: "the resume",
    ChecklistItem.ENGLISH_TEST: "a TOEFL, IELTS or Duolingo score",
}


def missing_in_words(missing: Iterable[MissingItems]) -> list[MissingInWords]:
    """What is not yet processed, grouped by application and by who can do something about it."""
    counts: dict[tuple[str, str], dict[ChecklistItem, int]] = {}
    for one in missing:
        items = counts.setdefault((one.program, one.entry_term), {})
        items[one.item] = items.get(one.item, 0) + one.count
    return [
        MissingInWords(program, entry_term, whence, _listed([_item(item, items[item]) for item in theirs]))
        for (program, entry_term), items in counts.items()
        for whence, group in _QUARTERS
        if (theirs := [item for item in group if items.get(item)])
    ]


def _item(item: ChecklistItem, count: int) -> str:
    if item in _SINGLE:
        return _SINGLE[item]
    one, several = _NOUNS[item]
    return f"{_NUMBERS.get(count, count)} {one if count == 1 else several}"


def _listed(items: list[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    *others, last = items
    return f"{', '.join(others)} and {last}" if others else last
