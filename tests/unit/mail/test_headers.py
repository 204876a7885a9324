import email
from email import policy
from email.header import decode_header, make_header
from email.utils import parseaddr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrollment_crm.mail.headers import HeaderRefused, address_header, text_header, token_header

INJECTIONS = ("a\r\nBcc: x@y.example", "a\nb", "a\rb", "a\u2028b", "a\u2029b", "a\x00b", "a\x85b", "a\ud800b")
SUBJECTS = (
    "Your fall 2027 early action deadline is in 7 days",
    "Fälle für müde Männer " * 8,
    "王小明" * 50,
    "🎓" * 30,
    "two  spaces",
    " leading",
    "=?utf-8?q?looks_encoded?=",
    "x" * 400,
    "a " * 200 + "b",
    "word " + "y" * 300,
)
NAMES = ("Ana", "O'Brien, Zoë", 'Ana "Z" B\\', "王小明", "محمد عبد الرحمن", "A. B.", "x" * 300, "é" * 100, "=?x?=")


def read_back(header: bytes) -> email.message.Message:
    return email.message_from_bytes(header + b"\r\n", policy=policy.default)


def assert_legal(header: bytes) -> None:
    assert header.isascii()
    assert header.endswith(b"\r\n")
    assert all(0 < len(line) <= 78 for line in header.removesuffix(b"\r\n").split(b"\r\n"))


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_subject_is_read_back_as_it_was(subject: str) -> None:
    header = text_header("Subject", subject)
    assert_legal(header)
    assert read_back(header)["Subject"] == subject


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp", "Cs"]), min_size=1, max_size=120))
def test_any_printable_subject_is_read_back_as_it_was(subject: str) -> None:
    header = text_header("Subject", subject)
    assert_legal(header)
    assert read_back(header)["Subject"] == subject


@pytest.mark.parametrize("name", NAMES)
def test_a_display_name_is_read_back_as_it_was(name: str) -> None:
    header = address_header("To", name, "ana@example.org")
    assert_legal(header)
    # Python 3.11's newer parser puts a space between encoded words of a phrase (against RFC 2047 6.2).
    unfolded = str(email.message_from_bytes(header + b"\r\n")["To"])
    phrase, address = parseaddr("".join(unfolded.splitlines()))
    assert (str(make_header(decode_header(phrase))), address) == (name, "ana@example.org")


def test_without_a_name_the_address_stands_alone() -> None:
    assert address_header("To", " ", "ana@example.org") == b"To: ana@example.org\r\n"


@pytest.mark.parametrize("value", INJECTIONS)
def test_a_value_that_would_break_out_of_its_line_is_refused(value: str) -> None:
    for write in (text_header, token_header):
        with pytest.raises(HeaderRefused, match="Subject holds a line break"):
            write("Subject", value)
    with pytest.raises(HeaderRefused):
        address_header("To", value, "ana@example.org")
    with pytest.raises(HeaderRefused):
        address_header("To", "Ana", value)


def test_a_token_must_be_ascii() -> None:
    with pytest.raises(HeaderRefused, match="must be ASCII"):
        token_header("Feedback-ID", "früh:1")
