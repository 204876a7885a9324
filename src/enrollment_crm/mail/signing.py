"""HMACs of the mail floor: what comes back to us from outside is believed only if we signed it."""

import hashlib
import hmac


def sign(purpose: str, text: str, *, secret: bytes, length_in_bytes: int) -> str:
    """Lower-case hexadecimal HMAC-SHA256 of ``text``.

    The purpose is signed too, so that a signature made for one use is worth nothing in another. Hexadecimal,
    because mail servers may change the case of what passes through them.
    """
    digest = hmac.digest(secret, f"{purpose}\0{text}".encode(), hashlib.sha256)
    return digest[:length_in_bytes].hex()


def signature_holds(signature: str, expected: str) -> bool:
    """Compare in constant time, without regard to case, whatever characters the signature holds."""
    return hmac.compare_digest(signature.lower().encode("utf-8", "replace"), expected.encode())
