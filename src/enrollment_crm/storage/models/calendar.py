"""The calendar: dates in force and prep sessions. Reminders are derived from it and never stored beside it."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from enrollment_crm.domain.deadlines import Round
from enrollment_crm.domain.residency import Residency
from enrollment_crm.storage.models.base import Base, Id, is_one_of


class DeadlineRow(Base):
    """A stated date of one group: the row with ``replaced_at`` NULL is in force, older ones are history."""

    __tablename__ = "deadline"
    __table_args__ = (
        UniqueConstraint("program", "entry_term", "round", "residency", "version"),
        CheckConstraint(is_one_of("round", Round), name="round_is_known"),
        CheckConstraint(is_one_of("residency", Residency), name="residency_is_known"),
        Index(
            "uq_deadline_in_force",
            "program",
            "entry_term",
            "round",
            "residency",
            unique=True,
            postgresql_where=text("replaced_at IS NULL"),
        ),
    )

    id: Mapped[Id]
    program: Mapped[str]
    entry_term: Mapped[str]
    round: Mapped[str]
    residency: Mapped[str]
    #: The last day, on New York's clock (R1).
    stated_date: Mapped[date]
    version: Mapped[int]
    #: Where the date was read.
    source: Mapped[str]
    approved_by: Mapped[str]
    approved_at: Mapped[datetime]
    replaced_at: Mapped[datetime | None]


class PrepSessionRow(Base):
    """A prep session as it stands now."""

    __tablename__ = "prep_session"

    id: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    starts: Mapped[datetime]
    #: IANA zone on whose wall clock it is announced.
    zone: Mapped[str]
    minutes: Mapped[int]
    location: Mapped[str]
    url: Mapped[str]
    #: Counts changes, as calendar files do (RFC 5545 SEQUENCE).
    sequence: Mapped[int] = mapped_column(server_default=text("0"))
    cancelled_at: Mapped[datetime | None]


class RegistrationRow(Base):
    """A person's seat in a prep session."""

    __tablename__ = "registration"

    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("person.id"), primary_key=True)
    prep_session_id: Mapped[str] = mapped_column(ForeignKey("prep_session.id"), primary_key=True, index=True)
    registered_at: Mapped[datetime]


class SweepRow(Base):
    """How far the reminders have been swept: every point up to here has been looked at."""

    __tablename__ = "sweep"

    name: Mapped[str] = mapped_column(primary_key=True)
    swept_until: Mapped[datetime]
