import re
from dataclasses import FrozenInstanceError
from enum import StrEnum
from pathlib import Path

import pytest
from markupsafe import Markup
from tests.unit.mail.template_folders import BODY_MJML, BODY_TXT, CONTEXT, EMAIL_YML, write_folder

from enrollment_crm.mail.contexts import ContextInvalid
from enrollment_crm.mail.templates import TemplateErrors, TemplateLibrary, UnknownEmail


@pytest.fixture
def library(tmp_path: Path) -> TemplateLibrary:
    return TemplateLibrary.load(write_folder(tmp_path))


def test_an_email_is_filled_for_one_person(library: TemplateLibrary) -> None:
    rendered = library.render("note", CONTEXT)
    assert (rendered.name, rendered.purpose, rendered.topic) == ("note", "marketing", "notes")
    assert rendered.subject == "A note for Hello Ana,"
    assert rendered.text == (
        "Hello Ana,\nTuesday, December 1\nhttps://crm.example/apply\n\n"
        "Admissions\nhttps://crm.example/out\n1 Main Street, Boston\n"
    )
    assert 'href="https://crm.example/apply"' in rendered.html
    with pytest.raises(FrozenInstanceError):
        rendered.subject = "another"  # type: ignore[misc]


def test_the_names_of_all_emails(library: TemplateLibrary) -> None:
    assert library.names == ("note",)
    with pytest.raises(UnknownEmail, match=r"no email “other”.*there is: note"):
        library.render("other", CONTEXT)


def test_values_are_escaped_in_html_and_as_typed_elsewhere(library: TemplateLibrary) -> None:
    rendered = library.render("note", {**CONTEXT, "greeting": 'Zoë <b> & "you" {{ 7*7 }},'})
    assert "Zoë &lt;b&gt; &amp; &#34;you&#34; {{ 7*7 }}," in rendered.html
    assert 'Zoë <b> & "you" {{ 7*7 }},' in rendered.text
    assert rendered.subject == 'A note for Zoë <b> & "you" {{ 7*7 }},'


def test_a_value_that_looks_like_mjml_never_reaches_its_parser(library: TemplateLibrary) -> None:
    rendered = library.render("note", {**CONTEXT, "greeting": "</mj-text><mj-raw>xPutAside0x"})
    assert "&lt;/mj-text&gt;&lt;mj-raw&gt;xPutAside0x" in rendered.html


def test_jinja_between_elements_and_spaces_between_words_survive(tmp_path: Path) -> None:
    body = BODY_MJML.replace(
        "<mj-text>{{ greeting }}</mj-text>",
        '{% if greeting == "né <1>" %}<mj-text>special</mj-text>{% else %}'
        "<mj-text><b>{{ greeting }}</b> <i>é&nbsp;x</i><!-- a note to editors --></mj-text>{% endif %}",
    )
    library = TemplateLibrary.load(write_folder(tmp_path, {"note/body.mjml": body}))
    html = library.render("note", CONTEXT).html
    assert "<b>Hello Ana,</b> <i>&#233;&nbsp;x</i></div>" in html
    assert "a note to editors" not in html
    assert "special" in library.render("note", {**CONTEXT, "greeting": "né <1>"}).html


def test_html_lines_are_short_enough_for_smtp(library: TemplateLibrary) -> None:
    assert max(map(len, library.render("note", CONTEXT).html.splitlines())) < 800


def test_nothing_is_fetched_from_the_web(library: TemplateLibrary) -> None:
    html = library.render("note", CONTEXT).html
    assert set(re.findall(r'(?:href|src)="(https?://[^"]*)', html)) == {
        CONTEXT["apply_url"],
        CONTEXT["unsubscribe_url"],
    }


def test_the_version_changes_with_every_file_that_makes_the_email(tmp_path: Path) -> None:
    changes: list[dict[str, str | None]] = [
        {},
        {"note/body.txt": BODY_TXT + "\nmore"},
        {"note/email.yml": EMAIL_YML + "# more"},
        {"note/subject.txt": "Another"},
    ]
    versions = set()
    for number, change in enumerate(changes):
        folder = write_folder(tmp_path / str(number), change)
        versions.add(TemplateLibrary.load(folder).render("note", CONTEXT).template_version)
    assert len(versions) == len(changes)
    assert all(re.fullmatch("[0-9a-f]{12}", version) for version in versions)


def test_the_version_does_not_depend_on_where_the_folder_lies(tmp_path: Path) -> None:
    one, other = (TemplateLibrary.load(write_folder(tmp_path / name)) for name in ("one", "other"))
    assert one.render("note", CONTEXT).template_version == other.render("note", CONTEXT).template_version


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    write_folder(tmp_path, {"note/subject.txt": "{{ nobody }}", "note/body.mjml": "<mj-section>"})
    with pytest.raises(TemplateErrors) as errors:
        TemplateLibrary.load(tmp_path)
    assert {Path(one.file).name for one in errors.value.problems} == {"subject.txt", "body.mjml"}
    assert f"{tmp_path / 'note' / 'subject.txt'}:1:4: The variable “nobody” is not declared." in str(errors.value)


def test_an_empty_folder_is_no_library(tmp_path: Path) -> None:
    with pytest.raises(TemplateErrors, match="no email in this folder"):
        TemplateLibrary.load(tmp_path)


class Colour(StrEnum):
    RED = "red"


def test_a_string_enum_is_its_text(library: TemplateLibrary) -> None:
    assert library.render("note", {**CONTEXT, "greeting": Colour.RED}).subject == "A note for red"


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("greeting", None, "greeting is missing"),
        ("greeting", "", "greeting must not be empty"),
        ("greeting", 7, "greeting must be text"),
        ("greeting", Markup("<b>"), "greeting must be text"),
        ("greeting", "a\r\nBcc: b", "greeting holds a line break"),
        ("greeting", "a\u2028b", "greeting holds a line break"),
        ("apply_url", "javascript:alert(1)", "apply_url must be a link"),
        ("apply_url", "http://example.org", "apply_url must be a link"),
        ("apply_url", "https://", "apply_url must be a link"),
        ("dates", [], "dates must not be empty"),
        ("dates", "Tuesday", "dates must be a list of records"),
        ("dates", ["Tuesday"], "dates must be a list of records"),
        ("dates", [{}], "dates.words is missing"),
        ("dates", [{"words": object()}], "dates.words must be text"),
    ],
)
def test_a_wrong_value_is_named_and_never_shown(library: TemplateLibrary, name: str, value: object, fault: str) -> None:
    with pytest.raises(ContextInvalid) as error:
        library.render("note", {**CONTEXT, name: value})
    (told,) = error.value.faults
    assert told.startswith(fault)
    assert "Bcc" not in str(error.value)


def test_loopback_links_are_allowed_for_demonstrations(library: TemplateLibrary) -> None:
    library.render("note", {**CONTEXT, "apply_url": "http://127.0.0.1:8080/apply"})


def test_what_is_not_declared_does_not_reach_the_template(library: TemplateLibrary) -> None:
    library.render("note", {**CONTEXT, "secret": object()})
