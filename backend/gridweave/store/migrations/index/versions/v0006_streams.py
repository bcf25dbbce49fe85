"""Streams of telemetry: epochs, batches, refusals and grants. An older index is built again."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    _forget_rows()
    _events(
        "streams",
        sa.Column("stream", sa.String(length=66), nullable=False),
        sa.Column("device", sa.String(length=42), nullable=False),
        sa.Column("schema_hash", sa.String(length=66), nullable=False),
        sa.Column("mode", sa.BigInteger(), nullable=False),
        by=(("stream",), ("device",)),
    )
    _events(
        "stream_epochs",
        sa.Column("stream", sa.String(length=66), nullable=False),
        sa.Column("owner", sa.String(length=42), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("tip", sa.String(length=66), nullable=False),
        by=(("stream",), ("owner",)),
    )
    _events(
        "stream_batches",
        sa.Column("stream", sa.String(length=66), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("span", sa.String(length=66), nullable=False),
        sa.Column("head", sa.String(length=66), nullable=False),
        sa.Column("root", sa.String(length=66), nullable=False),
        sa.Column("body_hash", sa.String(length=66), nullable=False),
        by=(("stream", "number"), ("body_hash",)),
    )
    _events(
        "stream_refusals",
        sa.Column("stream", sa.String(length=66), nullable=False),
        sa.Column("span", sa.String(length=66), nullable=False),
        sa.Column("reason", sa.String(length=80), nullable=False),
        by=(("stream",),),
    )
    _events(
        "stream_grants",
        sa.Column("stream", sa.String(length=66), nullable=False),
        sa.Column("to", sa.String(length=42), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("first_window", sa.BigInteger(), nullable=False),
        sa.Column("last_window", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        by=(("stream",), ("to",)),
    )


def _events(name: str, *columns: sa.Column[object], by: tuple[tuple[str, ...], ...]) -> None:
    op.create_table(
        name,
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tx_hash", sa.String(length=66), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("block_number", "log_index"),
    )
    for keys in by:
        op.create_index(f"{name}_by_{'_'.join(keys)}", name, list(keys), unique=False)


def _forget_rows() -> None:
    """Every row but the facts: what is missing cannot be told from the rows that are there."""
    connection = op.get_bind()
    for name in sa.inspect(connection).get_table_names():
        if name not in ("facts", "alembic_version"):
            connection.execute(sa.delete(sa.table(name)))


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back; restore a backup instead")
