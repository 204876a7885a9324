"""The kinds of message that the pipeline sends."""

from enum import StrEnum


class MessageKind(StrEnum):
    """What a message is for. The folder of its template has the same name with hyphens."""

    #: The first answer to a request for information, once for each program and entry term.
    WELCOME = "welcome"
    #: A deadline of the reader draws near (R3). An invitation of the same day may be folded into it (R8).
    DEADLINE_REMINDER = "deadline_reminder"
    #: A deadline that the reader was reminded of has another date (R9).
    DEADLINE_MOVED = "deadline_moved"
    #: A prep session that would help the reader, who is not registered and has not submitted (R10).
    SESSION_INVITATION = "session_invitation"
    #: The reader has registered for a prep session; carries its calendar file (R10).
    SESSION_CONFIRMATION = "session_confirmation"
    #: A prep session that the reader registered for draws near (R10).
    SESSION_REMINDER = "session_reminder"
    #: A prep session that the reader registered for has another start; carries its calendar file (R10).
    SESSION_MOVED = "session_moved"
    #: A prep session that the reader registered for will not take place; takes it out of the calendar (R10).
    SESSION_CANCELLED = "session_cancelled"
    #: A submitted application has reached us.
    APPLICATION_RECEIVED = "application_received"
    #: A deadline draws near, and something of the reader's submitted application is not yet processed.
    CHECKLIST_REMINDER = "checklist_reminder"

    @property
    def template_name(self) -> str:
        """Folder of this kind under ``templates/email/``."""
        return self.value.replace("_", "-")
