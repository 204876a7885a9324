"""What comes back from the world about people and messages, each thing taken in once."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from enrollment_crm.domain.suppressions import SuppressionReason
from enrollment_crm.storage.models.base import Base, Id, PersonId, is_one_of


class ReceivedFactRow(Base):
    """A fact that has been taken in, by the name that its source gave it: delivered again, it is not new. No people."""

    __tablename__ = "received_fact"

    source: Mapped[str] = mapped_column(primary_key=True)
    #: The source's own name of the fact.
    fact_id: Mapped[str] = mapped_column(primary_key=True)
    received_at: Mapped[datetime]


class BounceRow(Base):
    """A message to a person came back, with its enhanced status code (RFC 3463). One message comes back once."""

    __tablename__ = "bounce"

    id: Mapped[Id]
    person_id: Mapped[PersonId]
    status: Mapped[str]
    at: Mapped[datetime]
    #: NULL: whoever told of the bounce named an address and no message.
    message_row_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("message.id"), unique=True)


class SuppressionRow(Base):
    """An address that nothing is written to, since when and why; a lifted one stays as history.

    .. pii: the address. Words of staff (``why``) may hold more.
    """

    __tablename__ = "suppression"
    __table_args__ = (
        CheckConstraint(is_one_of("reason", SuppressionReason), name="reason_is_known"),
        CheckConstraint("(lifted_at IS NULL) = (lifted_by IS NULL)", name="lifted_by_somebody"),
        # What every claim asks: is this address on the list?
        Index(
            "uq_suppression_in_force", "email_key", "reason", unique=True, postgresql_where=text("lifted_at IS NULL")
        ),
        Index("ix_suppression_email_key", "email_key"),
    )

    id: Mapped[Id]
    #: pii: the address as it is compared. It belongs to the address and not to the person: a new address is writable.
    email_key: Mapped[str]
    reason: Mapped[str]
    #: The message whose bounce or complaint put it there; NULL: staff did, or the address alone was named.
    message_row_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("message.id"), index=True)
    at: Mapped[datetime]
    #: Who put it there: a member of staff, or the source of the feedback.
    added_by: Mapped[str]
    #: pii: why, in words of staff, or the status code.
    why: Mapped[str]
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[str | None]
    #: pii
    lifted_why: Mapped[str | None]


class MessageEventRow(Base):
    """One step in the life of a message that its own row does not tell. Only ever added to.

    The steps that every message takes (claimed, transmitting, accepted) are columns of ``message``: a row for each
    would double the writing of the road that must be fast. Here stand the ones that few messages take: refused for
    now, failed, nobody can tell, and what others say afterwards. No people: addresses are taken out of the words.
    """

    __tablename__ = "message_event"

    id: Mapped[Id]
    message_row_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("message.id"), index=True)
    #: A ``MessageState``, or a ``FeedbackKind`` that is none.
    kind: Mapped[str]
    #: When it happened: by the database's clock for what sending did, by the reporter's for what others say.
    at: Mapped[datetime]
    #: By the database's clock.
    recorded_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
    #: The mailbox or provider that said it; empty: our own worker.
    source: Mapped[str] = mapped_column(server_default="")
    #: Enhanced status code (RFC 3463); empty: none.
    status: Mapped[str] = mapped_column(server_default="")
    #: In words, without addresses.
    detail: Mapped[str] = mapped_column(server_default="")
