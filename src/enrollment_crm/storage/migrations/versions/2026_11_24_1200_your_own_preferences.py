"""your own preferences"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "a81f0c3e5d97"
down_revision: str | None = "c17d52e0b8a4"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_REASONS_BEFORE = (
    "collapsed", "too_close_to_next", "too_late", "submitted", "unsubscribed", "bounced", "complained", "erased",
    "merged", "superseded", "already_sent", "complete",
)  # fmt: skip
_REASONS = (*_REASONS_BEFORE, "paused", "consent_over")


def upgrade() -> None:
    op.add_column("person", sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("consent", sa.Column("basis", sa.Text(), server_default="express", nullable=False))
    op.add_column("consent", sa.Column("runs_out_at", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(op.f("ck_consent_basis_is_known"), "consent", "basis IN ('express', 'inquiry')")
    op.create_index(op.f("ix_consent_person_id"), "consent", ["person_id"], if_not_exists=True)
    # Before there were topics, the one that every marketing mail named meant all of them.
    op.execute(
        "INSERT INTO unsubscription (person_id, topic, at, lifted_at) "
        "SELECT person_id, '*', at, lifted_at FROM unsubscription WHERE topic = 'admissions' ON CONFLICT DO NOTHING"
    )
    op.execute("DELETE FROM unsubscription WHERE topic = 'admissions'")
    _allow(_REASONS)


def downgrade() -> None:
    cover = sa.table("cover", sa.column("withheld"))
    op.execute(sa.delete(cover).where(cover.c.withheld.in_(("paused", "consent_over"))))
    _allow(_REASONS_BEFORE)
    op.drop_constraint(op.f("ck_consent_basis_is_known"), "consent", type_="check")
    op.drop_column("consent", "runs_out_at")
    op.drop_column("consent", "basis")
    op.drop_column("person", "paused_until")


def _allow(reasons: Sequence[str]) -> None:
    op.drop_constraint(op.f("ck_cover_withheld_is_known"), "cover", type_="check")
    op.create_check_constraint(
        op.f("ck_cover_withheld_is_known"), "cover", f"withheld IS NULL OR withheld IN {tuple(reasons)}"
    )
