"""The calendar: dates in force and prep sessions. Reminders are derived from it and never stored beside it."""

from datetime import date, datetime

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from enrollment_crm.domain.deadlines import Round
from enrollment_crm.domain.listings import HoldReason
from enrollment_crm.domain.residency import Residency
from enrollment_crm.domain.zones import HOME_ZONE
from enrollment_crm.storage.models.base import Base, Id, is_one_of


class DeadlineRow(Base):
    """A stated date of one group.

    Approved and with ``replaced_at`` NULL it is in force; older rows are history. A row that nobody has approved
    yet waits to be confirmed, and nothing is sent for it.
    """

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
        CheckConstraint("(approved_at IS NULL) = (approved_by IS NULL)", name="approved_by_somebody"),
    )

    id: Mapped[Id]
    program: Mapped[str]
    entry_term: Mapped[str]
    round: Mapped[str]
    residency: Mapped[str]
    #: The last day, on the clock of ``cut_off_zone`` (R1).
    stated_date: Mapped[date]
    #: IANA zone on whose clock the stated date ends.
    cut_off_zone: Mapped[str] = mapped_column(server_default=HOME_ZONE)
    version: Mapped[int]
    #: Where the date was read.
    source: Mapped[str]
    #: Who brought it into force: a member of staff, or ``configuration``. NULL: still to be confirmed.
    approved_by: Mapped[str | None]
    #: From when on it is in force: the turn of everybody who follows it (R9).
    approved_at: Mapped[datetime | None]
    #: Why it was set or moved, in the words of who did it.
    reason: Mapped[str] = mapped_column(server_default="")
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
    #: When it was announced, or moved last; NULL: before this was kept.
    changed_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    #: Where it was read: ``configuration``, an events page; empty: before this was kept.
    source: Mapped[str] = mapped_column(server_default="")


class CalendarChangeRow(Base):
    """A plan that was applied: who changed the calendar, when, why and what. Dates and sessions, no people."""

    __tablename__ = "calendar_change"

    #: Fingerprint of the plan: it can be applied once.
    plan: Mapped[str] = mapped_column(primary_key=True)
    applied_at: Mapped[datetime]
    #: A member of staff, by the name that they gave.
    applied_by: Mapped[str]
    #: In their words.
    reason: Mapped[str]
    #: Where the new dates were read.
    source: Mapped[str]
    #: Each change in words.
    changes: Mapped[list[str]] = mapped_column(ARRAY(Text))


class CalendarReviewRow(Base):
    """A listing that only a person can decide, once each: dates and sessions of public pages, no people."""

    __tablename__ = "calendar_review"
    __table_args__ = (
        UniqueConstraint("program", "about", "listing"),
        CheckConstraint(is_one_of("about", HoldReason), name="about_is_known"),
        CheckConstraint("(closed_at IS NULL) = (closed_by IS NULL)", name="closed_by_somebody"),
    )

    id: Mapped[Id]
    program: Mapped[str]
    about: Mapped[str]
    #: The id of a session, or the group of a date.
    listing: Mapped[str]
    #: Why it waits, as the last reading says it.
    words: Mapped[str]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    #: A member of staff, or ``reading``: no source says it any more.
    closed_by: Mapped[str | None]
    #: What was decided, in the words of who did.
    decision: Mapped[str] = mapped_column(server_default="")
    #: Since when no source says it any more; if one says it again, it is open again.
    gone_at: Mapped[datetime | None]


class RegistrationRow(Base):
    """A person's seat in a prep session."""

    __tablename__ = "registration"

    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("person.id"), primary_key=True)
    prep_session_id: Mapped[str] = mapped_column(ForeignKey("prep_session.id"), primary_key=True, index=True)
    registered_at: Mapped[datetime]
    #: The record that was merged into this person, and that took the seat; NULL: the person's own.
    copied_from: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("person.id"))


class SweepRow(Base):
    """How far the reminders have been swept: every point up to here has been looked at."""

    __tablename__ = "sweep"

    #: A domain ``Sweep``.
    name: Mapped[str] = mapped_column(primary_key=True)
    swept_until: Mapped[datetime]


class OutageRow(Base):
    """A span in which something fell due and no sweep looked at it: a standstill, or a sweep that was held.

    Its end is the turn (R6) of everybody concerned.
    """

    __tablename__ = "outage"

    ended: Mapped[datetime] = mapped_column(primary_key=True)
    began: Mapped[datetime]
