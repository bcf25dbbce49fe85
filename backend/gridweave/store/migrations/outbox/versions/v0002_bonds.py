"""Acknowledgements that a bond answers for, and refusals that are to be proved to it."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column(
        "items",
        sa.Column("sponsor", sa.String(length=42), nullable=True, comment="whose bond answers for the acknowledgement"),
    )
    op.add_column(
        "items",
        sa.Column(
            "to_prove",
            sa.Boolean(),
            nullable=False,
            server_default=sa.false(),
            comment="refused on chain, which a bond does not know yet",
        ),
    )
    op.create_index("items_to_prove", "items", ["to_prove"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back; restore a backup instead")
