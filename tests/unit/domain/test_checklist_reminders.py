from dataclasses import replace

import pytest

from enrollment_crm.bootstrap import programs_of
from enrollment_crm.domain.checklist_reminders import Expectation, expectations_of, missing_in_words
from enrollment_crm.domain.checklists import ChecklistItem, MissingItems
from enrollment_crm.domain.residency import Residency
from enrollment_crm.settings import Settings

PROGRAM = "ms-advanced-intelligent-manufacturing"
FALL, SPRING = "fall 2027", "spring 2028"
LETTER, TRANSCRIPT = ChecklistItem.LETTER_OF_RECOMMENDATION, ChecklistItem.TRANSCRIPT
FCE, ENGLISH = ChecklistItem.CREDENTIAL_EVALUATION, ChecklistItem.ENGLISH_TEST


def missing(item: ChecklistItem, count: int = 1, term: str = FALL) -> MissingItems:
    return MissingItems(PROGRAM, term, item, count)


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ([missing(LETTER)], [("From your recommenders", "one letter of recommendation")]),
        ([missing(LETTER, 2)], [("From your recommenders", "two letters of recommendation")]),
        ([missing(TRANSCRIPT, 12)], [("From your schools", "12 transcripts")]),
        (
            [missing(FCE, 2), missing(TRANSCRIPT)],
            [("From your schools", "one transcript and the Foreign Credential Evaluation (FCE)")],
        ),
        (
            [missing(ChecklistItem.RESUME), missing(ChecklistItem.STATEMENT_OF_PURPOSE), missing(ENGLISH)],
            [
                ("From you", "the statement of purpose and the resume"),
                ("From the testing service", "a TOEFL, IELTS or Duolingo score"),
            ],
        ),
        ([missing(ChecklistItem.OTHER)], []),
        ([], []),
    ],
)
def test_what_is_missing_in_words_by_who_can_do_something_about_it(
    items: list[MissingItems], words: list[tuple[str, str]]
) -> None:
    assert [(one.whence, one.what) for one in missing_in_words(items)] == words


def test_each_application_has_its_own_list() -> None:
    words = missing_in_words([missing(LETTER), missing(LETTER, 2, SPRING)])
    assert [(one.entry_term, one.what) for one in words] == [
        (FALL, "one letter of recommendation"),
        (SPRING, "two letters of recommendation"),
    ]


@pytest.mark.parametrize("item", [item for item in ChecklistItem if item is not ChecklistItem.OTHER])
def test_every_item_that_a_program_can_require_has_words(item: ChecklistItem) -> None:
    assert len(missing_in_words([missing(item)])) == 1


def test_the_program_requires_what_its_page_says() -> None:
    expected = expectations_of(programs_of(Settings()))
    of_everybody = {LETTER, TRANSCRIPT, FCE, ChecklistItem.STATEMENT_OF_PURPOSE, ChecklistItem.RESUME}
    assert set(expected) == {
        *(Expectation(PROGRAM, residency, item) for item in of_everybody for residency in Residency),
        *(Expectation(PROGRAM, one, ENGLISH) for one in Residency if one is not Residency.DOMESTIC),
    }


def test_a_program_that_is_switched_off_requires_nothing() -> None:
    program = replace(programs_of(Settings())[PROGRAM], checklist_reminders=False)
    assert expectations_of({PROGRAM: program}) == ()
