"""staff act on rows without a record"""

from collections.abc import Sequence

from alembic import op

revision: str = "b61c0f7e9d42"
down_revision: str | None = "d27f60b3a9e4"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    # Somebody whose rows were rejected, or wait, is handed out and erased like anybody.
    op.alter_column("staff_action", "person_id", nullable=True)


def downgrade() -> None:
    op.execute("DELETE FROM staff_action WHERE person_id IS NULL")
    op.alter_column("staff_action", "person_id", nullable=False)
