"""Intake: raw rows as they arrived, the batches they were judged in, and what was rejected and why."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.orm import Mapped, mapped_column

from enrollment_crm.domain.batches import BatchStep, InboxOutcome
from enrollment_crm.storage.models.base import Base, Id, is_one_of


class InboxRow(Base):
    """A row exactly as a source delivered it, committed before the source is answered.

    .. pii: ``raw`` holds whatever the person or the source wrote; it never leaves the database.
    """

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("source", "digest"),
        CheckConstraint(is_one_of("outcome", InboxOutcome), name="outcome_is_known"),
        Index("ix_inbox_pending", "kind", "id", postgresql_where=text("outcome = 'pending'")),
    )

    id: Mapped[Id]
    #: File name in config/sources/: which field map reads the row.
    source: Mapped[str]
    #: A domain ``RecordKind``: what the row speaks of.
    kind: Mapped[str]
    #: When the row reached the pipeline: the instant from which reminders count a person in (R5).
    received_at: Mapped[datetime]
    #: pii: the row as it came. JSON and not JSONB: the text keeps what JSONB refuses, such as an escaped NUL.
    raw: Mapped[dict[str, Any]] = mapped_column(JSON)
    #: sha256 of the canonical raw row: the same row delivered twice is one row.
    digest: Mapped[str]
    outcome: Mapped[str] = mapped_column(server_default=InboxOutcome.PENDING.value)
    batch_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("batch.id"), index=True)


class BatchRow(Base):
    """The rows that were judged together, and how many of them went where."""

    __tablename__ = "batch"
    __table_args__ = (
        CheckConstraint(is_one_of("step", BatchStep), name="step_is_known"),
        CheckConstraint("rows_in = accepted + quarantined + erased", name="in_equals_accepted_and_quarantined"),
        Index("ix_batch_to_load", "kind", "id", postgresql_where=text("step = 'validated'")),
    )

    id: Mapped[Id]
    kind: Mapped[str]
    validated_at: Mapped[datetime]
    step: Mapped[str]
    rows_in: Mapped[int]
    accepted: Mapped[int]
    quarantined: Mapped[int]
    #: Rows of people who had been erased; their content is emptied.
    erased: Mapped[int] = mapped_column(server_default=text("0"))


class RuleCountRow(Base):
    """How many rows of a batch one rule looked at, and how many failed it. Counts only, no values."""

    __tablename__ = "batch_rule"

    batch_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("batch.id"), primary_key=True)
    rule: Mapped[str] = mapped_column(primary_key=True)
    column: Mapped[str] = mapped_column(primary_key=True)
    evaluated: Mapped[int]
    failed: Mapped[int]


class QuarantineRow(Base):
    """A row that was not accepted, with the reason in words. The raw row stays in the inbox, in one place."""

    __tablename__ = "quarantine"

    inbox_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("inbox.id"), primary_key=True)
    batch_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("batch.id"), index=True)
    rule: Mapped[str]
    #: Canonical field that the rule looked at; empty where it looked at the whole row.
    column: Mapped[str]
    #: A sentence for operations, without the value.
    reason: Mapped[str]
    at: Mapped[datetime]


class SourceDeliveryRow(Base):
    """When a source delivered last, by the pipeline's clock: what the freshness gate goes by."""

    __tablename__ = "source_delivery"

    #: File name in config/sources/.
    source: Mapped[str] = mapped_column(primary_key=True)
    #: When a sweep first found it set up; NULL: rows of it came, but it is not known to come again.
    first_seen: Mapped[datetime | None]
    #: NULL: it has never delivered.
    delivered_at: Mapped[datetime | None]
    #: The delivery before the oldest one of which rows wait in the inbox; of meaning only while rows wait.
    taken_in_until: Mapped[datetime | None]


class FreshnessGateRow(Base):
    """Whether operations know the freshness gate as closed: so that they are told once. One row at most."""

    __tablename__ = "freshness_gate"

    #: What it watches: ``applications``.
    name: Mapped[str] = mapped_column(primary_key=True)
    #: NULL: open.
    closed_since: Mapped[datetime | None]
    #: How many people were held when it was last looked at.
    people_held: Mapped[int]
