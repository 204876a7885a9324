"""zstandard for frozen messages"""

from collections.abc import Callable, Sequence

import sqlalchemy as sa
import zstandard
from alembic import op

revision: str = "a3d7e05b92c4"
down_revision: str | None = "f2c86b1d90e4"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_ROWS_A_ROUND = 500


def upgrade() -> None:
    # What is compressed already is not tried once more.
    op.execute("ALTER TABLE message ALTER COLUMN content SET STORAGE EXTERNAL")
    _change_contents(lambda content: zstandard.compress(content, 1))


def downgrade() -> None:
    op.execute("ALTER TABLE message ALTER COLUMN content SET STORAGE EXTENDED")
    _change_contents(_decompressed)


def _decompressed(content: bytes) -> bytes:
    """What is no frame stays: a worker of the release before stored it, or somebody by hand."""
    try:
        return zstandard.decompress(content)
    except zstandard.ZstdError:
        return content


def _change_contents(change: Callable[[bytes], bytes]) -> None:
    """A few hundred messages at a time, in the order of their ids: all of them are more than memory holds."""
    message = sa.table("message", sa.column("id", sa.BigInteger), sa.column("content", sa.LargeBinary))
    frozen = sa.select(message).where(message.c.content.is_not(None)).order_by(message.c.id).limit(_ROWS_A_ROUND)
    update = message.update().where(message.c.id == sa.bindparam("changed")).values(content=sa.bindparam("bytes"))
    last = 0
    while rows := op.get_bind().execute(frozen.where(message.c.id > last)).all():
        op.get_bind().execute(update, [{"changed": row.id, "bytes": change(row.content)} for row in rows])
        last = rows[-1].id
