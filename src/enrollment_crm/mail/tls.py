"""TLS towards relays: verified, and no older than 1.2."""

import ssl
from pathlib import Path


def client_context(ca_file: Path | None = None) -> ssl.SSLContext:
    """What a session with a relay is secured by: name and certificate are checked (RFC 8314, RFC 8996).

    ``ca_file`` has the authorities that are trusted instead of the system's, in PEM.
    """
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
