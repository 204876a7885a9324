"""encodings that were assumed"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "d27f60b3a9e4"
down_revision: str | None = "8e15f4a2c07b"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_OPEN = "batch_id IS NULL AND "


def upgrade() -> None:
    op.add_column("delivery", sa.Column("assumed_encoding", sa.Text(), server_default="", nullable=False))
    _index_of(_OPEN + "(known > 0 OR assumed_encoding <> '')")


def downgrade() -> None:
    _index_of(_OPEN + "known > 0")
    op.drop_column("delivery", "assumed_encoding")


def _index_of(rows: str) -> None:
    op.drop_index("ix_delivery_uncounted", table_name="delivery")
    op.create_index("ix_delivery_uncounted", "delivery", ["source"], postgresql_where=sa.text(rows))
