"""The first schema of the outbox."""

import sqlalchemy as sa
from alembic import op

from gridweave.store.columns import Micro, Seq

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "batches",
        sa.Column("id", Seq, autoincrement=True, nullable=False),
        sa.Column("nonce", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("to_address", sa.String(length=42), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("gas", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False, comment="open, mined, final or dead"),
        sa.Column("tx_hash", sa.String(length=66), nullable=True, comment="the one that was mined"),
        sa.Column("block_number", sa.BigInteger(), nullable=True),
        sa.Column("block_hash", sa.String(length=66), nullable=True),
        sa.Column("gas_used", sa.BigInteger(), nullable=True),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("nonce"),
        sqlite_autoincrement=True,
    )
    op.create_index("batches_by_state", "batches", ["state", "nonce"], unique=False)
    op.create_table(
        "facts",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        comment="what this outbox belongs to: chain id, genesis, relayer",
    )
    op.create_table(
        "items",
        sa.Column("seq", Seq, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=66), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("nonce_key", sa.String(length=160), nullable=True, comment="what the signature may be used for once"),
        sa.Column("lanes", sa.Text(), nullable=False, comment="JSON list: items that share a lane keep their order"),
        sa.Column("market", sa.BigInteger(), nullable=True),
        sa.Column("slot", sa.BigInteger(), nullable=True),
        sa.Column("meter", sa.BigInteger(), nullable=True),
        sa.Column("account", sa.String(length=42), nullable=True),
        sa.Column("payload", sa.Text(), nullable=False, comment="JSON: what the call needs, signatures included"),
        sa.Column(
            "commit_before",
            sa.BigInteger(),
            nullable=False,
            comment="chain time from which it can no longer be executed",
        ),
        sa.Column("acknowledgement", sa.Text(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False, comment="accepted, committed or rejected"),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("reason_args", sa.Text(), nullable=True),
        sa.Column("final", sa.Boolean(), nullable=False),
        sa.Column(
            "was_committed", sa.Boolean(), nullable=False, comment="a block held it once, perhaps one that is gone"
        ),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("batch", sa.BigInteger(), nullable=True),
        sa.Column("tx_hash", sa.String(length=66), nullable=True),
        sa.Column("block_number", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("id"),
        sa.UniqueConstraint("nonce_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("items_by_batch", "items", ["batch"], unique=False)
    op.create_index("items_by_meter", "items", ["meter", "slot"], unique=False)
    op.create_index("items_by_state", "items", ["final", "status", "seq"], unique=False)
    op.create_table(
        "signed",
        sa.Column("tx_hash", sa.String(length=66), nullable=False),
        sa.Column("batch", sa.BigInteger(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("most_fee", Micro(), nullable=False, comment="wei per gas"),
        sa.Column("priority_fee", Micro(), nullable=True, comment="wei per gas; null where there is one gas price"),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tx_hash"),
    )
    op.create_index("signed_by_batch", "signed", ["batch"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back; restore a backup instead")
