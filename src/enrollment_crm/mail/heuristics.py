"""Bounces that follow no standard: recognised by ``flufl.bounce``, the detectors that GNU Mailman has collected."""

import logging
from dataclasses import dataclass
from email.message import Message

from flufl.bounce import all_failures

from enrollment_crm.domain.bounces import BounceClass, class_of_bounce, failure_status
from enrollment_crm.mail.report_parts import text_of, without_addresses

# It writes a line for each detector that it tries, and the whole traceback of one that failed.
logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class Failure:
    """What the words of a letter come to."""

    is_temporary: bool
    #: Enhanced status code; ``4.0.0`` or ``5.0.0`` where the words hold none.
    status: str
    words: str


def looks_failed(letter: Message, *, by_code_alone: bool) -> Failure | None:
    """Whether the letter is a bounce of a known form; None: nothing says so.

    Whose address failed is not asked: the VERP address says which message it was.

    Args:
        by_code_alone: a 5.x.x in the words is enough. From anybody but a mail system it is a date or a room.
    """
    try:
        temporary, permanent = all_failures(letter)
    except Exception:
        temporary, permanent = frozenset(), frozenset()
    words = _first_text(letter)
    status = failure_status(words)
    if permanent or (by_code_alone and status and status.startswith("5.") and not temporary):
        return Failure(is_temporary=False, status=status or "5.0.0", words=_line_with(words, status))
    if not temporary:
        return None
    given_up = status is not None and class_of_bounce(status) is BounceClass.HARD
    return Failure(is_temporary=not given_up, status=status or "4.0.0", words=_line_with(words, status))


def _first_text(letter: Message) -> str:
    """The human part in front; what a report returns comes later and is not ours to judge."""
    for part in letter.walk():
        if part.get_content_type() in {"message/rfc822", "message/global", "text/rfc822-headers"}:
            break
        if part.get_content_maintype() == "text":
            return text_of(part)
    return ""


def _line_with(words: str, status: str | None) -> str:
    lines = [line for line in words.splitlines() if line.strip()]
    telling = (line for line in lines if status is not None and status in line)
    return without_addresses(next(telling, lines[0] if lines else ""))
