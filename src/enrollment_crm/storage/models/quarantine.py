"""What people do about the quarantine: corrections beside the raw rows, meanings of values, and the trail of it all."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from enrollment_crm.domain.quarantine import Step
from enrollment_crm.storage.models.base import Base, Id, is_one_of


class CorrectionRow(Base):
    """What a field of a raw row shall say instead; the raw row stays as it came. The newest holds.

    .. pii: ``value`` is something that a person said, ``corrected_by`` the name of a member of staff.
    """

    __tablename__ = "correction"

    inbox_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("inbox.id"), primary_key=True)
    #: Canonical field.
    field: Mapped[str] = mapped_column(primary_key=True)
    #: pii: as a source would have written it; empty: it says nothing.
    value: Mapped[str]
    corrected_at: Mapped[datetime]
    #: pii: the member of staff.
    corrected_by: Mapped[str]
    why: Mapped[str]


class ValueOverrideRow(Base):
    """A meaning that operations gave a value of a source, beside the value maps in config/sources/.

    .. pii: ``decided_by`` names a member of staff. Fields of free text are refused: no person's value is here.
    """

    __tablename__ = "value_override"

    source: Mapped[str] = mapped_column(primary_key=True)
    #: Canonical field.
    field: Mapped[str] = mapped_column(primary_key=True)
    #: As the source writes it, without case and runs of blanks.
    given: Mapped[str] = mapped_column(primary_key=True)
    #: The canonical value; empty: the value says nothing.
    meaning: Mapped[str]
    decided_at: Mapped[datetime]
    #: pii: the member of staff.
    decided_by: Mapped[str]
    why: Mapped[str]


class QuarantineStepRow(Base):
    """One step of the audit trail: who did what to which row or batch, when and why. Ids and names of fields only.

    .. pii: ``by`` is the name of a member of staff; ``why`` is what they wrote.
    """

    __tablename__ = "quarantine_step"
    __table_args__ = (
        CheckConstraint(is_one_of("step", Step), name="step_is_known"),
        Index("ix_quarantine_step_by_row", "inbox_id", "id"),
    )

    id: Mapped[Id]
    at: Mapped[datetime]
    by: Mapped[str]
    step: Mapped[str]
    why: Mapped[str]
    #: NULL: the step concerns a source or a batch.
    inbox_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("inbox.id"))
    batch_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("batch.id"))
    #: Source whose values were given a meaning; empty: the step concerns one row or batch.
    source: Mapped[str] = mapped_column(server_default="")
    #: Canonical field that was corrected or given a meaning.
    field: Mapped[str] = mapped_column(server_default="")
    #: Rule that the row failed then.
    rule: Mapped[str] = mapped_column(server_default="")
