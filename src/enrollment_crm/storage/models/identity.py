"""Identity: what sources call people, which records are one person, what staff decided, and who was erased."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.orm import Mapped, mapped_column

from enrollment_crm.domain.staff_actions import StaffActionKind
from enrollment_crm.storage.models.base import Base, Id, is_one_of


class PersonReferenceRow(Base):
    """What a source calls a person. Every record that it has called so is kept; the newest is meant.

    .. pii: names a person in another system.
    """

    __tablename__ = "person_reference"

    source: Mapped[str] = mapped_column(primary_key=True)
    #: pii: Slate's pid, Salesforce's Contact id, the CAS ID.
    reference: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("person.id"), primary_key=True, index=True)
    #: When the source last called this record so, by its own clock.
    said_at: Mapped[datetime]
    #: When we first heard of it.
    received_at: Mapped[datetime]


class PersonMergeRow(Base):
    """One record that was merged into another, and what the other one was before: undone, it is so again.

    .. pii: ``kept`` holds what the other record said of its person.
    """

    __tablename__ = "person_merge"
    __table_args__ = (
        Index("uq_person_merge_gone", "gone_id", unique=True, postgresql_where=text("undone_at IS NULL")),
    )

    id: Mapped[Id]
    #: The record that is written to no more. Its own rows stay with it.
    gone_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("person.id"), index=True)
    stays_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("person.id"), index=True)
    merged_at: Mapped[datetime]
    #: pii: fields, interests and withdrawals of the record that stays, as they were.
    kept: Mapped[dict[str, Any]] = mapped_column(JSON)
    undone_at: Mapped[datetime | None]


class StaffActionRow(Base):
    """The audit trail: who did what to which record, and when. Ids only."""

    __tablename__ = "staff_action"
    __table_args__ = (CheckConstraint(is_one_of("action", StaffActionKind), name="action_is_known"),)

    id: Mapped[Id]
    at: Mapped[datetime]
    #: A member of staff, or what acted by a rule: ``intake``.
    by: Mapped[str]
    action: Mapped[str]
    #: NULL: there were raw rows of a person, and no record.
    person_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("person.id"), index=True)
    other_person_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("person.id"), index=True)
    review_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("review.id"))
    #: Why, in the words of who did it; names nobody. Emptied where the person is erased.
    reason: Mapped[str]


class TombstoneRow(Base):
    """Somebody was erased: an HMAC of their address or of a reference. It names nobody."""

    __tablename__ = "tombstone"

    #: See ``domain.tombstones``.
    keyed: Mapped[str] = mapped_column(primary_key=True)
    erased_at: Mapped[datetime]
