"""Encodings of files as other people's programs write them."""

import codecs
import re
from pathlib import Path

from enrollment_crm.sources.feed_errors import FeedUnreadableError

_SAMPLE_IN_BYTES = 64 * 1024
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: UTF-16 without a mark is told by NUL bytes, which then stand in every second place (of Latin text).
_MANY, _FEW = 0.3, 0.05
#: Bytes that are no UTF-8, as Python marks them.
_NO_UTF8 = re.compile("[\udc80-\udcff]")
_WORKBOOKS_AND_ARCHIVES = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"Rar!")
#: Documents, pictures, tables of other programs.
_NO_TEXT = (b"%PDF", b"{\\rtf", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"PAR1", b"SQLite format 3")


def encoding_of(file: Path) -> str:
    """What the text of a file is written in, as Python calls it: UTF-8, UTF-16, UTF-32, else Windows-1252.

    Raises:
        FeedUnreadableError: it is no text but a workbook or an archive.
    """
    with file.open("rb") as content:
        sample = content.read(_SAMPLE_IN_BYTES)
    if sample.startswith(_WORKBOOKS_AND_ARCHIVES):
        raise FeedUnreadableError(f"{file.name} is a workbook or an archive: save it as CSV (UTF-8) and drop that.")
    if sample.startswith(_NO_TEXT):
        raise FeedUnreadableError(
            f"{file.name} is no table of text, whatever its name says: export it as CSV (UTF-8) and drop that."
        )
    for mark, encoding in _BYTE_ORDER_MARKS:
        if sample.startswith(mark):
            return encoding
    return _unmarked_utf16(sample) or _utf8_or_windows(file)


def _unmarked_utf16(sample: bytes) -> str | None:
    pairs = len(sample) // 2 or 1
    first, second = sample[::2].count(0) / pairs, sample[1::2].count(0) / pairs
    if second > _MANY and first < _FEW:
        return "utf-16-le"
    return "utf-16-be" if first > _MANY and second < _FEW else None


def _utf8_or_windows(file: Path) -> str:
    """UTF-8 unless most of what is not ASCII is none: a few bad bytes must not garble every other name."""
    good = bad = 0
    with file.open(encoding="utf-8", errors="surrogateescape", newline="") as text:
        while chunk := text.read(1024 * 1024):
            if not chunk.isascii():
                escaped = len(_NO_UTF8.findall(chunk))
                bad += escaped
                good += len(chunk) - len(chunk.encode("ascii", "ignore")) - escaped
    return "cp1252" if bad > good else "utf-8"
