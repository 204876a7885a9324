"""pause grows with refusals"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "8c1f3d5a7e20"
down_revision: str | None = "44929c38cebe"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("message", sa.Column("refusals", sa.Integer(), server_default=sa.text("0"), nullable=False))


def downgrade() -> None:
    op.drop_column("message", "refusals")
