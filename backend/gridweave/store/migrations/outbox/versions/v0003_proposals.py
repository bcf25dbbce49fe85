"""Acts of release keys that are being gathered, and who has approved them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "proposals",
        sa.Column("id", sa.String(length=66), nullable=False, comment="the act's EIP-712 digest"),
        sa.Column("act", sa.String(length=16), nullable=False),
        sa.Column("model", sa.BigInteger(), nullable=False),
        sa.Column("counter", sa.BigInteger(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False, comment="JSON: the act's fields"),
        sa.Column("maker", sa.Text(), nullable=True, comment="JSON: the maker's consent, where a model is opened"),
        sa.Column("deadline", sa.String(length=80), nullable=False),
        sa.Column("proposer", sa.String(length=42), nullable=False, comment="who signed it first"),
        sa.Column(
            "kept", sa.Boolean(), nullable=False, comment="of a release that stands: bundles carry the approvals"
        ),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("proposals_by_model", "proposals", ["model", "counter"], unique=False)
    op.create_index("proposals_by_proposer", "proposals", ["proposer"], unique=False)
    op.create_table(
        "approvals",
        sa.Column("id", sa.String(length=66), nullable=False),
        sa.Column("signer", sa.String(length=42), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", "signer"),
    )


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back; restore a backup instead")
