"""The rule by which a key came to be sent, in words for staff and auditors; numbers are those of the rules (R1 ...)."""

from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.reminders import in_words

_BEFORE_THE_DATE = frozenset({MessageKind.DEADLINE_REMINDER, MessageKind.CHECKLIST_REMINDER})


def rule_of_sent_key(kind: MessageKind, *, offset: str | None, catch_up: bool, of_message: MessageKind) -> str:
    """Why a key of this kind was sent.

    Args:
        kind: the key's own kind.
        offset: its offset, such as ``7d``; a notice has none that is one.
        catch_up: it was missed, and went out late.
        of_message: the kind of the message that covers it: an invitation can be folded into a reminder.
    """
    if kind in _BEFORE_THE_DATE:
        before = in_words(offset or "")
        if catch_up:
            return f"R6: the reminder of {before} before was missed, and was caught up with."
        return f"R3: {before} before the date, at the hour of their own clock."
    if kind is MessageKind.SESSION_INVITATION:
        folded = "R8: folded into the deadline reminder of that day; " if of_message is not kind else ""
        return f"{folded}R10: invited {in_words(offset or '')} before the session, not registered for it."
    if kind is MessageKind.SESSION_REMINDER:
        return f"R10: {in_words(offset or '')} before the session that they registered for."
    return _AT_ONCE[kind]


#: What goes out at once. The offset of a notice is the version that it tells of.
_AT_ONCE = {
    MessageKind.WELCOME: "R5: the first answer to a request for information, once.",
    MessageKind.APPLICATION_RECEIVED: "R5: the receipt of a submitted application, once.",
    MessageKind.DEADLINE_MOVED: "R9: a date that they had been reminded of has moved.",
    MessageKind.SESSION_CONFIRMATION: "R10: they registered for the session.",
    MessageKind.SESSION_MOVED: "R10: the session that they registered for has moved.",
    MessageKind.SESSION_CANCELLED: "R10: the session that they registered for was cancelled.",
}
