"""namesakes by index"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "a64f0d27c9b1"
down_revision: str | None = "a3d7e05b92c4"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_PHONE: sa.ColumnElement[str] = sa.literal_column("right(regexp_replace(phone, '[^0-9]', '', 'g'), 9)")
_NAMES: tuple[sa.ColumnElement[str], ...] = (
    sa.literal_column("left(lower(last_name), 50)"),
    sa.literal_column("left(lower(first_name), 50)"),
)


def upgrade() -> None:
    _index([_PHONE, *_NAMES], ["birth_date", *_NAMES])


def downgrade() -> None:
    _index([_PHONE], ["birth_date"])


def _index(by_phone: list[sa.ColumnElement[str]], by_birth_date: list[sa.ColumnElement[str] | str]) -> None:
    """Make both indexes anew."""
    for name, columns, some in (
        ("ix_person_phone", by_phone, "phone <> ''"),
        ("ix_person_birth_date", by_birth_date, "birth_date IS NOT NULL"),
    ):
        op.drop_index(name, table_name="person")
        op.create_index(name, "person", columns, unique=False, postgresql_where=sa.text(some))
