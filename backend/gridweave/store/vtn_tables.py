"""Tables of the OpenADR 3 VTN, in the outbox's database: what its clients were told is kept must be.

vtn_objects  programs, events, reports, subscriptions, vens and resources, each one row
vtn_targets  every target of every object, to find objects by
vtn_notices  what subscribers are to be told and were not yet, written in the transaction of the change
"""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table, Text

from gridweave.store.columns import Number, Seq
from gridweave.store.outbox_tables import metadata

__all__ = ["MOST_NAME", "metadata", "vtn_notices", "vtn_objects", "vtn_targets"]

MOST_NAME = 128
"""Characters of an id, a name and a target, by the specification."""

vtn_objects = Table(
    "vtn_objects",
    metadata,
    Column("seq", Seq, primary_key=True, autoincrement=True),
    Column("id", String(MOST_NAME), nullable=False, unique=True),
    Column("kind", String(12), nullable=False),
    Column("owner", String(MOST_NAME), nullable=True, comment="clientID; null: business logic's, as programs are"),
    Column("parent", String(MOST_NAME), nullable=True, comment="program of an event, event of a report, ven ..."),
    Column("name", String(MOST_NAME), nullable=True, comment="what it can be looked up by"),
    Column("unique_name", String(400), nullable=True, unique=True),
    Column("targets", Text, nullable=False, comment="JSON list"),
    Column("content", Text, nullable=False, comment="JSON: what its client said, without the targets"),
    Column("ends_at_ms", Number, nullable=True, comment="of an event: null for one without an end"),
    Column("origin", String(32), nullable=True, comment="where it was born, if not here"),
    Column("created_at_ms", Number, nullable=False),
    Column("modified_at_ms", Number, nullable=False),
    Index("vtn_objects_by_kind", "kind", "seq"),
    Index("vtn_objects_by_parent", "parent", "kind"),
    Index("vtn_objects_by_owner", "owner", "kind"),
    Index("vtn_objects_by_origin", "origin"),
    sqlite_autoincrement=True,
)

vtn_targets = Table(
    "vtn_targets",
    metadata,
    Column("object", Number, primary_key=True, autoincrement=False),
    Column("target", String(MOST_NAME), primary_key=True),
    Index("vtn_targets_by_target", "target", "object"),
)

vtn_notices = Table(
    "vtn_notices",
    metadata,
    Column("seq", Seq, primary_key=True, autoincrement=True),
    Column("subscription", String(MOST_NAME), nullable=False),
    Column("url", Text, nullable=False),
    Column("bearer", Text, nullable=True),
    Column("body", Text, nullable=False, comment="JSON: the notification"),
    Column("attempts", Number, nullable=False),
    Column("due_at_ms", Number, nullable=False),
    Column("created_at_ms", Number, nullable=False),
    Index("vtn_notices_by_due", "due_at_ms", "seq"),
    Index("vtn_notices_by_subscription", "subscription", "url"),
    sqlite_autoincrement=True,
)
