"""The bodies of a message as parts of a multipart: ASCII as it is, anything else quoted-printable."""

import binascii
from dataclasses import dataclass
from enum import StrEnum

#: SMTP ends a line at 998 octets (RFC 5321 4.5.3.1.6); a little less, for what relays put in.
_LONGEST_LINE = 950


class ContentRefused(ValueError):
    """A body holds half a character (a lone surrogate). Clean the value where it comes from; a retry does not help."""


class CalendarMethod(StrEnum):
    """What a calendar does with a file (RFC 5546)."""

    #: Makes the entry, or replaces one with a lower SEQUENCE.
    PUBLISH = "PUBLISH"
    #: Takes the entry away.
    CANCEL = "CANCEL"


@dataclass(frozen=True, slots=True)
class CalendarFile:
    """A calendar file (RFC 5545) that a message carries beside its words."""

    method: CalendarMethod
    text: str


def text_part(text: str) -> bytes:
    """The plain text with its headers."""
    try:
        return _part("plain", text.encode())
    except UnicodeEncodeError as error:
        raise ContentRefused("The text holds half a character: clean the data it comes from.") from error


def html_part(html: str) -> bytes:
    """The HTML with its headers.

    HTML can name every character in ASCII, so that it needs no encoding that turns 20 KB over for each person.
    """
    return _part("html", html.encode("ascii", "xmlcharrefreplace"))


def calendar_part(file: CalendarFile) -> bytes:
    """The calendar file with its headers; the method stands there too (RFC 6047), the same as in the file."""
    try:
        return _part(f"calendar; method={file.method.value}", file.text.encode())
    except UnicodeEncodeError as error:
        raise ContentRefused("The calendar file holds half a character: clean the data it comes from.") from error


def _part(subtype: str, octets: bytes) -> bytes:
    if b"\r" in octets:
        octets = octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    octets = (octets.removesuffix(b"\n") + b"\n").replace(b"\n", b"\r\n")
    encoding = "7bit"
    if not octets.isascii() or b"\0" in octets or _has_long_line(octets):
        # The line end that it finds first is the one that binascii writes.
        encoding, octets = "quoted-printable", binascii.b2a_qp(octets, istext=True)
    head = f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return head.encode() + octets


def _has_long_line(octets: bytes) -> bool:
    """Leap from line end to line end, as far as a line may reach: some 20 leaps instead of 700 lines."""
    start = 0
    while len(octets) - start > _LONGEST_LINE:
        line_end = octets.rfind(b"\n", start, start + _LONGEST_LINE)
        if line_end < 0:
            return True
        start = line_end + 1
    return False
