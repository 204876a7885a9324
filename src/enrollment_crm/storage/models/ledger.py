"""The ledger: which message covers which keys, and what became of it."""

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Sequence,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from enrollment_crm.domain.ledger import MessageState
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.withholding import WithholdReason
from enrollment_crm.storage.models.base import Base, Id, PersonId, is_one_of
from enrollment_crm.storage.models.compression import CompressedBytes

MESSAGE_IDS = Sequence("message_id_seq", metadata=Base.metadata, data_type=BigInteger())


class MessageRow(Base):
    """One email to one person: claimed, transmitted, accepted. A row exists from the first claim on.

    .. pii: ``content`` is the message with the person's name and address.
    """

    __tablename__ = "message"
    __table_args__ = (
        CheckConstraint(is_one_of("kind", MessageKind), name="kind_is_known"),
        CheckConstraint(is_one_of("state", MessageState), name="state_is_known"),
        # Exports of an audit, and the share of complaints among what went out lately.
        Index("ix_message_accepted", "accepted_at", "kind", postgresql_where=text("accepted_at IS NOT NULL")),
        Index(
            "ix_message_unfinished",
            "kind",
            "lease_until",
            postgresql_where=text("state IN ('claimed', 'transmitting', 'retry')"),
        ),
    )

    #: Handed out before its covers are written: they decide whether the message comes to be.
    id: Mapped[int] = mapped_column(BigInteger, MESSAGE_IDS, primary_key=True, autoincrement=False)
    person_id: Mapped[PersonId]
    kind: Mapped[str]
    #: The instant of the point, or of the arrival that is answered.
    due_at: Mapped[datetime]
    state: Mapped[str]
    #: Grows with each claim; a worker with an older one has lost the message.
    token: Mapped[int] = mapped_column(server_default=text("1"))
    #: By the database's clock: until then the message belongs to its worker.
    lease_until: Mapped[datetime | None]
    #: By the database's clock: not before then.
    retry_at: Mapped[datetime | None]
    #: How often transmission began.
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    #: A copy may have left, and handing it over again was harmless when that was asked: to be asked again before it is.
    may_have_left: Mapped[bool] = mapped_column(server_default=text("false"))
    #: How often the relay said no or later, before or after transmission: the pause grows with it.
    refusals: Mapped[int] = mapped_column(server_default=text("0"))
    #: Constant over all attempts.
    message_id: Mapped[str | None] = mapped_column(unique=True)
    #: Version of the template that the bytes were made of.
    template_version: Mapped[str | None]
    #: pii: the bytes as they were frozen before the first transmission.
    content: Mapped[bytes | None] = mapped_column(CompressedBytes)
    content_sha256: Mapped[str | None]
    #: When the pipeline claimed it, by the pipeline's clock.
    claimed_at: Mapped[datetime]
    #: When its last transmission began, by the database's clock.
    transmitting_at: Mapped[datetime | None]
    #: When the relay took it, by the pipeline's clock; what it said is ``outcome``.
    accepted_at: Mapped[datetime | None]
    #: What the relay answered, or why the message failed. Without the address.
    outcome: Mapped[str | None]
    withheld: Mapped[str | None]


class CoverRow(Base):
    """One key of R5, and what became of it: the message that covers it, or the reason that withheld it.

    The unique key is what makes every message go out once, whatever runs twice. A cover that was withheld for a reason
    which uses up no key (``superseded``), or whose reason has been lifted (``unsubscribed``), is ``released``.
    """

    __tablename__ = "cover"
    __table_args__ = (
        Index(
            "uq_cover_key",
            "person_id",
            "kind",
            "program",
            "entry_term",
            "round",
            "stated_date",
            "prep_session_id",
            "session_starts",
            "offset",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("NOT released"),
        ),
        CheckConstraint("(message_row_id IS NULL) <> (withheld IS NULL)", name="sent_or_withheld"),
        CheckConstraint(f"withheld IS NULL OR {is_one_of('withheld', WithholdReason)}", name="withheld_is_known"),
    )

    id: Mapped[Id]
    person_id: Mapped[PersonId]
    kind: Mapped[str]
    program: Mapped[str | None]
    entry_term: Mapped[str | None]
    round: Mapped[str | None]
    stated_date: Mapped[date | None]
    prep_session_id: Mapped[str | None]
    session_starts: Mapped[datetime | None]
    #: ``7d``, ``1h``; of a notice that something has moved, the version that it tells of.
    offset: Mapped[str | None]
    #: A point that was missed, and went out late (R6).
    catch_up: Mapped[bool] = mapped_column(server_default=text("false"))
    due_at: Mapped[datetime]
    #: Deferred: a cover is written before the message that it decides on, in one transaction.
    message_row_id: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("message.id", deferrable=True, initially="DEFERRED"), index=True
    )
    withheld: Mapped[str | None]
    #: The key is free again: a record of what happened, and no more.
    released: Mapped[bool] = mapped_column(server_default=text("false"))
    recorded_at: Mapped[datetime]
