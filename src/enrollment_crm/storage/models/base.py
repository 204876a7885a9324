"""What all tables share: constraint names by convention, and one way to store instants and enumerations."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, MetaData, Text
from sqlalchemy.orm import DeclarativeBase, mapped_column


class Base(DeclarativeBase):
    """Base of all tables. Instants carry a zone, text has no length that PostgreSQL would not check."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {str: Text(), datetime: DateTime(timezone=True), StrEnum: Text()}  # noqa: RUF012


#: A number that the database hands out, in order of arrival.
Id = Annotated[int, mapped_column(BigInteger, Identity(), primary_key=True)]
#: The person a row belongs to. An id, no personal data.
PersonId = Annotated[int, mapped_column(BigInteger, ForeignKey("person.id"), index=True)]


def is_one_of(column: str, values: type[StrEnum]) -> str:
    """The SQL of a CHECK that a text column holds a member of the enumeration."""
    members = ", ".join(f"'{member.value}'" for member in values)
    return f"{column} IN ({members})"
