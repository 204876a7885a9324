"""What comes back from the world about people and messages, each thing taken in once."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from enrollment_crm.storage.models.base import Base, Id, PersonId


class ReceivedFactRow(Base):
    """A fact that has been taken in, by the name that its source gave it: delivered again, it is not new. No people."""

    __tablename__ = "received_fact"

    source: Mapped[str] = mapped_column(primary_key=True)
    #: The source's own name of the fact.
    fact_id: Mapped[str] = mapped_column(primary_key=True)
    received_at: Mapped[datetime]


class BounceRow(Base):
    """A message to a person came back, with its enhanced status code (RFC 3463)."""

    __tablename__ = "bounce"

    id: Mapped[Id]
    person_id: Mapped[PersonId]
    status: Mapped[str]
    at: Mapped[datetime]
