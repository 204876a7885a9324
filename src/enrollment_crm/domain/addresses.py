"""Email addresses: when two are the same, and what can be one. They are written to as they were given."""

import re
import unicodedata

_LOCAL_CHARACTER = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\x80-\U0010ffff-]"
#: Blanks, control characters, half surrogate pairs, U+FFFD, what is no character for everybody, and the invisible
#: (Unicode's Default_Ignorable_Code_Point but for the joiners of Persian and Indic words): copied along, never meant.
_NEVER = (
    r"[\s\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202f"
    r"\u2060-\u206f\u3164\ud800-\uf8ff\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\U000e0000-\U0010ffff]"
)
_LETTER = r"[A-Za-z0-9\xa1-\U0010ffff]"
_LABEL = rf"{_LETTER}(?:(?:{_LETTER}|-){{0,61}}{_LETTER})?"

#: Regular expression of an address that mail can plausibly reach; the rule in expectations/ uses the same.
#: Narrower than RFC 5321 on purpose: a quoted local part or an IP address in a signup is a typing error.
#: Dots in odd places are allowed, because mailboxes with them exist.
PLAUSIBLE_ADDRESS = (
    rf"\A(?=.{{3,254}}\Z)(?!.*{_NEVER}){_LOCAL_CHARACTER}{{1,64}}@(?:{_LABEL}[.。．｡])+(?![0-9]+\Z){_LABEL}\Z"
)

_PLAUSIBLE = re.compile(PLAUSIBLE_ADDRESS)
_FULL_STOPS = str.maketrans("。．｡", "...")
_ENCODED = "xn--"


def is_plausible_address(address: str) -> bool:
    """Whether mail can plausibly reach the address; only sending tells whether it does."""
    return _PLAUSIBLE.match(address) is not None


def address_key(address: str) -> str:
    """What two spellings of one address have in common: no case, and the domain in its ASCII (IDNA) form.

    Dots and ``+tags`` stay: whether they matter is for the mail system of the domain to say, and a wrong
    guess would make one person of two. The domain is encoded label by label with the ``punycode`` codec, not
    with the ``idna`` codec of the standard library: that one is IDNA 2003 and would make ``straße.example``
    and ``strasse.example``, which have two owners, one.
    """
    local, at, domain = address.strip().rpartition("@")
    local = unicodedata.normalize("NFC", local.lower())
    if not domain.isascii() or _ENCODED in domain.lower():
        labels = unicodedata.normalize("NFKC", domain.lower()).translate(_FULL_STOPS).split(".")
        domain = ".".join(_encoded(label) for label in labels)
    return f"{local}{at}{domain.lower().rstrip('.')}"


def _encoded(label: str) -> str:
    """The label in ASCII; an encoded one is decoded first, so that its case makes no difference either."""
    if label.startswith(_ENCODED):
        try:
            label = label.removeprefix(_ENCODED).encode("ascii").decode("punycode")
        except UnicodeError:
            return label
        label = unicodedata.normalize("NFKC", label.lower())
    return label if label.isascii() else _ENCODED + label.encode("punycode").decode("ascii")
