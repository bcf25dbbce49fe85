"""A device's life: owners, keys on either curve, doubts, proposals, offers, batches. An older index is built again."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    _forget_rows()
    op.drop_table("device_keys")
    op.drop_table("devices")
    _events(
        "devices",
        sa.Column("device", sa.String(length=42), nullable=False),
        sa.Column("maker", sa.String(length=42), nullable=False),
        sa.Column("owner", sa.String(length=42), nullable=False),
        sa.Column("model", sa.BigInteger(), nullable=False),
        sa.Column("batch", sa.String(length=66), nullable=True),
        by=("device", "owner"),
    )
    _events(
        "device_owners",
        sa.Column("device", sa.String(length=42), nullable=False),
        sa.Column("owner", sa.String(length=42), nullable=False),
        by=("device", "owner"),
    )
    _events(
        "device_keys",
        sa.Column("device", sa.String(length=42), nullable=False),
        sa.Column("key_kind", sa.BigInteger(), nullable=False),
        sa.Column("x", sa.String(length=66), nullable=False),
        sa.Column("y", sa.String(length=66), nullable=False),
        sa.Column("counts", sa.Boolean(), nullable=False),
        by=("device",),
    )
    _events(
        "device_doubts",
        sa.Column("device", sa.String(length=42), nullable=False),
        sa.Column("since_block", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=42), nullable=False),
        by=("device",),
    )
    _events(
        "device_proposals",
        sa.Column("device", sa.String(length=42), nullable=False),
        sa.Column("key_kind", sa.BigInteger(), nullable=False),
        sa.Column("x", sa.String(length=66), nullable=False),
        sa.Column("y", sa.String(length=66), nullable=False),
        sa.Column("ready_at", sa.BigInteger(), nullable=False),
        by=("device",),
    )
    _events(
        "device_vetoes",
        sa.Column("device", sa.String(length=42), nullable=False),
        sa.Column("key", sa.String(length=42), nullable=False),
        by=("device",),
    )
    _events(
        "device_offers",
        sa.Column("device", sa.String(length=42), nullable=False),
        sa.Column("to", sa.String(length=42), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        by=("device", "to"),
    )
    _events(
        "device_batches",
        sa.Column("root", sa.String(length=66), nullable=False),
        sa.Column("maker", sa.String(length=42), nullable=False),
        sa.Column("model", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        by=("root", "maker"),
    )
    _events(
        "device_batch_closings",
        sa.Column("root", sa.String(length=66), nullable=False),
        sa.Column("by", sa.String(length=42), nullable=False),
        by=("root",),
    )


def _events(name: str, *columns: sa.Column[object], by: tuple[str, ...]) -> None:
    op.create_table(
        name,
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tx_hash", sa.String(length=66), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("block_number", "log_index"),
    )
    for key in by:
        op.create_index(f"{name}_by_{key}", name, [key], unique=False)


def _forget_rows() -> None:
    """Every row but the facts: what is missing cannot be told from the rows that are there."""
    connection = op.get_bind()
    for name in sa.inspect(connection).get_table_names():
        if name not in ("facts", "alembic_version"):
            connection.execute(sa.delete(sa.table(name)))


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back; restore a backup instead")
