"""Application prep sessions: dated events that people register for (R10)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class PrepSession:
    """A session as it stands now; ``sequence`` counts its changes, as calendar files do."""

    id: str
    title: str
    #: Instant (UTC) of the start.
    starts: datetime
    #: IANA zone on whose wall clock the session is announced.
    zone: str
    minutes: int
    location: str
    url: str
    sequence: int = 0
    #: When it was announced, or moved last; None: not known.
    changed_at: datetime | None = None
    cancelled_at: datetime | None = None

    @property
    def ends(self) -> datetime:
        """Instant (UTC) of the end."""
        return self.starts.astimezone(UTC) + timedelta(minutes=self.minutes)

    @property
    def local_start(self) -> datetime:
        """The start on the session's own wall clock."""
        return self.starts.astimezone(ZoneInfo(self.zone))
