"""Assets' feeders, and their states as their devices report them. An older index is built again."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    _forget_rows()
    op.drop_table("assets")
    _events(
        "assets",
        sa.Column("asset", sa.BigInteger(), nullable=False),
        sa.Column("meter", sa.BigInteger(), nullable=False),
        sa.Column("feeder", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.BigInteger(), nullable=False),
        sa.Column("nameplate_w", sa.BigInteger(), nullable=False),
        sa.Column("storage_wh", sa.BigInteger(), nullable=False),
        by=(("asset",), ("meter",), ("feeder", "kind")),
    )
    _events(
        "asset_states",
        sa.Column("asset", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        by=(("asset",),),
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
