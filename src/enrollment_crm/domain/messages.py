"""The kinds of message that the pipeline sends."""

from enum import StrEnum


class MessageKind(StrEnum):
    """What a message is for. The folder of its template has the same name with hyphens."""

    #: The first answer to a request for information, once for each program and entry term.
    WELCOME = "welcome"
    #: A deadline of the reader draws near (R3).
    DEADLINE_REMINDER = "deadline_reminder"
    #: A prep session that the reader registered for draws near (R10).
    SESSION_REMINDER = "session_reminder"
    #: A submitted application has reached us.
    APPLICATION_RECEIVED = "application_received"

    @property
    def template_name(self) -> str:
        """Folder of this kind under ``templates/email/``."""
        return self.value.replace("_", "-")
