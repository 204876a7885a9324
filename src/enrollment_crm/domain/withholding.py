"""Why a message that was due did not go out."""

from collections.abc import Mapping
from enum import StrEnum


class WithholdReason(StrEnum):
    """Why a message that was due did not go out (R6, R7). A closed list: ledger rows carry it, ops count it."""

    #: A newer reminder of the same deadline was due as well: one useful message, never a burst (R6).
    COLLAPSED = "collapsed"
    #: A missed reminder whose successor is so near that it would only be repeated (R6).
    TOO_CLOSE_TO_NEXT = "too_close_to_next"
    #: The deadline is over or nearly so, or a session's hour has passed (R6, R10).
    TOO_LATE = "too_late"
    #: An application for that term has been submitted.
    SUBMITTED = "submitted"
    #: The person does not want messages of this kind; a new signup frees the key again (R7).
    UNSUBSCRIBED = "unsubscribed"
    #: Their address does not exist any more.
    BOUNCED = "bounced"
    #: They reported a message as spam.
    COMPLAINED = "complained"
    #: Their data was erased.
    ERASED = "erased"
    #: They are the same person as another record, which is written to instead.
    MERGED = "merged"
    #: It waited for the morning, and its deadline changed meanwhile; the key stays free (R9).
    SUPERSEDED = "superseded"
    #: A record that was merged into this one had it.
    ALREADY_SENT = "already_sent"
    #: Everything that a checklist reminder would have named has been processed since it was claimed.
    COMPLETE = "complete"
    #: They have paused what is not an answer to them; the points of a pause are not caught up when it ends by itself.
    PAUSED = "paused"
    #: They were written to on the ground of an inquiry, and that has run out (CASL).
    CONSENT_OVER = "consent_over"
    #: A member of staff put their address on the suppression list.
    SUPPRESSED = "suppressed"


#: Each reason in words for staff, with the rule that it follows from.
REASONS_IN_WORDS: Mapping[WithholdReason, str] = {
    WithholdReason.COLLAPSED: "A newer reminder of the same deadline was due as well: one message, never a burst (R6).",
    WithholdReason.TOO_CLOSE_TO_NEXT: "It was missed, and the next reminder was so near that it says the same (R6).",
    WithholdReason.TOO_LATE: "Too little was left, or nothing, until the deadline or the session (R6, R10).",
    WithholdReason.SUBMITTED: "An application for that term has been submitted (R7).",
    WithholdReason.UNSUBSCRIBED: "They have unsubscribed from messages of this topic (R7).",
    WithholdReason.PAUSED: "They have paused such messages until a date that had not come (R7).",
    WithholdReason.CONSENT_OVER: "An inquiry allows six months of such messages in Canada, and they were over (R7).",
    WithholdReason.BOUNCED: "Their address does not exist any more: a message came back for good (R7).",
    WithholdReason.COMPLAINED: "They reported a message as spam (R7).",
    WithholdReason.SUPPRESSED: "A member of staff put their address on the suppression list (R7).",
    WithholdReason.ERASED: "Their data was erased (R7).",
    WithholdReason.MERGED: "They are the same person as another record, which is written to instead (R7).",
    WithholdReason.SUPERSEDED: "It waited for the morning, and its deadline changed before that (R6, R9).",
    WithholdReason.ALREADY_SENT: "A record that was merged into this one has had it (R5).",
    WithholdReason.COMPLETE: "Nothing of the application awaits anything any more (R7).",
}
