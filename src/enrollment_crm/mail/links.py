"""Which links an email may have: https, mailto, and http only to this machine (demonstrations)."""

from functools import lru_cache
from urllib.parse import urlsplit

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@lru_cache(maxsize=4096)
def link_is_allowed(url: str) -> bool:
    """Whether a reader may be sent to this address."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    if parts.scheme == "mailto":
        return "@" in parts.path
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK))
