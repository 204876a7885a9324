"""The bounce mailbox, emptied: each letter read, taken in and committed, and only then filed."""

import logging
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from itertools import islice

from sqlalchemy import Engine

from enrollment_crm.mail.reports import LARGEST_READ_IN_BYTES, Verdict, read_letter
from enrollment_crm.sources.bounce_mailbox import BounceMailbox, Folder
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
        MailboxError: the mailbox cannot be read; what was taken in before stays.
    """
    counts: list[Counter[str]] = []
    for letter in islice(mailbox.letters(largest_in_bytes=LARGEST_READ_IN_BYTES), letters_a_run):
        reading = read_letter(letter.content, source=mailbox.name, secret=secret, now=now)
        counts.append(Counter({"letters": 1}))
        if reading.feedback is None:
            counts.append(Counter({reading.verdict.value: 1}))
        else:
            with transaction(engine, dry_run=dry_run) as connection:
                counts.append(take_feedback(connection, reading.feedback))
        if reading.verdict is Verdict.UNREADABLE:
            _LOG.warning("A letter of %s cannot be read: look into its folder %s.", mailbox.name, Folder.UNREADABLE)
        if not dry_run:
            mailbox.file(letter, _FILED[reading.verdict])
    return total(counts)
