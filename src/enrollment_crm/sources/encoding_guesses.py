"""Guesses at the encoding of a text that is no Unicode and does not say what it is.

Most of such files are Windows-1252. A guess at another encoding of Latin letters (Czech, Turkish) differs from it in a
few letters only, and so has to be sure; other scripts leave no doubt. What was measured is in ADR 0022.
"""

from collections.abc import Iterable, Sequence

from chardetng_py import EncodingDetector

#: What almost everything is that is no Unicode, by the name that people know.
_COMMONEST = "windows-1252"
_ALSO_LATIN = frozenset({"windows-1250", "windows-1254", "windows-1257", "windows-1258", "ISO-8859-2", "ISO-8859-4"})
#: Of so many parts of the words each has to give the same guess by itself.
_PARTS = 3


def guessed_encoding(words: Sequence[bytes]) -> str:
    """The likeliest encoding, by the name that web browsers have for it.

    Args:
        words: different ones, each with bytes beyond ASCII.
    """
    guess = _guess(words)
    is_sure = guess not in _ALSO_LATIN or all(_guess(words[part::_PARTS]) == guess for part in range(_PARTS))
    return guess if is_sure else _COMMONEST


def _guess(words: Iterable[bytes]) -> str:
    detector = EncodingDetector()
    detector.feed(b"\n".join(words), last=True)
    return str(detector.guess(tld=None, allow_utf8=False))
