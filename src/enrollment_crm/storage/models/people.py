"""People: who they are, what they said, when, and to whom it was said."""

from datetime import date, datetime
from typing import Annotated, Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.orm import Mapped, mapped_column

from enrollment_crm.domain.applications import ApplicationStatus
from enrollment_crm.domain.consent import ConsentBasis
from enrollment_crm.domain.residency import Residency
from enrollment_crm.storage.models.base import Base, Id, PersonId, is_one_of

#: The record that was merged into this person, and that the row comes from; NULL: the person's own.
CopiedFrom = Annotated[int | None, mapped_column(BigInteger, ForeignKey("person.id"))]

#: SQL: the digits by which telephone numbers are compared; prefixes of countries are written in many ways.
PHONE_KEY = "right(regexp_replace(phone, '[^0-9]', '', 'g'), 9)"
#: SQL: by which names are looked up; an index takes no text of any length.
NAME_KEYS = ("left(lower(last_name), 50)", "left(lower(first_name), 50)")


class PersonRow(Base):
    """One person, with the route that follows from the evidence.

    .. pii: names, address, telephone, country and time zone; residency is sensitive.
    """

    __tablename__ = "person"
    __table_args__ = (
        CheckConstraint(is_one_of("residency", Residency), name="residency_is_known"),
        Index("ix_person_to_route", "id", postgresql_where=text("needs_routing")),
        Index("ix_person_cell", "zone", "id"),
        # With names: a hundred people are born on one day, and some share a telephone.
        Index(
            "ix_person_birth_date",
            "birth_date",
            *map(text, NAME_KEYS),
            postgresql_where=text("birth_date IS NOT NULL"),
        ),
        Index("ix_person_phone", *map(text, (PHONE_KEY, *NAME_KEYS)), postgresql_where=text("phone <> ''")),
        Index("ix_person_merged", "merged_into_id", postgresql_where=text("merged_into_id IS NOT NULL")),
    )

    id: Mapped[Id]
    #: pii: the address as it was given; mail is written to it.
    email: Mapped[str]
    #: pii: the address as it is compared: without case, domain as IDNA (R7).
    email_key: Mapped[str] = mapped_column(unique=True)
    #: pii
    first_name: Mapped[str] = mapped_column(server_default="")
    #: pii
    last_name: Mapped[str] = mapped_column(server_default="")
    #: pii
    phone: Mapped[str] = mapped_column(server_default="")
    #: pii: the day of birth; used to tell whether two records are one person, and for nothing else.
    birth_date: Mapped[date | None]
    #: pii: ISO 3166 alpha-2 code.
    country: Mapped[str | None]
    #: Field -> when its value was said by the source's own clock, the source, and when it reached us (see
    #: ``domain.person_facts``): the newest holds.
    clocks: Mapped[dict[str, Any]] = mapped_column(JSON, server_default=text("'{}'"))
    #: pii: the zone as it was stated, also where it is unknown.
    stated_time_zone: Mapped[str | None]
    #: pii: the IANA zone that R4 chooses.
    zone: Mapped[str]
    #: When the first row of this person reached the pipeline.
    arrived_at: Mapped[datetime]
    #: pii: the group that the evidence concludes.
    residency: Mapped[str] = mapped_column(server_default=Residency.UNKNOWN.value)
    #: Key of the counselor; empty until routed.
    owner: Mapped[str] = mapped_column(server_default="")
    #: pii: why this route, in words.
    route_reason: Mapped[str] = mapped_column(server_default="")
    #: True from the moment that something was said which may change the route.
    needs_routing: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))
    #: Since when the residency is unknown, or was so last; NULL: it never was. What another group's date left behind
    #: while it was so is never caught up (R2).
    unknown_from: Mapped[datetime | None]
    #: Until when it was unknown; NULL: it still is, or never was.
    unknown_until: Mapped[datetime | None]
    #: Until when the person wants nothing but answers: a choice on the preference page; NULL: no pause.
    paused_until: Mapped[datetime | None]
    #: They reported a message as spam: withholds everything, whatever address they are written to at, and also after
    #: a merge. The address stands on the suppression list besides.
    complained_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]
    #: The record that is written to instead of this one.
    merged_into_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("person.id"))


class InterestRow(Base):
    """A program and entry term that a person wants to know about; several are normal (R2)."""

    __tablename__ = "interest"
    __table_args__ = (
        UniqueConstraint("person_id", "program", "entry_term", postgresql_nulls_not_distinct=True),
        Index("ix_interest_cell", "program", "entry_term", "person_id"),
        Index("ix_interest_changed", "changed_at"),
    )

    id: Mapped[Id]
    person_id: Mapped[PersonId]
    program: Mapped[str]
    #: ``fall 2027``; NULL: not known yet, no deadline message (R2).
    entry_term: Mapped[str | None]
    #: When it reached the pipeline; points before it were not for this person (R5).
    since: Mapped[datetime]
    #: The last turn (the c of R6): when this interest arrived, or its residency, zone or consent changed.
    changed_at: Mapped[datetime]
    #: Whether the person asked for information (and is welcomed) or came by an application.
    asked_for_information: Mapped[bool] = mapped_column(Boolean)
    copied_from: Mapped[CopiedFrom]


class ResidencyEvidenceRow(Base):
    """What one source said about residency, and when.

    .. pii: citizenship, visa and country of a person; sensitive, never in logs or subjects.
    """

    __tablename__ = "residency_evidence"

    id: Mapped[Id]
    person_id: Mapped[PersonId]
    source: Mapped[str]
    #: By the source's own clock.
    said_at: Mapped[datetime]
    #: pii: own answer to the residency question.
    stated: Mapped[str | None]
    #: pii
    citizenship: Mapped[str | None]
    #: pii
    holds_visa: Mapped[bool | None]
    #: pii: ISO 3166 alpha-2 code of the current address.
    address_country: Mapped[str | None]
    #: When it reached us; NULL: before this was kept.
    received_at: Mapped[datetime | None]
    copied_from: Mapped[CopiedFrom]


class ApplicationRow(Base):
    """The state of a person's application for one program and term (R7).

    .. pii: that somebody applied.
    """

    __tablename__ = "application"
    __table_args__ = (
        # A person of several records has what each of them applied for, side by side.
        UniqueConstraint("person_id", "program", "entry_term", "copied_from", postgresql_nulls_not_distinct=True),
        CheckConstraint(is_one_of("status", ApplicationStatus), name="status_is_known"),
    )

    id: Mapped[Id]
    person_id: Mapped[PersonId]
    #: NULL: the source names no program; counts for all programs of its term (R7).
    program: Mapped[str | None]
    entry_term: Mapped[str]
    status: Mapped[str]
    #: By the source's own clock; decides whether it was on time (R1).
    occurred_at: Mapped[datetime]
    #: When the row that said so reached the pipeline.
    received_at: Mapped[datetime]
    source: Mapped[str]
    #: pii: the source's own number of the application.
    reference: Mapped[str | None]
    copied_from: Mapped[CopiedFrom]


class ConsentRow(Base):
    """The proof that a person asked to be written to: what they agreed to, where and when.

    .. pii: belongs to a person by id.
    """

    __tablename__ = "consent"
    __table_args__ = (CheckConstraint(is_one_of("basis", ConsentBasis), name="basis_is_known"),)

    id: Mapped[Id]
    person_id: Mapped[PersonId]
    source: Mapped[str]
    #: The name of the signup in its source, where it has one: delivered again, it is no new consent.
    submission: Mapped[str | None]
    #: Version of the words that the person agreed to.
    text_version: Mapped[str]
    #: The page on which they agreed.
    page: Mapped[str]
    given_at: Mapped[datetime]
    #: The ground of it: a domain ``ConsentBasis``.
    basis: Mapped[str] = mapped_column(server_default=ConsentBasis.EXPRESS.value)
    #: When it ends, where the law of the reader's country says so; NULL: when it is withdrawn.
    runs_out_at: Mapped[datetime | None]
    copied_from: Mapped[CopiedFrom]


class UnsubscriptionRow(Base):
    """A topic that a person does not want messages of; a later signup lifts it (R7)."""

    __tablename__ = "unsubscription"

    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("person.id"), primary_key=True)
    #: Topic of ``email.yml``.
    topic: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    lifted_at: Mapped[datetime | None]


class ReviewRow(Base):
    """Something that only a person can decide.

    .. pii: the detail says what the sources say of the person's residency.
    """

    __tablename__ = "review"
    __table_args__ = (
        Index(
            "uq_review_open",
            "person_id",
            "about",
            "other_person_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("closed_at IS NULL"),
        ),
        CheckConstraint("closed_by IS NULL OR closed_at IS NOT NULL", name="closed_by_somebody_is_closed"),
    )

    id: Mapped[Id]
    person_id: Mapped[PersonId]
    about: Mapped[str]
    #: pii
    detail: Mapped[str]
    opened_at: Mapped[datetime]
    #: The other record, of a question about two: the one with the higher id.
    other_person_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("person.id"), index=True)
    closed_at: Mapped[datetime | None]
    #: Who decided it; NULL with an instant: newer evidence answered it.
    closed_by: Mapped[str | None]
    #: What was decided; of two records ``same`` or ``different``, of a residency its group.
    decision: Mapped[str | None]


class EventRow(Base):
    """Something that happened to a person, recorded in the transaction that made it so. Ids only."""

    __tablename__ = "event"

    id: Mapped[Id]
    person_id: Mapped[PersonId]
    #: Past tense: ``SignupReceived``, ``ApplicationStarted``, ``ApplicationSubmitted``.
    kind: Mapped[str]
    #: By the source's own clock.
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    inbox_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("inbox.id"), index=True)
