"""The stream of public events, as it can be resumed from any point."""

from __future__ import annotations

from sqlalchemy import or_, select

from gridweave.store.event_tables import blocks
from gridweave.store.index_tables import cancellations, clearings, placements, refusals, settlements
from gridweave.store.reading import Reader, Row

__all__ = ["STREAMED", "EventReads"]

STREAMED = {
    "placements": ("order", "committed"),
    "cancellations": ("order", "cancelled"),
    "refusals": ("order", "rejected"),
    "clearings": ("cleared", ""),
    "settlements": ("settled", ""),
}
"""Per table the kind of its events, and the status they give an order."""

_TABLES = (placements, cancellations, refusals, clearings, settlements)


class EventReads(Reader):
    """Events in chain order, each row with its table's name under `table`."""

    async def between(self, block: int, log: int, last: int) -> list[Row]:
        """Events behind (block, log) up to and with block `last`."""
        found: list[Row] = []
        for table in _TABLES:
            columns = table.c
            behind = or_(columns.block_number > block, (columns.block_number == block) & (columns.log_index > log))
            query = select(table).where(columns.block_number.between(block, last), behind)
            found += [row | {"table": table.name} for row in await self._rows(query)]
        return sorted(found, key=lambda row: (row["block_number"], row["log_index"]))

    async def blocks(self, first: int, last: int) -> list[Row]:
        """Blocks first..last."""
        query = select(blocks).where(blocks.c.number.between(first, last))
        return await self._rows(query.order_by(blocks.c.number))
