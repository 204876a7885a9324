"""Bytes that the database keeps compressed.

PostgreSQL's own compression (pglz) costs more than everything else it does for a message; Zstandard takes a tenth of
that, leaves a third less, and less travels.
"""

import zstandard
from sqlalchemy import Dialect, LargeBinary, TypeDecorator

#: Higher levels take longer than what they save is worth: a message is mostly the words of its template.
_LEVEL = 1


def compressed(octets: bytes) -> bytes:
    """As `CompressedBytes` stores them: one Zstandard frame."""
    return zstandard.compress(octets, _LEVEL)


class CompressedBytes(TypeDecorator[bytes]):
    """Bytes outside of the database, a Zstandard frame (RFC 8878) in it. SQL can neither compare nor search them."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: bytes | None, _dialect: Dialect) -> bytes | None:
        """On the way in."""
        return None if value is None else compressed(value)

    def process_result_value(self, value: bytes | None, _dialect: Dialect) -> bytes | None:
        """On the way out; what somebody made no frame of comes as it is, and its hash gives it away."""
        if value is None:
            return None
        try:
            return zstandard.ZstdDecompressor().decompress(value, allow_extra_data=False)
        except zstandard.ZstdError:
            return value
