"""what came back"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "9c4d1e7fa2b6"
down_revision: str | None = "f4c81d7e2a90"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_STATES = "'claimed', 'transmitting', 'accepted', 'retry', 'failed', 'uncertain', 'withheld'"
_REASONS = (
    "'collapsed', 'too_close_to_next', 'too_late', 'submitted', 'unsubscribed', 'bounced', 'complained', "
    "'erased', 'merged', 'superseded', 'already_sent', 'complete', 'paused', 'consent_over'"
)
_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "suppression",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("email_key", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("message_row_id", sa.BigInteger(), nullable=True),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("lifted_at", _INSTANT, nullable=True),
        sa.Column("lifted_by", sa.Text(), nullable=True),
        sa.Column("lifted_why", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "reason IN ('hard_bounce', 'soft_bounces', 'relay_refused', 'complaint', 'manual')",
            name=op.f("ck_suppression_reason_is_known"),
        ),
        sa.CheckConstraint("(lifted_at IS NULL) = (lifted_by IS NULL)", name=op.f("ck_suppression_lifted_by_somebody")),
        sa.ForeignKeyConstraint(["message_row_id"], ["message.id"], name=op.f("fk_suppression_message_row_id_message")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppression")),
    )
    op.create_index(op.f("ix_suppression_message_row_id"), "suppression", ["message_row_id"])
    op.create_index("ix_suppression_email_key", "suppression", ["email_key"])
    op.create_index(
        "uq_suppression_in_force",
        "suppression",
        ["email_key", "reason"],
        unique=True,
        postgresql_where=sa.text("lifted_at IS NULL"),
    )
    op.create_table(
        "message_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("message_row_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("recorded_at", _INSTANT, server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.Text(), server_default="", nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["message_row_id"], ["message.id"], name=op.f("fk_message_event_message_row_id_message")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message_event")),
    )
    op.create_index(op.f("ix_message_event_message_row_id"), "message_event", ["message_row_id"])
    op.add_column("message", sa.Column("transmitting_at", _INSTANT, nullable=True))
    op.create_index(
        "ix_message_accepted", "message", ["accepted_at", "kind"], postgresql_where=sa.text("accepted_at IS NOT NULL")
    )
    op.add_column("bounce", sa.Column("message_row_id", sa.BigInteger(), nullable=True))
    op.create_unique_constraint(op.f("uq_bounce_message_row_id"), "bounce", ["message_row_id"])
    op.create_foreign_key(op.f("fk_bounce_message_row_id_message"), "bounce", "message", ["message_row_id"], ["id"])
    _allow(f"{_STATES}, 'delivered', 'bounced', 'complained'", f"{_REASONS}, 'suppressed'")
    _fill_the_list()


def _fill_the_list() -> None:
    """Who was known as dead or as complaining stands on the list. An erased person has no address to put there."""
    op.execute(
        "INSERT INTO suppression (email_key, reason, at, added_by, why) "
        "SELECT email_key, 'hard_bounce', bounced_at, 'migration', 'known before there was a list' "
        "FROM person WHERE bounced_at IS NOT NULL AND erased_at IS NULL"
    )
    op.execute(
        "INSERT INTO suppression (email_key, reason, at, added_by, why) "
        "SELECT email_key, 'complaint', complained_at, 'migration', 'known before there was a list' "
        "FROM person WHERE complained_at IS NOT NULL AND erased_at IS NULL"
    )


def downgrade() -> None:
    # PostgreSQL refuses it while there are messages in the newer states: what came back is not forgotten.
    op.execute(
        "UPDATE person SET bounced_at = coalesce(person.bounced_at, suppression.at) FROM suppression "
        "WHERE suppression.email_key = person.email_key AND suppression.lifted_at IS NULL "
        "AND suppression.reason IN ('hard_bounce', 'soft_bounces', 'relay_refused', 'manual')"
    )
    _allow(_STATES, _REASONS)
    op.drop_constraint(op.f("fk_bounce_message_row_id_message"), "bounce", type_="foreignkey")
    op.drop_constraint(op.f("uq_bounce_message_row_id"), "bounce", type_="unique")
    op.drop_column("bounce", "message_row_id")
    op.drop_index("ix_message_accepted", table_name="message")
    op.drop_column("message", "transmitting_at")
    op.drop_table("message_event")
    op.drop_table("suppression")


def _allow(states: str, reasons: str) -> None:
    op.drop_constraint(op.f("ck_message_state_is_known"), "message", type_="check")
    op.create_check_constraint(op.f("ck_message_state_is_known"), "message", f"state IN ({states})")
    op.drop_constraint(op.f("ck_cover_withheld_is_known"), "cover", type_="check")
    op.create_check_constraint(
        op.f("ck_cover_withheld_is_known"), "cover", f"withheld IS NULL OR withheld IN ({reasons})"
    )
