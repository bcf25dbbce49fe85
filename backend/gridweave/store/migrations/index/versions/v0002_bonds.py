"""Tables of the relayer's bond."""

import sqlalchemy as sa
from alembic import op

from gridweave.store.columns import Micro

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "bonds",
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tx_hash", sa.String(length=66), nullable=False),
        sa.Column("sponsor", sa.String(length=42), nullable=False),
        sa.Column("relayer", sa.String(length=42), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("bond", Micro(), nullable=False),
        sa.Column("leaving", Micro(), nullable=False),
        sa.Column("redeemable_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("block_number", "log_index"),
    )
    op.create_index("bonds_by_relayer_sponsor", "bonds", ["relayer", "sponsor"], unique=False)
    op.create_table(
        "compensations",
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tx_hash", sa.String(length=66), nullable=False),
        sa.Column("digest", sa.String(length=66), nullable=False),
        sa.Column("sponsor", sa.String(length=42), nullable=False),
        sa.Column("relayer", sa.String(length=42), nullable=False),
        sa.Column("meter", sa.BigInteger(), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("account", sa.String(length=42), nullable=False),
        sa.Column("amount", Micro(), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index"),
    )
    op.create_index("compensations_by_relayer", "compensations", ["relayer"], unique=False)
    op.create_table(
        "refusal_proofs",
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tx_hash", sa.String(length=66), nullable=False),
        sa.Column("digest", sa.String(length=66), nullable=False),
        sa.Column("meter", sa.BigInteger(), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("request", sa.String(length=66), nullable=False),
        sa.Column("signature_hash", sa.String(length=66), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index"),
    )
    op.create_index("refusal_proofs_by_digest", "refusal_proofs", ["digest"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back; restore a backup instead")
