import email
from email import policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrollment_crm.mail.bodies import CalendarFile, CalendarMethod, ContentRefused, calendar_part, html_part, text_part

TEXTS = (
    "plain\n",
    "no line end",
    "Hello 王小明,\n\n.\n..dots\nFrom the start\n",
    "x" * 3000,
    "é" * 3000,
    "tail \n",
    "a=b\n",
)


def content_of(part: bytes) -> str:
    content = email.message_from_bytes(part, policy=policy.default).get_content()
    assert isinstance(content, str)
    return content.replace("\r\n", "\n")


def assert_legal(part: bytes) -> None:
    assert part.isascii()
    assert part.endswith(b"\r\n")
    assert part.count(b"\n") == part.count(b"\r\n") == part.count(b"\r")
    assert max(map(len, part.split(b"\r\n"))) <= 998


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_read_back_as_it_was(text: str) -> None:
    part = text_part(text)
    assert_legal(part)
    assert content_of(part).removesuffix("\n") == text.removesuffix("\n")


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\x1a"), max_size=3000))
def test_any_text_is_read_back_as_it_was(text: str) -> None:
    part = text_part(text)
    assert_legal(part)
    assert content_of(part).removesuffix("\n") == text.removesuffix("\n")


def test_line_ends_of_every_kind_become_one_kind() -> None:
    assert content_of(text_part("a\r\nb\rc\nd")) == "a\nb\nc\nd\n"


def test_html_names_its_characters_in_ascii() -> None:
    part = html_part("<p>Zoë 王</p>\n")
    assert b"Content-Transfer-Encoding: 7bit" in part
    assert b"<p>Zo&#235; &#29579;</p>" in part


@pytest.mark.parametrize("length", [949, 950, 951, 5000])
def test_html_with_a_long_line_is_folded(length: int) -> None:
    part = html_part("short\n" + "x" * length + "\n" + "y" * 10)
    assert_legal(part)
    assert content_of(part) == "short\n" + "x" * length + "\n" + "y" * 10 + "\n"


def test_half_a_character_is_refused() -> None:
    with pytest.raises(ContentRefused, match="half a character"):
        text_part("a\ud800b")


def test_half_a_character_in_a_calendar_file_is_refused_too() -> None:
    with pytest.raises(ContentRefused, match="calendar file"):
        calendar_part(CalendarFile(CalendarMethod.PUBLISH, "SUMMARY:a\ud800b\r\n"))
