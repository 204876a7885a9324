"""Checklists: what an application system lists for each application."""

from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from enrollment_crm.domain.checklists import ChecklistItem, ItemStatus
from enrollment_crm.storage.models.base import Base, Id, is_one_of


class ApplicationReferenceRow(Base):
    """What a source calls an application, and which application it means by its newest report.

    Several sources can report one application, whose row names the last of them alone; and a reference moves on with
    an application whose term changes.

    .. pii: names an application of a person.
    """

    __tablename__ = "application_reference"

    source: Mapped[str] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(primary_key=True)
    application_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("application.id"), index=True)
    #: Of the newest report, by the source's own clock.
    occurred_at: Mapped[datetime]


class ChecklistItemRow(Base):
    """Where one item of one application stands, by the newest report of it.

    It names the application by reference: items that come before their application wait for it here.

    .. pii: what an application of a person lacks.
    """

    __tablename__ = "checklist_item"
    __table_args__ = (
        UniqueConstraint("application_source", "application_reference", "source", "name"),
        CheckConstraint(f"item IS NULL OR {is_one_of('item', ChecklistItem)}", name="item_is_known"),
        CheckConstraint(is_one_of("status", ItemStatus), name="status_is_known"),
    )

    id: Mapped[Id]
    #: The source that lists it.
    source: Mapped[str]
    #: The source whose applications the reference belongs to.
    application_source: Mapped[str]
    application_reference: Mapped[str]
    #: What tells it from other items of the application, in the words of the source.
    name: Mapped[str]
    #: The item in the words of the source.
    code: Mapped[str]
    #: NULL: nobody has given the code a meaning yet.
    item: Mapped[str | None]
    status: Mapped[str]
    #: By the source's own clock; NULL: it does not say.
    occurred_at: Mapped[datetime | None]
    #: When the row that said so reached the pipeline.
    received_at: Mapped[datetime]
    #: When the first row about it reached the pipeline: points before it were not for it (R5).
    listed_at: Mapped[datetime]
    #: The raw rows about it: an erasure empties them.
    inbox_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
