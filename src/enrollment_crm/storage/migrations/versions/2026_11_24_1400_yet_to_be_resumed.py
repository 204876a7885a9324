"""yet to be resumed"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "f2b64a90d318"
down_revision: str | None = "9c4d1e7fa2b6"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_KINDS = (
    "welcome",
    "deadline_reminder",
    "deadline_moved",
    "session_invitation",
    "session_confirmation",
    "session_reminder",
    "session_moved",
    "session_cancelled",
    "application_received",
    "checklist_reminder",
)


def upgrade() -> None:
    kinds = ", ".join(f"'{kind}'" for kind in _KINDS)
    op.create_table(
        "campaign_stop",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resumed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resumed_by", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("remedy", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.CheckConstraint(f"kind IN ({kinds})", name=op.f("ck_campaign_stop_kind_is_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_stop")),
    )
    op.create_index(
        "uq_campaign_stop_open",
        "campaign_stop",
        ["kind"],
        unique=True,
        postgresql_where=sa.text("resumed_at IS NULL"),
    )
    op.create_table(
        "domain_pace",
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("backlog_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("domain", name=op.f("pk_domain_pace")),
    )


def downgrade() -> None:
    op.drop_table("domain_pace")
    op.drop_table("campaign_stop")
