"""who changed the calendar"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "e86a2d94c571"
down_revision: str | None = "7b3e90d1c5a8"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("prep_session", sa.Column("source", sa.Text(), server_default="", nullable=False))
    op.create_table(
        "calendar_change",
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("applied_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("changes", sa.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("plan", name=op.f("pk_calendar_change")),
    )


def downgrade() -> None:
    op.drop_table("calendar_change")
    op.drop_column("prep_session", "source")
