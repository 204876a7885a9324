"""submission of a consent"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "b7d20c94e1f6"
down_revision: str | None = "8c1f3d5a7e20"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("consent", sa.Column("submission", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("consent", "submission")
