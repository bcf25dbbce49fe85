"""Firmware: models, release keys, releases, rollouts, receipts. An older index is built again."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    _forget_rows()
    _events(
        "firmware_models",
        sa.Column("model", sa.BigInteger(), nullable=False),
        sa.Column("maker", sa.String(length=42), nullable=False),
        by=(("model",), ("maker",)),
    )
    _events(
        "firmware_keys",
        sa.Column("model", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("threshold", sa.BigInteger(), nullable=False),
        sa.Column("members", sa.Text(), nullable=False),
        by=(("model", "version"),),
    )
    _events(
        "firmware_releases",
        *_of_release(),
        sa.Column("commitment", sa.String(length=66), nullable=False),
        sa.Column("floor", sa.BigInteger(), nullable=False),
        sa.Column("image_size", sa.String(length=80), nullable=False),
        sa.Column("image_hash", sa.String(length=66), nullable=False),
        sa.Column("manifest_hash", sa.String(length=66), nullable=False),
        sa.Column("bom_hash", sa.String(length=66), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("least_receipts", sa.BigInteger(), nullable=False),
        sa.Column("failure_limit_bp", sa.BigInteger(), nullable=False),
        sa.Column("deadline", sa.String(length=80), nullable=False),
        by=(("model", "counter"),),
    )
    _events(
        "firmware_steps",
        *_of_release(),
        sa.Column("state", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("share_bp", sa.BigInteger(), nullable=True),
        sa.Column("by", sa.String(length=42), nullable=True),
        sa.Column("told", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.BigInteger(), nullable=True),
        by=(("model", "counter"),),
    )
    _events(
        "firmware_floors",
        sa.Column("model", sa.BigInteger(), nullable=False),
        sa.Column("floor", sa.BigInteger(), nullable=False),
        by=(("model",),),
    )
    _events(
        "firmware_revocations",
        *_of_release(),
        sa.Column("since_block", sa.BigInteger(), nullable=False),
        by=(("model", "counter"),),
    )
    _events(
        "firmware_installs",
        sa.Column("device", sa.String(length=42), nullable=False),
        *_of_release(),
        sa.Column("failure_code", sa.BigInteger(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        by=(("device",), ("model", "counter")),
    )
    _events(
        "firmware_refusals",
        sa.Column("device", sa.String(length=42), nullable=False),
        *_of_release(),
        sa.Column("reason", sa.String(length=64), nullable=False),
        by=(("device",), ("model", "counter")),
    )


def _of_release() -> list[sa.Column[object]]:
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in ("model", "counter")]


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
