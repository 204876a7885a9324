"""Topics: what a reader can choose to be written to about."""

from collections.abc import Mapping
from enum import StrEnum


class Topic(StrEnum):
    """What marketing mail is about; each email names its topic in ``email.yml``."""

    #: Reminders before deadlines, and notices that one has moved.
    DEADLINES = "deadlines"
    #: Invitations to prep sessions. About a session that somebody registered for they are written to all the same.
    SESSIONS = "sessions"
    #: News of the program; the welcome is the first.
    NEWS = "news"


#: Each topic in the words of the preference page: what it is, and what one misses without it.
TOPICS_IN_WORDS: Mapping[Topic, tuple[str, str]] = {
    Topic.DEADLINES: ("Deadlines", "Reminders 30, 14, 7 and 1 days before your own deadlines, and when one moves."),
    Topic.SESSIONS: ("Prep sessions", "Invitations to sessions that help with the application."),
    Topic.NEWS: ("Program news", "What is new in the program that you asked about."),
}

#: Links in emails sent before there were topics name this one; it meant all marketing mail, and still does.
ALL_IN_OLD_LINKS = "admissions"
