"""The bounce mailbox, emptied: each letter read, taken in and committed, and only then filed."""

import logging
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from itertools import islice

from sqlalchemy import Engine

from enrollment_crm.mail.reports import LARGEST_READ_IN_BYTES, Reading, Verdict, read_letter
from enrollment_crm.sources.bounce_mailbox import (
    BounceMailbox,
    BrokenLettersError,
    Folder,
    Letter,
    MailboxError,
    MailboxUnreachableError,
)
from enrollment_crm.storage.engine import transaction
from enrollment_crm.workflows.feedback import take_feedback, total

_LOG = logging.getLogger(__name__)

#: Where a letter of each verdict is filed.
_FILED: Mapping[Verdict, Folder] = {
    Verdict.FEEDBACK: Folder.DONE,
    Verdict.NOTHING: Folder.DONE,
    Verdict.AUTOMATIC: Folder.DONE,
    Verdict.FORGED: Folder.FORGED,
    Verdict.REPLY: Folder.REPLIES,
    Verdict.UNREADABLE: Folder.UNREADABLE,
}


def empty_mailbox(
    engine: Engine, mailbox: BounceMailbox, *, secret: bytes, letters_a_run: int, now: datetime, dry_run: bool = False
) -> dict[str, int]:
    """Read what waits, take in what is believed, and file every letter; gives counts.

    A run that dies anywhere loses nothing and counts nothing twice: a letter that was taken in and not filed is
    recognised when it is read again. A dry run reads and counts, and leaves everything where it is.

    Raises:
        BrokenLettersError: after all others were taken in, where some letters cannot be read or filed.
        MailboxError: the mailbox cannot be read; what was taken in before stays, and is in its ``counts``.
    """
    counts: list[Counter[str]] = []
    unfiled: dict[str, str] = {}
    try:
        for letter in islice(mailbox.letters(largest_in_bytes=LARGEST_READ_IN_BYTES), letters_a_run):
            reading = read_letter(letter.content, source=mailbox.name, secret=secret, now=now)
            counts.append(_take_in(engine, reading, mailbox.name, dry_run=dry_run))
            if not dry_run:
                unfiled |= _file(mailbox, letter, _FILED[reading.verdict])
        if unfiled:
            raise BrokenLettersError(mailbox.name, unfiled)
    except MailboxError as error:
        error.counts = total(counts)
        raise
    return total(counts)


def _take_in(engine: Engine, reading: Reading, mailbox: str, *, dry_run: bool) -> Counter[str]:
    counts = Counter({"letters": 1})
    if reading.verdict is Verdict.UNREADABLE:
        _LOG.warning("A letter of %s cannot be read: look into its folder %s.", mailbox, Folder.UNREADABLE)
    if reading.feedback is None:
        return counts + Counter({reading.verdict.value: 1})
    with transaction(engine, dry_run=dry_run) as connection:
        return counts + take_feedback(connection, reading.feedback)


def _file(mailbox: BounceMailbox, letter: Letter, folder: Folder) -> dict[str, str]:
    """Files a letter; gives it with the reason where that cannot be: it is read again, and counts once."""
    try:
        mailbox.file(letter, folder)
    except MailboxUnreachableError as error:
        return {letter.key: str(error).rstrip(".")}
    return {}
