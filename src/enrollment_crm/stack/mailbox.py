"""A mail server of this machine that delivers nothing and keeps everything: each message a file of a Maildir.

    python -m enrollment_crm.stack.mailbox --port 1025 --directory build/stack/mail

What was answered with 250 is on the disk: written, synced, renamed from tmp/ to new/, the folder synced too.
"""

import argparse
import asyncio
import signal
import smtplib
import sys
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from enrollment_crm.mail.maildir import Maildir
from enrollment_crm.stack.ports import LOOPBACK
from enrollment_crm.stack.programs import Service

_LARGEST_MESSAGE_IN_BYTES = 10 * 1024 * 1024
#: SMTP's answer to what it has done.
_COMPLETED = 250


class _Handler:
    """Answers aiosmtpd's questions."""

    def __init__(self, maildir: Maildir) -> None:
        self._maildir = maildir

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.original_content or b""
        # In a thread: other connections go on while this one waits for the disk.
        await asyncio.to_thread(
            self._maildir.keep, content, sender=envelope.mail_from or "", recipients=envelope.rcpt_tos
        )
        return f"{_COMPLETED} 2.0.0 Kept"


async def serve(port: int, directory: Path) -> None:
    """Serve until SIGTERM or SIGINT."""
    handler = _Handler(Maildir(directory))
    loop = asyncio.get_running_loop()

    def connection() -> SMTP:
        return SMTP(
            handler,
            data_size_limit=_LARGEST_MESSAGE_IN_BYTES,
            enable_SMTPUTF8=True,
            hostname="localhost",
            ident="enrollment-crm mailbox",
            loop=loop,
        )

    stopped = asyncio.Event()
    for wanted in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(wanted, stopped.set)
    server = await loop.create_server(connection, LOOPBACK, port)
    async with server:
        await stopped.wait()


def service(port: int, directory: Path) -> Service:
    """The mailbox as a service of the stack."""
    command = [sys.executable, "-m", __name__, "--port", str(port), "--directory", str(directory)]

    def greets(_started_at: float) -> bool:
        with smtplib.SMTP(LOOPBACK, port, local_hostname="localhost", timeout=2) as session:
            code, _ = session.noop()
        return code == _COMPLETED

    return Service("mailbox", command, greets, stop_within_in_seconds=3)


def main() -> None:
    """The command line of this module."""
    parser = argparse.ArgumentParser(prog="python -m enrollment_crm.stack.mailbox", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--directory", type=Path, required=True)
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.port, arguments.directory))


if __name__ == "__main__":
    main()
