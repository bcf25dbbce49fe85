"""The OpenADR 3 VTN's objects, their targets, and what subscribers are to be told."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_SEQ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "vtn_objects",
        sa.Column("seq", _SEQ, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column(
            "owner", sa.String(length=128), nullable=True, comment="clientID; null: business logic's, as programs are"
        ),
        sa.Column(
            "parent", sa.String(length=128), nullable=True, comment="program of an event, event of a report, ven ..."
        ),
        sa.Column("name", sa.String(length=128), nullable=True, comment="what it can be looked up by"),
        sa.Column("unique_name", sa.String(length=400), nullable=True),
        sa.Column("targets", sa.Text(), nullable=False, comment="JSON list"),
        sa.Column("content", sa.Text(), nullable=False, comment="JSON: what its client said, without the targets"),
        sa.Column("ends_at_ms", sa.BigInteger(), nullable=True, comment="of an event: null for one without an end"),
        sa.Column("origin", sa.String(length=32), nullable=True, comment="where it was born, if not here"),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("modified_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("id"),
        sa.UniqueConstraint("unique_name"),
        sqlite_autoincrement=True,
    )
    op.create_index("vtn_objects_by_kind", "vtn_objects", ["kind", "seq"], unique=False)
    op.create_index("vtn_objects_by_parent", "vtn_objects", ["parent", "kind"], unique=False)
    op.create_index("vtn_objects_by_owner", "vtn_objects", ["owner", "kind"], unique=False)
    op.create_index("vtn_objects_by_origin", "vtn_objects", ["origin"], unique=False)
    op.create_table(
        "vtn_targets",
        sa.Column("object", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("target", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("object", "target"),
    )
    op.create_index("vtn_targets_by_target", "vtn_targets", ["target", "object"], unique=False)
    op.create_table(
        "vtn_notices",
        sa.Column("seq", _SEQ, autoincrement=True, nullable=False),
        sa.Column("subscription", sa.String(length=128), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("bearer", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False, comment="JSON: the notification"),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("due_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sqlite_autoincrement=True,
    )
    op.create_index("vtn_notices_by_due", "vtn_notices", ["due_at_ms", "seq"], unique=False)
    op.create_index("vtn_notices_by_subscription", "vtn_notices", ["subscription", "url"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back; restore a backup instead")
