"""yet undecided listings"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "c17d52e0b8a4"
down_revision: str | None = "e3a95b1c7d28"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "calendar_review",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("program", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("listing", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("decision", sa.Text(), server_default="", nullable=False),
        sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "about IN ('listing_year', 'all_day', 'recurrence', 'uncertain', 'incomplete', 'contradiction', "
            "'not_configured')",
            name=op.f("ck_calendar_review_about_is_known"),
        ),
        sa.CheckConstraint(
            "(closed_at IS NULL) = (closed_by IS NULL)", name=op.f("ck_calendar_review_closed_by_somebody")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_review")),
        sa.UniqueConstraint("program", "about", "listing", name=op.f("uq_calendar_review_program_about_listing")),
    )


def downgrade() -> None:
    op.drop_table("calendar_review")
