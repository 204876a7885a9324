"""young facts outrank old ones"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "d5b11ecd5427"
down_revision: str | None = "f2b64a90d318"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


_OUTCOMES = "'pending', 'accepted', 'quarantined', 'discarded'"


def upgrade() -> None:
    _check("inbox", "outcome_is_known", f"outcome IN ({_OUTCOMES}, 'erased')")
    op.add_column("batch", sa.Column("erased", sa.Integer(), server_default=sa.text("0"), nullable=False))
    _check("batch", "in_equals_accepted_and_quarantined", "rows_in = accepted + quarantined + erased")
    op.create_table(
        "tombstone",
        sa.Column("keyed", sa.Text(), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("keyed", name=op.f("pk_tombstone")),
    )
    op.create_table(
        "person_merge",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("gone_id", sa.BigInteger(), nullable=False),
        sa.Column("stays_id", sa.BigInteger(), nullable=False),
        sa.Column("merged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kept", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["gone_id"], ["person.id"], name=op.f("fk_person_merge_gone_id_person")),
        sa.ForeignKeyConstraint(["stays_id"], ["person.id"], name=op.f("fk_person_merge_stays_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_merge")),
    )
    op.create_index(op.f("ix_person_merge_gone_id"), "person_merge", ["gone_id"], unique=False)
    op.create_index(op.f("ix_person_merge_stays_id"), "person_merge", ["stays_id"], unique=False)
    op.create_index(
        "uq_person_merge_gone", "person_merge", ["gone_id"], unique=True, postgresql_where=sa.text("undone_at IS NULL")
    )
    op.create_table(
        "person_reference",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_person_reference_person_id_person")),
        sa.PrimaryKeyConstraint("source", "reference", "person_id", name=op.f("pk_person_reference")),
    )
    op.create_index(op.f("ix_person_reference_person_id"), "person_reference", ["person_id"], unique=False)
    op.create_table(
        "staff_action",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("other_person_id", sa.BigInteger(), nullable=True),
        sa.Column("review_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "action IN ('merged', 'unmerged', 'corrected', 'decided', 'erased', 'exported')",
            name=op.f("ck_staff_action_action_is_known"),
        ),
        sa.ForeignKeyConstraint(
            ["other_person_id"], ["person.id"], name=op.f("fk_staff_action_other_person_id_person")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_staff_action_person_id_person")),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_staff_action_review_id_review")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_action")),
    )
    op.create_index(op.f("ix_staff_action_other_person_id"), "staff_action", ["other_person_id"], unique=False)
    op.create_index(op.f("ix_staff_action_person_id"), "staff_action", ["person_id"], unique=False)
    op.add_column("application", sa.Column("copied_from", sa.BigInteger(), nullable=True))
    op.drop_constraint(op.f("uq_application_person_id_program_entry_term"), "application", type_="unique")
    op.create_unique_constraint(
        op.f("uq_application_person_id_program_entry_term_copied_from"),
        "application",
        ["person_id", "program", "entry_term", "copied_from"],
        postgresql_nulls_not_distinct=True,
    )
    op.create_foreign_key(op.f("fk_application_copied_from_person"), "application", "person", ["copied_from"], ["id"])
    op.add_column("consent", sa.Column("copied_from", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_consent_copied_from_person"), "consent", "person", ["copied_from"], ["id"])
    op.add_column("interest", sa.Column("copied_from", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_interest_copied_from_person"), "interest", "person", ["copied_from"], ["id"])
    op.add_column("person", sa.Column("birth_date", sa.Date(), nullable=True))
    op.add_column(
        "person",
        sa.Column("clocks", postgresql.JSON(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    )
    op.create_index(
        "ix_person_birth_date",
        "person",
        ["birth_date"],
        unique=False,
        postgresql_where=sa.text("birth_date IS NOT NULL"),
    )
    op.create_index(
        "ix_person_merged",
        "person",
        ["merged_into_id"],
        unique=False,
        postgresql_where=sa.text("merged_into_id IS NOT NULL"),
    )
    op.create_index(
        "ix_person_phone",
        "person",
        [sa.literal_column("right(regexp_replace(phone, '[^0-9]', '', 'g'), 9)")],
        unique=False,
        postgresql_where=sa.text("phone <> ''"),
    )
    op.add_column("registration", sa.Column("copied_from", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_registration_copied_from_person"), "registration", "person", ["copied_from"], ["id"])
    op.add_column("residency_evidence", sa.Column("received_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("residency_evidence", sa.Column("copied_from", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_residency_evidence_copied_from_person"), "residency_evidence", "person", ["copied_from"], ["id"]
    )
    op.add_column("review", sa.Column("other_person_id", sa.BigInteger(), nullable=True))
    op.add_column("review", sa.Column("closed_by", sa.Text(), nullable=True))
    op.add_column("review", sa.Column("decision", sa.Text(), nullable=True))
    op.drop_index(op.f("uq_review_open"), table_name="review", postgresql_where="(closed_at IS NULL)")
    op.create_index(
        "uq_review_open",
        "review",
        ["person_id", "about", "other_person_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(op.f("ix_review_other_person_id"), "review", ["other_person_id"], unique=False)
    op.create_foreign_key(op.f("fk_review_other_person_id_person"), "review", "person", ["other_person_id"], ["id"])
    op.create_check_constraint(
        op.f("ck_review_closed_by_somebody_is_closed"), "review", "closed_by IS NULL OR closed_at IS NOT NULL"
    )


def _check(table: str, name: str, condition: str) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)


def downgrade() -> None:
    # PostgreSQL refuses what follows while there are rows of the erased, or of people with several records.
    _check("inbox", "outcome_is_known", f"outcome IN ({_OUTCOMES})")
    _check("batch", "in_equals_accepted_and_quarantined", "rows_in = accepted + quarantined")
    op.drop_constraint(op.f("ck_review_closed_by_somebody_is_closed"), "review", type_="check")
    op.drop_constraint(op.f("fk_review_other_person_id_person"), "review", type_="foreignkey")
    op.drop_index(op.f("ix_review_other_person_id"), table_name="review")
    op.drop_index(
        "uq_review_open",
        table_name="review",
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(
        op.f("uq_review_open"), "review", ["person_id", "about"], unique=True, postgresql_where="(closed_at IS NULL)"
    )
    op.drop_column("review", "decision")
    op.drop_column("review", "closed_by")
    op.drop_column("review", "other_person_id")
    op.drop_constraint(op.f("fk_residency_evidence_copied_from_person"), "residency_evidence", type_="foreignkey")
    op.drop_column("residency_evidence", "copied_from")
    op.drop_column("residency_evidence", "received_at")
    op.drop_constraint(op.f("fk_registration_copied_from_person"), "registration", type_="foreignkey")
    op.drop_column("registration", "copied_from")
    op.drop_index("ix_person_phone", table_name="person", postgresql_where=sa.text("phone <> ''"))
    op.drop_index("ix_person_merged", table_name="person", postgresql_where=sa.text("merged_into_id IS NOT NULL"))
    op.drop_index("ix_person_birth_date", table_name="person", postgresql_where=sa.text("birth_date IS NOT NULL"))
    op.drop_column("person", "clocks")
    op.drop_column("person", "birth_date")
    op.drop_constraint(op.f("fk_consent_copied_from_person"), "consent", type_="foreignkey")
    op.drop_column("consent", "copied_from")
    op.drop_constraint(op.f("fk_interest_copied_from_person"), "interest", type_="foreignkey")
    op.drop_column("interest", "copied_from")
    op.drop_column("batch", "erased")
    op.drop_constraint(op.f("fk_application_copied_from_person"), "application", type_="foreignkey")
    op.drop_constraint(op.f("uq_application_person_id_program_entry_term_copied_from"), "application", type_="unique")
    op.create_unique_constraint(
        op.f("uq_application_person_id_program_entry_term"),
        "application",
        ["person_id", "program", "entry_term"],
        postgresql_nulls_not_distinct=True,
    )
    op.drop_column("application", "copied_from")
    op.drop_index(op.f("ix_staff_action_person_id"), table_name="staff_action")
    op.drop_index(op.f("ix_staff_action_other_person_id"), table_name="staff_action")
    op.drop_table("staff_action")
    op.drop_index(op.f("ix_person_reference_person_id"), table_name="person_reference")
    op.drop_table("person_reference")
    op.drop_index("uq_person_merge_gone", table_name="person_merge", postgresql_where=sa.text("undone_at IS NULL"))
    op.drop_index(op.f("ix_person_merge_stays_id"), table_name="person_merge")
    op.drop_index(op.f("ix_person_merge_gone_id"), table_name="person_merge")
    op.drop_table("person_merge")
    op.drop_table("tombstone")
