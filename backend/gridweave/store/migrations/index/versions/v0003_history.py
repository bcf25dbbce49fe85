"""The history of every event. An index made before is emptied, and the service builds it again from the chain."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    _forget_rows()
    op.create_table(
        "history",
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tx_hash", sa.String(length=66), nullable=False),
        sa.Column("contract", sa.String(length=42), nullable=False),
        sa.Column("event", sa.String(length=40), nullable=False),
        sa.Column("args", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index"),
    )
    op.create_table(
        "history_subjects",
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("logs", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "block_number"),
        comment="where each subject is named: once a block, with the log indexes, ascending and separated by commas",
        sqlite_with_rowid=False,
    )
    op.create_index("history_subjects_by_block_number", "history_subjects", ["block_number"], unique=False)


def _forget_rows() -> None:
    """Every row but the facts, the cursor among them: what is missing cannot be told from the rows that are there."""
    connection = op.get_bind()
    for name in sa.inspect(connection).get_table_names():
        if name not in ("facts", "alembic_version"):
            connection.execute(sa.delete(sa.table(name)))


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back; restore a backup instead")
