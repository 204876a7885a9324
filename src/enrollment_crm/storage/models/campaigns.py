"""What holds sending back: campaigns that were stopped, and the pace of recipient domains. No people."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.storage.models.base import Base, Id, is_one_of


class CampaignStopRow(Base):
    """A kind of message that was stopped; it goes on when a person has resumed it. One stop of a kind is open."""

    __tablename__ = "campaign_stop"
    __table_args__ = (
        CheckConstraint(is_one_of("kind", MessageKind), name="kind_is_known"),
        Index("uq_campaign_stop_open", "kind", unique=True, postgresql_where=text("resumed_at IS NULL")),
    )

    id: Mapped[Id]
    kind: Mapped[str]
    #: In words, without an address.
    reason: Mapped[str]
    stopped_at: Mapped[datetime]
    #: When operations were told; NULL: not yet.
    told_at: Mapped[datetime | None]
    resumed_at: Mapped[datetime | None]
    #: pii: the name of a member of staff.
    resumed_by: Mapped[str] = mapped_column(server_default=text("''"))
    #: What was mended.
    remedy: Mapped[str] = mapped_column(server_default=text("''"))


class DomainPaceRow(Base):
    """How far the messages to one recipient domain have come; only domains that have a limit in the settings."""

    __tablename__ = "domain_pace"

    domain: Mapped[str] = mapped_column(primary_key=True)
    #: By the database's clock: when the next message may go, if none were allowed ahead of time.
    next_at: Mapped[datetime]
    #: By the database's clock: when the last of those that wait has its turn.
    backlog_until: Mapped[datetime]
