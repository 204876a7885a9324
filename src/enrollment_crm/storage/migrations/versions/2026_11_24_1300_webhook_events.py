"""webhook events"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "f4c81d7e2a90"
down_revision: str | None = "f4a9c07e61d3"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "webhook_event",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", "event_id", name=op.f("pk_webhook_event")),
    )
    op.create_index(op.f("ix_webhook_event_received_at"), "webhook_event", ["received_at"])


def downgrade() -> None:
    op.drop_table("webhook_event")
