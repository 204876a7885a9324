"""Encodings of files as other people's programs write them."""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from enrollment_crm.sources.encoding_guesses import guessed_encoding
from enrollment_crm.sources.feed_errors import FeedUnreadableError

_SAMPLE_IN_BYTES = 64 * 1024
_CHUNK_IN_CHARACTERS = 1024 * 1024
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: Unicode without a mark is told by NUL bytes: they stand in every second place of UTF-16 (of Latin text), and in two
#: of four places of UTF-32.
_ALMOST_ALL, _MANY, _FEW = 0.95, 0.3, 0.05
#: Where bytes are read in pairs, some make letters by accident: with more than these lost, the others are none either.
_FEW_LOST = 0.1
#: Bytes that are no UTF-8, as Python marks them.
_NO_UTF8 = re.compile("[\udc80-\udcff]")
_WORKBOOKS_AND_ARCHIVES = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"Rar!")
#: Documents, pictures, tables of other programs.
_NO_TEXT = (b"%PDF", b"{\\rtf", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"PAR1", b"SQLite format 3")
#: What stands between words. A bar does not: it is the second half of letters in East Asian encodings.
_BETWEEN_WORDS = re.compile(rb'[\s,;"]+')
_WORDS_IN_BYTES = 64 * 1024
#: Encodings that programs name and do not keep to: what they write is a larger one, as web browsers know.
_LARGER = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}
#: Encodings of names of hosts and of letters in programs.
_NOT_OF_FILES = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"})
_UNKNOWN_TO_PYTHON = {"windows-874": "cp874"}


class Encoding(NamedTuple):
    """What the text of a file is written in."""

    #: As Python calls it.
    name: str
    #: What it was taken for, by the name that people know; empty: a mark, its source or the text itself says it.
    assumed: str = ""


def is_encoding(name: str) -> bool:
    """Whether there is an encoding of this name."""
    try:
        return bool(codec_named(name))
    except (LookupError, ValueError):
        return False


def codec_named(name: str) -> str:
    """What Python calls an encoding, or the larger one that is meant by it.

    Raises:
        LookupError: there is none of that name.
    """
    known = _UNKNOWN_TO_PYTHON.get(name.lower(), name)
    "a".encode(known)  # which what turns bytes into bytes refuses
    found = codecs.lookup(known).name
    if found.replace("_", "-") in _NOT_OF_FILES:
        raise LookupError(name)
    return _LARGER.get(found, found)


def encoding_of(file: Path, stated: str = "") -> Encoding:
    """What the text of a file is written in: what is stated, what its mark says, Unicode, or else what is likeliest.

    Args:
        stated: by the file of its source; empty: nothing is.

    Raises:
        FeedUnreadableError: it is no text but a workbook or an archive, or it is not in the encoding that is stated.
    """
    with file.open("rb") as content:
        sample = content.read(_SAMPLE_IN_BYTES)
    _check_text(file, sample)
    marked = next((encoding for mark, encoding in _BYTE_ORDER_MARKS if sample.startswith(mark)), None)
    if stated:
        said = marked or _unmarked_unicode(sample)
        return Encoding(said if said and _is_of(said, stated) else _stated(file, stated, is_marked=bool(marked)))
    if known := marked or _unmarked_unicode(sample):
        return Encoding(known)
    if _is_mostly_utf8(file):
        return Encoding("utf-8")
    guess = guessed_encoding(list(_words_beyond_ascii(file)))
    return Encoding(codec_named(guess), assumed=guess)


def _check_text(file: Path, sample: bytes) -> None:
    if sample.startswith(_WORKBOOKS_AND_ARCHIVES):
        raise FeedUnreadableError(f"{file.name} is a workbook or an archive: save it as CSV (UTF-8) and drop that.")
    if sample.startswith(_NO_TEXT):
        raise FeedUnreadableError(
            f"{file.name} is no table of text, whatever its name says: export it as CSV (UTF-8) and drop that."
        )


def _unmarked_unicode(sample: bytes) -> str | None:
    quarter = len(sample) // 4 or 1
    zeros = [sample[place::4].count(0) / quarter for place in range(4)]
    if min(zeros[2:]) > _ALMOST_ALL and zeros[0] < _FEW:
        return "utf-32-le"
    if min(zeros[:2]) > _ALMOST_ALL and zeros[3] < _FEW:
        return "utf-32-be"
    first, second = (zeros[0] + zeros[2]) / 2, (zeros[1] + zeros[3]) / 2
    if second > _MANY and first < _FEW:
        return "utf-16-le"
    return "utf-16-be" if first > _MANY and second < _FEW else None


def _is_of(said: str, stated: str) -> bool:
    """Whether a form of Unicode that a text shows is the stated one, of which the order of bytes may be left open."""
    codec = codec_named(stated)
    return said.startswith(codec) or codec.startswith(said.removesuffix("-sig"))


def _stated(file: Path, stated: str, *, is_marked: bool) -> str:
    codec = codec_named(stated)
    try:
        good, bad = _letters(file, codec)
    except UnicodeError:  # UTF-16 and UTF-32 without a mark, or what a codec makes of no text of its own
        good, bad = 0, 1
    if is_marked or bad > good * (1 if codec == "utf-8" else _FEW_LOST):
        raise FeedUnreadableError(
            f"{file.name} is not written in {stated}, as is stated: correct the encoding where it is stated "
            "(config/sources/), or have it exported in that one."
        )
    if not codec.startswith("utf"):
        good, bad = _letters(file, "utf-8")
        if good and not bad:
            raise FeedUnreadableError(
                f"{file.name} is UTF-8 and not {stated}, as is stated: take the encoding out where it is stated "
                "(config/sources/), or have it exported in that one."
            )
    return codec


def _is_mostly_utf8(file: Path) -> bool:
    """UTF-8 unless most of what is not ASCII is none: a few bad bytes must not garble every other name."""
    good, bad = _letters(file, "utf-8")
    return bad <= good


def _letters(file: Path, codec: str) -> tuple[int, int]:
    """How many characters that are no ASCII can be read, and how many bytes or sequences cannot."""
    errors, lost = ("surrogateescape", _NO_UTF8) if codec == "utf-8" else ("replace", re.compile("\ufffd"))
    good = bad = 0
    with file.open(encoding=codec, errors=errors, newline="") as text:
        while chunk := text.read(_CHUNK_IN_CHARACTERS):
            if not chunk.isascii():
                faults = len(lost.findall(chunk))
                bad += faults
                good += len(chunk) - len(chunk.encode("ascii", "ignore")) - faults
    return good, bad


def _words_beyond_ascii(file: Path) -> Iterator[bytes]:
    """The first different words with bytes that are no ASCII, as many as a guess needs."""
    seen, size = set[bytes](), 0
    with file.open("rb") as content:
        while (line := content.readline(_CHUNK_IN_CHARACTERS)) and size < _WORDS_IN_BYTES:
            for word in () if line.isascii() else _BETWEEN_WORDS.split(line):
                if not word.isascii() and word not in seen:
                    seen.add(word)
                    size += len(word)
                    yield word
