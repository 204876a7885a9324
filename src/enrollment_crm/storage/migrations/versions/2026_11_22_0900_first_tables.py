"""first tables"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "44929c38cebe"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute(sa.schema.CreateSequence(sa.Sequence("message_id_seq", data_type=sa.BigInteger())))
    op.create_table(
        "batch",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("validated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("rows_in", sa.Integer(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("quarantined", sa.Integer(), nullable=False),
        sa.CheckConstraint("step IN ('validated', 'loaded')", name=op.f("ck_batch_step_is_known")),
        sa.CheckConstraint(
            "rows_in = accepted + quarantined", name=op.f("ck_batch_in_equals_accepted_and_quarantined")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch")),
    )
    op.create_index(
        "ix_batch_to_load",
        "batch",
        ["kind", "id"],
        unique=False,
        postgresql_where=sa.text("step = 'validated'"),
    )
    op.create_table(
        "deadline",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("program", sa.Text(), nullable=False),
        sa.Column("entry_term", sa.Text(), nullable=False),
        sa.Column("round", sa.Text(), nullable=False),
        sa.Column("residency", sa.Text(), nullable=False),
        sa.Column("stated_date", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "residency IN ('domestic', 'international_inside_us', 'international_outside_us', 'unknown')",
            name=op.f("ck_deadline_residency_is_known"),
        ),
        sa.CheckConstraint("round IN ('early_action', 'final')", name=op.f("ck_deadline_round_is_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deadline")),
        sa.UniqueConstraint(
            "program",
            "entry_term",
            "round",
            "residency",
            "version",
            name=op.f("uq_deadline_program_entry_term_round_residency_version"),
        ),
    )
    op.create_index(
        "uq_deadline_in_force",
        "deadline",
        ["program", "entry_term", "round", "residency"],
        unique=True,
        postgresql_where=sa.text("replaced_at IS NULL"),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_key", sa.Text(), nullable=False),
        sa.Column("first_name", sa.Text(), server_default="", nullable=False),
        sa.Column("last_name", sa.Text(), server_default="", nullable=False),
        sa.Column("phone", sa.Text(), server_default="", nullable=False),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("stated_time_zone", sa.Text(), nullable=True),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("residency", sa.Text(), server_default="unknown", nullable=False),
        sa.Column("owner", sa.Text(), server_default="", nullable=False),
        sa.Column("route_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("needs_routing", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("bounced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("complained_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("merged_into_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "residency IN ('domestic', 'international_inside_us', 'international_outside_us', 'unknown')",
            name=op.f("ck_person_residency_is_known"),
        ),
        sa.ForeignKeyConstraint(["merged_into_id"], ["person.id"], name=op.f("fk_person_merged_into_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("email_key", name=op.f("uq_person_email_key")),
    )
    op.create_index("ix_person_cell", "person", ["zone", "residency"], unique=False)
    op.create_index("ix_person_to_route", "person", ["id"], unique=False, postgresql_where=sa.text("needs_routing"))
    op.create_table(
        "prep_session",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("starts", sa.DateTime(timezone=True), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("sequence", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prep_session")),
    )
    op.create_table(
        "sweep",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("swept_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_sweep")),
    )
    op.create_table(
        "application",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("program", sa.Text(), nullable=True),
        sa.Column("entry_term", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.CheckConstraint("status IN ('started', 'submitted')", name=op.f("ck_application_status_is_known")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_application_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application")),
        sa.UniqueConstraint(
            "person_id",
            "program",
            "entry_term",
            name=op.f("uq_application_person_id_program_entry_term"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(op.f("ix_application_person_id"), "application", ["person_id"], unique=False)
    op.create_table(
        "batch_rule",
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("column", sa.Text(), nullable=False),
        sa.Column("evaluated", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_batch_rule_batch_id_batch")),
        sa.PrimaryKeyConstraint("batch_id", "rule", "column", name=op.f("pk_batch_rule")),
    )
    op.create_table(
        "consent",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("text_version", sa.Text(), nullable=False),
        sa.Column("page", sa.Text(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_consent_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    op.create_index(op.f("ix_consent_person_id"), "consent", ["person_id"], unique=False)
    op.create_table(
        "inbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("raw", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), server_default="pending", nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("outcome IN ('pending', 'accepted', 'quarantined')", name=op.f("ck_inbox_outcome_is_known")),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_inbox_batch_id_batch")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox")),
        sa.UniqueConstraint("source", "digest", name=op.f("uq_inbox_source_digest")),
    )
    op.create_index(op.f("ix_inbox_batch_id"), "inbox", ["batch_id"], unique=False)
    op.create_index(
        "ix_inbox_pending",
        "inbox",
        ["kind", "id"],
        unique=False,
        postgresql_where=sa.text("outcome = 'pending'"),
    )
    op.create_table(
        "interest",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("program", sa.Text(), nullable=False),
        sa.Column("entry_term", sa.Text(), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_for_information", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_interest_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interest")),
        sa.UniqueConstraint(
            "person_id",
            "program",
            "entry_term",
            name=op.f("uq_interest_person_id_program_entry_term"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index("ix_interest_cell", "interest", ["program", "entry_term", "person_id"], unique=False)
    op.create_index(op.f("ix_interest_person_id"), "interest", ["person_id"], unique=False)
    op.create_table(
        "message",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("token", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("template_version", sa.Text(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("content_sha256", sa.Text(), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("withheld", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('welcome', 'deadline_reminder', 'session_reminder', 'application_received')",
            name=op.f("ck_message_kind_is_known"),
        ),
        sa.CheckConstraint(
            "state IN ('claimed', 'transmitting', 'accepted', 'retry', 'failed', 'uncertain', 'withheld')",
            name=op.f("ck_message_state_is_known"),
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_message_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("message_id", name=op.f("uq_message_message_id")),
    )
    op.create_index(op.f("ix_message_person_id"), "message", ["person_id"], unique=False)
    op.create_index(
        "ix_message_unfinished",
        "message",
        ["kind", "lease_until"],
        unique=False,
        postgresql_where=sa.text("state IN ('claimed', 'transmitting', 'retry')"),
    )
    op.create_table(
        "registration",
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("prep_session_id", sa.Text(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_registration_person_id_person")),
        sa.ForeignKeyConstraint(
            ["prep_session_id"],
            ["prep_session.id"],
            name=op.f("fk_registration_prep_session_id_prep_session"),
        ),
        sa.PrimaryKeyConstraint("person_id", "prep_session_id", name=op.f("pk_registration")),
    )
    op.create_index(op.f("ix_registration_prep_session_id"), "registration", ["prep_session_id"], unique=False)
    op.create_table(
        "residency_evidence",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stated", sa.Text(), nullable=True),
        sa.Column("citizenship", sa.Text(), nullable=True),
        sa.Column("holds_visa", sa.Boolean(), nullable=True),
        sa.Column("address_country", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_residency_evidence_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_residency_evidence")),
    )
    op.create_index(op.f("ix_residency_evidence_person_id"), "residency_evidence", ["person_id"], unique=False)
    op.create_table(
        "review",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_review_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
    )
    op.create_index(op.f("ix_review_person_id"), "review", ["person_id"], unique=False)
    op.create_index(
        "uq_review_open",
        "review",
        ["person_id", "about"],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "unsubscription",
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_unsubscription_person_id_person")),
        sa.PrimaryKeyConstraint("person_id", "topic", name=op.f("pk_unsubscription")),
    )
    op.create_table(
        "cover",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("program", sa.Text(), nullable=True),
        sa.Column("entry_term", sa.Text(), nullable=True),
        sa.Column("round", sa.Text(), nullable=True),
        sa.Column("stated_date", sa.Date(), nullable=True),
        sa.Column("prep_session_id", sa.Text(), nullable=True),
        sa.Column("session_starts", sa.DateTime(timezone=True), nullable=True),
        sa.Column("offset", sa.Text(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("message_row_id", sa.BigInteger(), nullable=True),
        sa.Column("withheld", sa.Text(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "withheld IS NULL OR withheld IN ('submitted', 'unsubscribed', 'bounced', 'complained', 'erased', "
            "'merged', 'collapsed', 'too_late')",
            name=op.f("ck_cover_withheld_is_known"),
        ),
        sa.CheckConstraint("(message_row_id IS NULL) <> (withheld IS NULL)", name=op.f("ck_cover_sent_or_withheld")),
        sa.ForeignKeyConstraint(
            ["message_row_id"],
            ["message.id"],
            name=op.f("fk_cover_message_row_id_message"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_cover_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cover")),
        sa.UniqueConstraint(
            "person_id",
            "kind",
            "program",
            "entry_term",
            "round",
            "stated_date",
            "prep_session_id",
            "session_starts",
            "offset",
            name="uq_cover_key",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(op.f("ix_cover_message_row_id"), "cover", ["message_row_id"], unique=False)
    op.create_index(op.f("ix_cover_person_id"), "cover", ["person_id"], unique=False)
    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("inbox_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["inbox_id"], ["inbox.id"], name=op.f("fk_event_inbox_id_inbox")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_event_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    op.create_index(op.f("ix_event_inbox_id"), "event", ["inbox_id"], unique=False)
    op.create_index(op.f("ix_event_person_id"), "event", ["person_id"], unique=False)
    op.create_table(
        "quarantine",
        sa.Column("inbox_id", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("column", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_quarantine_batch_id_batch")),
        sa.ForeignKeyConstraint(["inbox_id"], ["inbox.id"], name=op.f("fk_quarantine_inbox_id_inbox")),
        sa.PrimaryKeyConstraint("inbox_id", name=op.f("pk_quarantine")),
    )
    op.create_index(op.f("ix_quarantine_batch_id"), "quarantine", ["batch_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_quarantine_batch_id"), table_name="quarantine")
    op.drop_table("quarantine")
    op.drop_index(op.f("ix_event_person_id"), table_name="event")
    op.drop_index(op.f("ix_event_inbox_id"), table_name="event")
    op.drop_table("event")
    op.drop_index(op.f("ix_cover_person_id"), table_name="cover")
    op.drop_index(op.f("ix_cover_message_row_id"), table_name="cover")
    op.drop_table("cover")
    op.drop_table("unsubscription")
    op.drop_index("uq_review_open", table_name="review", postgresql_where=sa.text("closed_at IS NULL"))
    op.drop_index(op.f("ix_review_person_id"), table_name="review")
    op.drop_table("review")
    op.drop_index(op.f("ix_residency_evidence_person_id"), table_name="residency_evidence")
    op.drop_table("residency_evidence")
    op.drop_index(op.f("ix_registration_prep_session_id"), table_name="registration")
    op.drop_table("registration")
    op.drop_index(
        "ix_message_unfinished",
        table_name="message",
        postgresql_where=sa.text("state IN ('claimed', 'transmitting', 'retry')"),
    )
    op.drop_index(op.f("ix_message_person_id"), table_name="message")
    op.drop_table("message")
    op.drop_index(op.f("ix_interest_person_id"), table_name="interest")
    op.drop_index("ix_interest_cell", table_name="interest")
    op.drop_table("interest")
    op.drop_index("ix_inbox_pending", table_name="inbox", postgresql_where=sa.text("outcome = 'pending'"))
    op.drop_index(op.f("ix_inbox_batch_id"), table_name="inbox")
    op.drop_table("inbox")
    op.drop_index(op.f("ix_consent_person_id"), table_name="consent")
    op.drop_table("consent")
    op.drop_table("batch_rule")
    op.drop_index(op.f("ix_application_person_id"), table_name="application")
    op.drop_table("application")
    op.drop_table("sweep")
    op.drop_table("prep_session")
    op.drop_index("ix_person_to_route", table_name="person", postgresql_where=sa.text("needs_routing"))
    op.drop_index("ix_person_cell", table_name="person")
    op.drop_table("person")
    op.drop_index("uq_deadline_in_force", table_name="deadline", postgresql_where=sa.text("replaced_at IS NULL"))
    op.drop_table("deadline")
    op.drop_index("ix_batch_to_load", table_name="batch", postgresql_where=sa.text("step = 'validated'"))
    op.drop_table("batch")
    op.execute(sa.schema.DropSequence(sa.Sequence("message_id_seq")))
