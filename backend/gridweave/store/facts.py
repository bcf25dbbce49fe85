"""What a database belongs to, written on first use and compared ever after."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Table, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gridweave.store.errors import StoreMismatch

__all__ = ["check_facts"]


async def check_facts(connection: AsyncConnection, table: Table, identity: Mapping[str, str]) -> None:
    """Stores `identity` in an empty table of facts. Raises StoreMismatch where a stored fact differs."""
    stored = {row.name: row.value for row in await connection.execute(select(table))}
    for name, value in identity.items():
        if name in stored and stored[name] != value:
            raise StoreMismatch(f"this database belongs to {name} {stored[name]}, not {value}")
    missing = [{"name": name, "value": value} for name, value in identity.items() if name not in stored]
    if missing:
        await connection.execute(insert(table), missing)
