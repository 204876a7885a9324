"""yet to be processed"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "e3a95b1c7d28"
down_revision: str | None = "e86a2d94c571"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_KINDS_BEFORE = (
    "welcome", "deadline_reminder", "deadline_moved", "session_invitation", "session_confirmation",
    "session_reminder", "session_moved", "session_cancelled", "application_received",
)  # fmt: skip
_REASONS_BEFORE = (
    "collapsed", "too_close_to_next", "too_late", "submitted", "unsubscribed", "bounced", "complained", "erased",
    "merged", "superseded", "already_sent",
)  # fmt: skip
_KINDS = (*_KINDS_BEFORE, "checklist_reminder")
_REASONS = (*_REASONS_BEFORE, "complete")
_ITEMS = (
    "letter_of_recommendation", "transcript", "credential_evaluation", "statement_of_purpose", "resume",
    "english_test", "other",
)  # fmt: skip
_STATUSES = ("awaiting", "received", "waived", "not_required")


def upgrade() -> None:
    _allow(_KINDS, _REASONS)
    _references()
    op.create_table(
        "checklist_item",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("application_source", sa.Text(), nullable=False),
        sa.Column("application_reference", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("listed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("inbox_ids", sa.ARRAY(sa.BigInteger()), nullable=False),
        sa.CheckConstraint(f"item IS NULL OR item IN {_ITEMS}", name=op.f("ck_checklist_item_item_is_known")),
        sa.CheckConstraint(f"status IN {_STATUSES}", name=op.f("ck_checklist_item_status_is_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checklist_item")),
        sa.UniqueConstraint(
            "application_source",
            "application_reference",
            "source",
            "name",
            name=op.f("uq_checklist_item_application_source_application_reference_source_name"),
        ),
    )


def _references() -> None:
    op.create_table(
        "application_reference",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("application_id", sa.BigInteger(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["application.id"], name=op.f("fk_application_reference_application_id_application")
        ),
        sa.PrimaryKeyConstraint("source", "reference", name=op.f("pk_application_reference")),
    )
    op.create_index(op.f("ix_application_reference_application_id"), "application_reference", ["application_id"])
    op.execute(
        "INSERT INTO application_reference (source, reference, application_id, occurred_at) "
        "SELECT DISTINCT ON (source, reference) source, reference, id, occurred_at FROM application "
        "WHERE reference IS NOT NULL ORDER BY source, reference, occurred_at DESC, id DESC"
    )


def downgrade() -> None:
    op.drop_table("checklist_item")
    op.drop_table("application_reference")
    # PostgreSQL refuses it while there are messages of the newer kind: what was sent is not forgotten.
    _allow(_KINDS_BEFORE, _REASONS_BEFORE)


def _allow(kinds: Sequence[str], reasons: Sequence[str]) -> None:
    op.drop_constraint(op.f("ck_message_kind_is_known"), "message", type_="check")
    op.create_check_constraint(op.f("ck_message_kind_is_known"), "message", f"kind IN {tuple(kinds)}")
    op.drop_constraint(op.f("ck_cover_withheld_is_known"), "cover", type_="check")
    op.create_check_constraint(
        op.f("ck_cover_withheld_is_known"), "cover", f"withheld IS NULL OR withheld IN {tuple(reasons)}"
    )
