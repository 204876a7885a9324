"""Each rule of the lint, broken once: where it is, what is said."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest
from tests.unit.mail.template_folders import (
    ANA_YML,
    BASE_YML,
    BODY_MJML,
    BODY_TXT,
    EMAIL_YML,
    FILES,
    LAYOUT_MJML,
    LAYOUT_TXT,
    write_folder,
)

from enrollment_crm.mail.lint import lint_templates

TODAY = date(2026, 11, 24)


def said(directory: Path, changes: Mapping[str, str | None], *, as_of: date = TODAY) -> list[str]:
    """The problems as `file:line:column: what`, with paths inside the folder."""
    write_folder(directory, changes)
    return [
        f"{Path(one.file).relative_to(directory)}:{one.line}:{one.column}: {one.what}"
        for one in lint_templates(directory, as_of=as_of)
    ]


def body_with(line: str) -> dict[str, str | None]:
    """A body whose third line is this one."""
    lines = BODY_MJML.splitlines(keepends=True)
    return {"note/body.mjml": "".join([*lines[:2], line + "\n", *lines[2:]])}


def test_a_folder_in_order_has_no_problems(tmp_path: Path) -> None:
    assert said(tmp_path, {}) == []


def test_the_emails_of_this_repository_are_in_order() -> None:
    folder = Path(__file__).parents[3] / "templates" / "email"
    assert [str(one) for one in lint_templates(folder, as_of=TODAY)] == []


MARKUP = [
    ("<mj-text>a", "3:1: <mj-text> is not closed before </mj-column> in line 9."),
    ("<mj-text>a</mj-txt></mj-text>", "3:11: </mj-txt> closes nothing."),
    ("    <mj-txt>a</mj-txt>", "3:5: <mj-txt> cannot be used here."),
    ("<mj-image src='x' />", "3:1: <mj-image> cannot be used here."),
    ("<mj-text><mj-divider /></mj-text>", "3:10: <mj-divider> cannot be used here."),
    ("<mj-section></mj-section>", "3:1: <mj-section> cannot stand inside <mj-column>."),
    ("<p>a</p>", "3:1: <p> cannot be used here."),
    ("lost words", "3:1: Text stands outside of any text element."),
    ("{{ greeting }}", "3:1: A value is printed outside of any text element."),
    ('<mj-text colour="red">a</mj-text>', '3:18: <mj-text> has no attribute "colour".'),
    ('<mj-text color="#333" color="#444">a</mj-text>', '3:30: "color" stands twice in <mj-text>.'),
    ("<mj-text color=#333>a</mj-text>", "3:10: An attribute of <mj-text> cannot be read."),
    ("<mj-text>a<br>b</mj-text>", "3:11: <br> is not closed."),
    ("<mj-text>Q & A</mj-text>", "3:12: A bare & stands in the text."),
    ("<mj-text>Q &nope; A</mj-text>", "3:12: &nope; is no character."),
    ("<mj-text>1 < 2</mj-text>", "3:12: A bare < stands here, or a tag that cannot be read."),
    ('<mj-button href="https://a.example/?a=1&b=2">Go on</mj-button>', "3:40: A bare & stands in the text."),
    ('<mj-text css-class="{% if dates %}a{% endif %}">a</mj-text>', "3:21: A Jinja statement stands in an attribute"),
    ('<mj-text><p style="background: url(x)">a</p></mj-text>', "3:20: A style fetches something from the web."),
    ("{% if dates %}<mj-text>a{% endif %}</mj-text>", "3:25: {% endif %} stands at another depth than the {% if %}"),
    ('<mj-button href="javascript:alert(1)">Go on</mj-button>', "3:18: A link leads to a place that is not allowed."),
    ('<mj-button href="http://a.example">Go on</mj-button>', "3:18: A link leads to a place that is not allowed."),
    ('<mj-button href="{{ greeting }}">Go on</mj-button>', "3:18: A link leads to a place that is not allowed."),
]


@pytest.mark.parametrize(("line", "problem"), MARKUP)
def test_markup(tmp_path: Path, line: str, problem: str) -> None:
    assert any(one.startswith(f"note/body.mjml:{problem}") for one in said(tmp_path, body_with(line)))


JINJA = [
    ("{{ greting }}", "The variable “greting” is not declared."),
    ("{{ greeting", "Jinja cannot read this: "),
    ("{% if greeting %}", "Jinja cannot read this: Unexpected end of template."),
    ("{{ greeting|attr('x') }}", "The filter “attr” cannot be used so."),
    ("{{ greeting|upper|nosuch }}", "The filter “nosuch” cannot be used so."),
    ("{{ greeting.__class__ }}", "“.__class__” stands behind something that is no record."),
    ("{{ greeting.upper() }}", "Jinja's “call” is not allowed."),
    ("{% for i in range(9) %}{% endfor %}", "Jinja's “call” is not allowed."),
    ("{% for i in greeting %}{% endfor %}", "A loop goes through something that is no declared list."),
    ("{% for d in dates recursive %}{{ d.words }}{% endfor %}", "A loop is recursive."),
    ("{% for d in dates %}{{ d.word }}{% endfor %}", "A record of “dates” has no field “word”."),
    ("{% for d in dates %}{{ d }}{% endfor %}", "A whole list or record is printed."),
    ("{% for d in dates %}{{ loop.cycle }}{% endfor %}", "loop.cycle is not allowed."),
    ("{{ dates }}", "A whole list or record is printed."),
    ("{{ dates[greeting].words }}", "Brackets stand behind something that is no list, or hold no number."),
    ("{% set a = 1 %}", "Jinja's “assign” is not allowed."),
    ("{% macro a() %}{% endmacro %}", "Jinja's “macro” is not allowed."),
    ("{% import 'a' as b %}", "Jinja's “import” is not allowed."),
    ("{% include 'a' %}", "Jinja's “include” is not allowed."),
    ("{{ greeting * 9 }}", "Jinja's “mul” is not allowed."),
    ("{{ greeting is defined }}", "Jinja's “test” is not allowed."),
]


@pytest.mark.parametrize("file", ["note/subject.txt", "note/body.mjml", "note/body.txt"])
@pytest.mark.parametrize(("jinja", "problem"), JINJA)
def test_jinja(tmp_path: Path, file: str, jinja: str, problem: str) -> None:
    line = f"<mj-text>{jinja}</mj-text>" if file.endswith("mjml") else jinja
    changes = body_with(line) if file.endswith("mjml") else {file: f"{FILES[file]}{line}\n"}
    number = 3 if file.endswith("mjml") else len(FILES[file].splitlines()) + 1
    found = [one for one in said(tmp_path, changes) if problem in one]
    assert found
    # A block that never ends is told where the file ends.
    assert found[0].startswith(f"{file}:") if "end of template" in problem else found[0].startswith(f"{file}:{number}:")


def test_an_undeclared_variable_is_found_with_its_column(tmp_path: Path) -> None:
    assert said(tmp_path, {"note/subject.txt": "A\nnote {{ greeting }} {{ nobody }}\n"}) == [
        "note/subject.txt:2:24: The variable “nobody” is not declared."
    ]


def test_a_comparison_with_a_value_that_never_is(tmp_path: Path) -> None:
    choice = "  size: {type: choice, values: [small, large], meaning: a size}\n"
    changes = {
        "note/email.yml": EMAIL_YML.replace("  dates:\n", choice + "  dates:\n"),
        "note/body.txt": BODY_TXT + '{% if size == "huge" %}Huge{% endif %}\n',
    }
    assert said(tmp_path, changes) == ["note/body.txt:6:16: 'huge' is never the value."]


DECLARATIONS = [
    (
        "note/email.yml",
        EMAIL_YML + "      more: {type: text, meaning: unused}\n",
        "note/email.yml:13:13: The variable “dates.more” is declared, but nothing uses it.",
    ),
    (
        "note/email.yml",
        EMAIL_YML.replace("variables:\n", "variables:\n  sender_name: {type: text, meaning: twice}\n"),
        "note/email.yml:6:16: “sender_name” is declared twice.",
    ),
    (
        "note/email.yml",
        EMAIL_YML.replace("marketing", "spam"),
        "note/email.yml:1:10: purpose: Input should be 'marketing' or 'transactional'.",
    ),
    ("note/email.yml", EMAIL_YML.replace("type: url", "type: link"), "note/email.yml:7:14: "),
    ("note/email.yml", "purpose: [", "note/email.yml:1:11: Not YAML: "),
    (
        "note/email.yml",
        EMAIL_YML.replace("words:", "items:"),
        "note/email.yml:9:5: variables.dates.list.fields.items.[key]: Value error, 'items' cannot be a name",
    ),
    (
        "_base/base.yml",
        BASE_YML.replace("variables:\n", "variables:\n  extra: {type: text, meaning: unused}\n"),
        "_base/base.yml:2:10: The variable “extra” is declared, but nothing uses it.",
    ),
    (
        "_base/layout.mjml",
        LAYOUT_MJML.replace('{% include "body.mjml" %}', ""),
        "_base/layout.mjml:1:1: The layout must take in body.mjml exactly once.",
    ),
    (
        "_base/layout.txt",
        LAYOUT_TXT.replace("{{ sender_name }}", "{{ nobody }}"),
        "_base/layout.txt:3:4: The variable “nobody” is not declared.",
    ),
    ("note/body.txt", None, "note/body.txt:1:1: This file is missing."),
    ("_base/layout.txt", None, "_base/layout.txt:1:1: This file is missing."),
    ("_people/ana.yml", None, "note/email.yml:1:1: No sample person is in the situation “dates has one record”."),
    (
        "_people/ana.yml",
        ANA_YML.replace("context:", "emails: [nope]\ncontext:"),
        "_people/ana.yml:1:1: There is no email “nope”.",
    ),
    (
        "_people/ana.yml",
        ANA_YML.replace("greeting", "greting"),
        "_people/ana.yml:1:1: For the email “note”, greeting is missing.",
    ),
    ("_people/ana.yml", "about: x\n", "_people/ana.yml:1:"),
]


@pytest.mark.parametrize(("file", "text", "problem"), DECLARATIONS)
def test_declarations_and_files(tmp_path: Path, file: str, text: str | None, problem: str) -> None:
    assert any(one.startswith(problem) for one in said(tmp_path, {file: text}))


WORDS = [
    (
        "note/body.txt",
        BODY_TXT + "The fee is\nwaived.\n",
        "note/body.txt:6:5: “fee is\nwaived” held until 31 January 2026",
    ),
    ("note/body.mjml", BODY_MJML.replace("Apply today", "The <b>fee</b> is waived"), "note/body.mjml:7:46: “fee"),
    ("note/body.txt", BODY_TXT + "Registration closed.\n", "note/body.txt:6:14: “closed” must not be said here"),
    ("note/subject.txt", "Your visa, {{ greeting }}\n", "note/subject.txt:1:6: “visa” must not be said here"),
    ("_base/layout.txt", LAYOUT_TXT + "closed\n", "_base/layout.txt:6:1: “closed” must not be said here"),
    (
        "note/body.txt",
        BODY_TXT + "By Friday, March 5.\n",
        "note/body.txt:6:4: The date “Friday, March 5” is written into",
    ),
    (
        "note/email.yml",
        EMAIL_YML + "claims: [{text: nothing such, until: 2027-01-01, why: test}]\n",
        "note/email.yml:13:10: No text of this email makes",
    ),
]


@pytest.mark.parametrize(("file", "text", "problem"), WORDS)
def test_words(tmp_path: Path, file: str, text: str, problem: str) -> None:
    assert any(one.startswith(problem) for one in said(tmp_path, {file: text}))


def test_a_claim_holds_until_its_day_and_covers_its_date(tmp_path: Path) -> None:
    changes: dict[str, str | None] = {
        "note/body.txt": BODY_TXT + "The fee is waived until March 5.\n",
        "note/email.yml": EMAIL_YML + "claims: [{text: until March 5, until: 2026-03-05, why: a test}]\n",
    }
    assert said(tmp_path, changes, as_of=date(2026, 1, 31)) == []
    assert len(said(tmp_path, changes, as_of=date(2026, 2, 1))) == 1
    assert len(said(tmp_path, changes, as_of=date(2026, 3, 6))) == 2


def test_visa_may_stand_in_a_body(tmp_path: Path) -> None:
    assert said(tmp_path, {"note/body.txt": BODY_TXT + "A visa.\n"}) == []


RENDERED = [
    ({"note/body.txt": BODY_TXT.replace("{{ apply_url }}", "")}, "The text part lacks the link “Apply today”."),
    ({"note/subject.txt": "{{ greeting }}" + "x" * 100}, "The subject has 110 characters."),
    ({"note/subject.txt": "{% if not greeting %}A{% endif %}"}, "The subject is empty."),
    ({"note/body.mjml": BODY_MJML.replace("Apply today", "here")}, "note/body.mjml:7:39: The link text “here”"),
    (
        {"note/body.txt": BODY_TXT.replace("{{ apply_url }}", "{{ apply_url|upper }}")},
        "The text part lacks the link “Apply today”.",
    ),
    (
        {"note/body.txt": BODY_TXT.replace("{{ date.words }}", "{{ date.words|upper }}")},
        "The text part lacks the date “Tuesday, December 1”.",
    ),
    ({"_base/layout.txt": LAYOUT_TXT.replace("{{ unsubscribe_url }}", "")}, "The way out is missing"),
    ({"_base/layout.txt": LAYOUT_TXT.replace("{{ postal_address }}", "")}, "The postal address is missing"),
    ({"_base/layout.mjml": LAYOUT_MJML.replace(' lang="en"', "")}, "The email does not say its language."),
    (
        {"_base/layout.mjml": LAYOUT_MJML.replace("#333333", "#999999")},
        "“Unsubscribe” is hard to read: #999999 on #ffffff has a contrast of 2.8.",
    ),
    (body_with("<mj-table><tr><td>a</td></tr></mj-table>"), "A table is read aloud as a table of data."),
    (body_with(f"<mj-text>{'long ' * 20_000}</mj-text>"), "The HTML has 1"),
]


@pytest.mark.parametrize(("changes", "problem"), RENDERED)
def test_what_people_get(tmp_path: Path, changes: Mapping[str, str | None], problem: str) -> None:
    found = said(tmp_path, changes)
    assert any(problem in one for one in found)


def test_a_problem_of_many_people_is_told_once(tmp_path: Path) -> None:
    assert said(tmp_path, {"note/subject.txt": "x" * 101}) == [
        "note/subject.txt:1:1: The subject has 101 characters. (For everyone.)"
    ]


def test_a_problem_of_one_person_names_them(tmp_path: Path) -> None:
    subject = "{% if dates|length > 1 %}" + "x" * 101 + "{% else %}A note{% endif %}"
    assert said(tmp_path, {"note/subject.txt": subject}) == [
        "note/subject.txt:1:1: The subject has 101 characters. (For bo.)"
    ]
