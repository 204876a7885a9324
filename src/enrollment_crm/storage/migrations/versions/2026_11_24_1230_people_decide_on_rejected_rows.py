"""people decide on rejected rows"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "f4a9c07e61d3"
down_revision: str | None = "a81f0c3e5d97"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_STEPS = (
    "'corrected', 'mapped', 'replayed', 'rejected_again', 'discarded', 'restored', 'batch_released', 'batch_rejected'"
)


def upgrade() -> None:
    _widen("inbox", "outcome_is_known", "outcome IN ('pending', 'accepted', 'quarantined', 'discarded')")
    _widen("batch", "step_is_known", "step IN ('validated', 'loaded', 'stopped', 'rejected')")
    op.create_index("ix_inbox_discarded", "inbox", ["id"], postgresql_where=sa.text("outcome = 'discarded'"))
    _extend_batches()
    op.add_column("batch_rule", sa.Column("severity", sa.Text(), server_default="quarantine", nullable=False))
    op.create_check_constraint(
        op.f("ck_batch_rule_severity_is_known"), "batch_rule", "severity IN ('warn', 'quarantine', 'stop')"
    )
    _create_deliveries()
    _create_what_people_decide()


def _widen(table: str, name: str, condition: str) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)


def _extend_batches() -> None:
    for column in (
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("duplicates", sa.Integer(), server_default="0", nullable=False),
        sa.Column("is_replay", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("profile", sa.JSON(), nullable=True),
        sa.Column("remarks", sa.Text(), server_default="", nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_why", sa.Text(), server_default="", nullable=False),
    ):
        op.add_column("batch", column)
    op.create_check_constraint(
        op.f("ck_batch_decided_by_somebody"), "batch", "(decided_at IS NULL) = (decided_by IS NULL)"
    )
    op.create_index("ix_batch_stopped", "batch", ["id"], postgresql_where=sa.text("step = 'stopped'"))
    op.create_index("ix_batch_by_source", "batch", ["source", "id"])
    op.create_index("ix_batch_by_time", "batch", ["validated_at"])


def _create_deliveries() -> None:
    op.create_table(
        "delivery",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rows_read", sa.Integer(), nullable=False),
        sa.Column("new", sa.Integer(), nullable=False),
        sa.Column("known", sa.Integer(), nullable=False),
        sa.Column("damaged", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("rows_read = new + known", name=op.f("ck_delivery_read_equals_new_and_known")),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_delivery_batch_id_batch")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
    )
    op.create_index(
        "ix_delivery_uncounted", "delivery", ["source"], postgresql_where=sa.text("batch_id IS NULL AND known > 0")
    )
    op.create_index("ix_delivery_by_time", "delivery", ["at"])


def _create_what_people_decide() -> None:
    op.create_table(
        "correction",
        sa.Column("inbox_id", sa.BigInteger(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("corrected_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("corrected_by", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["inbox_id"], ["inbox.id"], name=op.f("fk_correction_inbox_id_inbox")),
        sa.PrimaryKeyConstraint("inbox_id", "field", name=op.f("pk_correction")),
    )
    op.create_table(
        "value_override",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("given", sa.Text(), nullable=False),
        sa.Column("meaning", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "field", "given", name=op.f("pk_value_override")),
    )
    op.create_table(
        "quarantine_step",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("inbox_id", sa.BigInteger(), nullable=True),
        sa.Column("batch_id", sa.BigInteger(), nullable=True),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("field", sa.Text(), server_default="", nullable=False),
        sa.Column("rule", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(f"step IN ({_STEPS})", name=op.f("ck_quarantine_step_step_is_known")),
        sa.ForeignKeyConstraint(["inbox_id"], ["inbox.id"], name=op.f("fk_quarantine_step_inbox_id_inbox")),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_quarantine_step_batch_id_batch")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine_step")),
    )
    op.create_index("ix_quarantine_step_by_row", "quarantine_step", ["inbox_id", "id"])


def downgrade() -> None:
    for table in ("quarantine_step", "value_override", "correction", "delivery"):
        op.drop_table(table)
    op.drop_constraint(op.f("ck_batch_rule_severity_is_known"), "batch_rule", type_="check")
    op.drop_column("batch_rule", "severity")
    op.drop_index("ix_batch_by_time", "batch")
    op.drop_index("ix_batch_by_source", "batch")
    op.drop_index("ix_batch_stopped", "batch")
    op.drop_constraint(op.f("ck_batch_decided_by_somebody"), "batch", type_="check")
    for column in (
        "decided_why",
        "decided_by",
        "decided_at",
        "told_at",
        "remarks",
        "profile",
        "is_replay",
        "duplicates",
        "source",
    ):
        op.drop_column("batch", column)
    op.drop_index("ix_inbox_discarded", "inbox")
    op.execute("UPDATE inbox SET outcome = 'quarantined' WHERE outcome = 'discarded'")
    op.execute("UPDATE batch SET step = 'validated' WHERE step = 'stopped'")
    op.execute("UPDATE batch SET step = 'loaded' WHERE step = 'rejected'")
    _widen("batch", "step_is_known", "step IN ('validated', 'loaded')")
    _widen("inbox", "outcome_is_known", "outcome IN ('pending', 'accepted', 'quarantined')")
