"""What the index's tables are made of: projections of the chain's events.

Disposable: `gridweave index rebuild` gives the same rows.

Every row stands for one event (of `history_subjects` for one block) and carries the state that resulted, keyed by where
the event stands on the chain. Rows are only added, so undoing blocks is `delete where block_number > fork`, and the
current state of a thing is its latest row.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Index, MetaData, String, Table, Text

from gridweave.store.columns import Bytes32, Number

__all__ = ["blocks", "col", "events", "facts", "metadata"]

metadata = MetaData()

facts = Table(
    "facts",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", Text, nullable=False),
    comment="what this index was built from: chain id, genesis, contracts",
)

blocks = Table(
    "blocks",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("hash", Bytes32, nullable=False),
    Column("parent_hash", Bytes32, nullable=False),
    Column("timestamp", Number, nullable=False),
    Index("blocks_by_time", "timestamp"),
)


def events(name: str, *columns: Column[Any], by: tuple[tuple[str, ...], ...] = ()) -> Table:
    """A table of events; a column of `columns` may extend the key where one event leaves several rows."""
    return Table(
        name,
        metadata,
        Column("block_number", Number, primary_key=True, autoincrement=False),
        Column("log_index", Number, primary_key=True, autoincrement=False),
        Column("tx_hash", Bytes32, nullable=False),
        *columns,
        *(Index(f"{name}_by_{'_'.join(keys)}", *keys) for keys in by),
    )


def col(name: str, kind: Any, *, null: bool = False) -> Column[Any]:
    """A column that holds something unless it may be `null`."""
    return Column(name, kind, nullable=null)
