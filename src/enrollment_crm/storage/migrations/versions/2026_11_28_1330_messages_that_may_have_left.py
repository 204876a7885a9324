"""messages that may have left"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "3c7d0be94a16"
down_revision: str | None = "a64f0d27c9b1"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("message", sa.Column("may_have_left", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    # Those whose worker vanished and that have no end yet, whatever was said of them since.
    op.execute(
        "UPDATE message SET may_have_left = true WHERE state IN ('claimed', 'retry') AND id IN "
        "(SELECT message_row_id FROM message_event WHERE detail = 'its worker vanished while transmitting')"
    )


def downgrade() -> None:
    op.drop_column("message", "may_have_left")
