"""A look at the relay: one session that says hello, turns to TLS, signs in, and sends nothing."""

import contextlib
import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from enrollment_crm.mail.smtp_session import SmtpOptions, opened_session


@dataclass(frozen=True)
class RelayLook:
    """What the relay offers, once the session is as it is for messages."""

    #: EHLO keywords in lower case, with their parameters.
    offers: dict[str, str]
    #: ``TLSv1.3``; empty: the session is plain.
    tls_version: str
    #: When the certificate ends; None: plain.
    certificate_ends: datetime | None

    @property
    def largest_message_in_octets(self) -> int | None:
        """What SIZE says; None: no limit is told."""
        limit = self.offers.get("size", "").strip()
        return int(limit) if limit.isdecimal() and int(limit) else None


def look_at_relay(options: SmtpOptions) -> RelayLook:
    """Open a session as a worker does, and leave again.

    Raises:
        TransportError: it cannot be opened; the sentence says why.
    """
    session = opened_session(options)
    try:
        secured = session.sock if isinstance(session.sock, ssl.SSLSocket) else None
        certificate = secured.getpeercert() if secured else None
        return RelayLook(
            offers=dict(session.esmtp_features),
            tls_version=(secured.version() or "") if secured else "",
            certificate_ends=_ends(certificate) if certificate else None,
        )
    finally:
        with contextlib.suppress(OSError, smtplib.SMTPException):
            session.quit()
        session.close()


def _ends(certificate: Mapping[str, object]) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
