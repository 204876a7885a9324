"""when sources delivered"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "7b3e90d1c5a8"
down_revision: str | None = "d41f7a6c0b93"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "source_delivery",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("taken_in_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_source_delivery")),
    )
    op.create_table(
        "freshness_gate",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("closed_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("people_held", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_freshness_gate")),
    )


def downgrade() -> None:
    op.drop_table("freshness_gate")
    op.drop_table("source_delivery")
