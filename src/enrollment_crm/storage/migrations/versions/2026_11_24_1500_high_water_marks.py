"""high water marks"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "f2c86b1d90e4"
down_revision: str | None = "d5b11ecd5427"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "high_water_mark",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("mark", sa.DateTime(timezone=True), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_high_water_mark")),
    )


def downgrade() -> None:
    op.drop_table("high_water_mark")
