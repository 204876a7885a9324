"""turns and free keys"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "d41f7a6c0b93"
down_revision: str | None = "5d0e8f2b9a47"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_KEY = (
    "person_id",
    "kind",
    "program",
    "entry_term",
    "round",
    "stated_date",
    "prep_session_id",
    "session_starts",
    "offset",
)
_REASONS_BEFORE = (
    "submitted", "unsubscribed", "bounced", "complained", "erased", "merged", "collapsed", "too_late",
)  # fmt: skip
_REASONS = (
    "collapsed", "too_close_to_next", "too_late", "submitted", "unsubscribed", "bounced", "complained", "erased",
    "merged", "superseded", "already_sent",
)  # fmt: skip


def upgrade() -> None:
    _people()
    _calendar()
    _ledger()
    op.create_table(
        "received_fact",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("fact_id", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", "fact_id", name=op.f("pk_received_fact")),
    )
    op.create_table(
        "bounce",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_bounce_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bounce")),
    )
    op.create_index(op.f("ix_bounce_person_id"), "bounce", ["person_id"])


def _people() -> None:
    op.drop_index(op.f("ix_person_cell"), "person")
    op.create_index(op.f("ix_person_cell"), "person", ["zone", "id"])
    op.add_column("person", sa.Column("unknown_from", sa.DateTime(timezone=True), nullable=True))
    op.add_column("person", sa.Column("unknown_until", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE person SET unknown_from = arrived_at WHERE residency = 'unknown' AND NOT needs_routing")
    op.add_column("interest", sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE interest SET changed_at = since")
    op.alter_column("interest", "changed_at", nullable=False)
    op.create_index(op.f("ix_interest_changed"), "interest", ["changed_at"])


def _calendar() -> None:
    op.add_column("deadline", sa.Column("cut_off_zone", sa.Text(), server_default="America/New_York", nullable=False))
    op.add_column("deadline", sa.Column("reason", sa.Text(), server_default="", nullable=False))
    op.alter_column("deadline", "approved_by", nullable=True)
    op.alter_column("deadline", "approved_at", nullable=True)
    op.create_check_constraint(
        op.f("ck_deadline_approved_by_somebody"), "deadline", "(approved_at IS NULL) = (approved_by IS NULL)"
    )
    op.add_column("prep_session", sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "outage",
        sa.Column("ended", sa.DateTime(timezone=True), nullable=False),
        sa.Column("began", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("ended", name=op.f("pk_outage")),
    )


def _ledger() -> None:
    op.add_column("cover", sa.Column("catch_up", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("cover", sa.Column("released", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.drop_constraint("uq_cover_key", "cover")
    op.create_index(
        "uq_cover_key",
        "cover",
        list(_KEY),
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("NOT released"),
    )
    op.drop_constraint(op.f("ck_cover_withheld_is_known"), "cover")
    op.create_check_constraint(
        op.f("ck_cover_withheld_is_known"), "cover", f"withheld IS NULL OR withheld IN {_REASONS}"
    )


def downgrade() -> None:
    op.drop_table("bounce")
    op.drop_table("received_fact")
    op.execute("DELETE FROM cover WHERE released")
    cover = sa.table("cover", sa.column("withheld"))
    op.execute(sa.delete(cover).where(cover.c.withheld.not_in(_REASONS_BEFORE)))
    op.drop_constraint(op.f("ck_cover_withheld_is_known"), "cover")
    op.create_check_constraint(
        op.f("ck_cover_withheld_is_known"), "cover", f"withheld IS NULL OR withheld IN {_REASONS_BEFORE}"
    )
    op.drop_index("uq_cover_key", "cover")
    op.create_unique_constraint("uq_cover_key", "cover", list(_KEY), postgresql_nulls_not_distinct=True)
    op.drop_column("cover", "released")
    op.drop_column("cover", "catch_up")
    op.drop_table("outage")
    op.drop_column("prep_session", "changed_at")
    op.drop_constraint(op.f("ck_deadline_approved_by_somebody"), "deadline")
    op.execute("DELETE FROM deadline WHERE approved_at IS NULL")
    op.alter_column("deadline", "approved_at", nullable=False)
    op.alter_column("deadline", "approved_by", nullable=False)
    op.drop_column("deadline", "reason")
    op.drop_column("deadline", "cut_off_zone")
    op.drop_index(op.f("ix_interest_changed"), "interest")
    op.drop_column("interest", "changed_at")
    op.drop_index(op.f("ix_person_cell"), "person")
    op.create_index(op.f("ix_person_cell"), "person", ["zone", "residency"])
    op.drop_column("person", "unknown_until")
    op.drop_column("person", "unknown_from")
