"""more kinds of message"""

from collections.abc import Sequence

from alembic import op

revision: str = "5d0e8f2b9a47"
down_revision: str | None = "b7d20c94e1f6"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_KINDS = (
    "'welcome', 'deadline_reminder', 'deadline_moved', 'session_invitation', 'session_confirmation', "
    "'session_reminder', 'session_moved', 'session_cancelled', 'application_received'"
)
_EARLIER_KINDS = "'welcome', 'deadline_reminder', 'session_reminder', 'application_received'"


def upgrade() -> None:
    _allow(_KINDS)


def downgrade() -> None:
    # PostgreSQL refuses it while there are messages of the newer kinds: what was sent is not forgotten.
    _allow(_EARLIER_KINDS)


def _allow(kinds: str) -> None:
    op.drop_constraint(op.f("ck_message_kind_is_known"), "message", type_="check")
    op.create_check_constraint(op.f("ck_message_kind_is_known"), "message", f"kind IN ({kinds})")
