"""Intake: raw rows as they arrived, the batches they were judged in, and what was rejected and why."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.orm import Mapped, mapped_column

from enrollment_crm.domain.batches import BatchStep, InboxOutcome, Severity
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
        Index("ix_inbox_discarded", "id", postgresql_where=text("outcome = 'discarded'")),
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
        CheckConstraint("(decided_at IS NULL) = (decided_by IS NULL)", name="decided_by_somebody"),
        Index("ix_batch_to_load", "kind", "id", postgresql_where=text("step = 'validated'")),
        Index("ix_batch_stopped", "id", postgresql_where=text("step = 'stopped'")),
        Index("ix_batch_by_source", "source", "id"),
        Index("ix_batch_by_time", "validated_at"),
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
    #: File name in config/sources/; empty: judged before batches were of one source.
    source: Mapped[str] = mapped_column(server_default="")
    #: Rows that the source delivered since the batch before and that were known already: delivered, and not in rows_in.
    duplicates: Mapped[int] = mapped_column(server_default="0")
    #: Its rows come from the quarantine: they were counted as quarantined by the batch that they came in.
    is_replay: Mapped[bool] = mapped_column(server_default=text("false"))
    #: What later batches of the source are compared with: counts by field and known value. NULL: too small to compare.
    profile: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    #: Why it was stopped, or what was noticed, in sentences without a value of a row.
    remarks: Mapped[str] = mapped_column(server_default="")
    #: When operations were told that it is stopped.
    told_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    #: .. pii: the name of a member of staff.
    decided_by: Mapped[str | None]
    decided_why: Mapped[str] = mapped_column(server_default="")


class DeliveryRow(Base):
    """What a source gave at one time, by count: rows read = new + known. One post of the form is one delivery."""

    __tablename__ = "delivery"
    __table_args__ = (
        CheckConstraint("rows_read = new + known", name="read_equals_new_and_known"),
        Index(
            "ix_delivery_uncounted",
            "source",
            postgresql_where=text("batch_id IS NULL AND (known > 0 OR assumed_encoding <> '')"),
        ),
        Index("ix_delivery_by_time", "at"),
    )

    id: Mapped[Id]
    source: Mapped[str]
    #: A domain ``RecordKind``.
    kind: Mapped[str]
    at: Mapped[datetime]
    rows_read: Mapped[int]
    #: Kept in the inbox, to be judged.
    new: Mapped[int]
    #: Recognised as delivered before, and not kept again.
    known: Mapped[int]
    #: Of the rows read, those that could not be read properly; each is new or known as well.
    damaged: Mapped[int]
    #: What its text was taken for; empty: there is no doubt.
    assumed_encoding: Mapped[str] = mapped_column(server_default="")
    #: The batch that counts its known rows and says what was assumed; NULL: the next one of the source will.
    batch_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("batch.id"))


class RuleCountRow(Base):
    """How many rows of a batch one rule looked at, and how many failed it. Counts only, no values."""

    __tablename__ = "batch_rule"
    __table_args__ = (CheckConstraint(is_one_of("severity", Severity), name="severity_is_known"),)

    batch_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("batch.id"), primary_key=True)
    rule: Mapped[str] = mapped_column(primary_key=True)
    column: Mapped[str] = mapped_column(primary_key=True)
    evaluated: Mapped[int]
    failed: Mapped[int]
    #: A domain ``Severity``: what the rule did to what failed it.
    severity: Mapped[str] = mapped_column(server_default=Severity.QUARANTINE.value)


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


class WebhookEventRow(Base):
    """An event that a webhook has told of, by the id that its sender gave it: sent again, it is not new. No people.

    Remembered for 30 days, longer than any sender tries again.
    """

    __tablename__ = "webhook_event"

    #: File name in config/sources/.
    source: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(primary_key=True)
    received_at: Mapped[datetime] = mapped_column(index=True)


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


class HighWaterMarkRow(Base):
    """How far a source was read, by its own clock: its next pull begins an overlap before that."""

    __tablename__ = "high_water_mark"

    #: File name in config/sources/.
    source: Mapped[str] = mapped_column(primary_key=True)
    #: The latest change among its committed rows, by the source's clock and not ahead of the pipeline's.
    mark: Mapped[datetime]
    #: When a delivery moved it last, by the pipeline's clock.
    moved_at: Mapped[datetime]


class FreshnessGateRow(Base):
    """Whether operations know the freshness gate as closed: so that they are told once. One row at most."""

    __tablename__ = "freshness_gate"

    #: What it watches: ``applications``.
    name: Mapped[str] = mapped_column(primary_key=True)
    #: NULL: open.
    closed_since: Mapped[datetime | None]
    #: How many people were held when it was last looked at.
    people_held: Mapped[int]
