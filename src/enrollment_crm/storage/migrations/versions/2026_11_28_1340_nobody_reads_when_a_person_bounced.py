"""nobody reads when a person bounced"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "8e15f4a2c07b"
down_revision: str | None = "3c7d0be94a16"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    # What it said is on the suppression list since the migration "what came back".
    op.drop_column("person", "bounced_at")


def downgrade() -> None:
    op.add_column("person", sa.Column("bounced_at", sa.DateTime(timezone=True), nullable=True))
