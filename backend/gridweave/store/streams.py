"""Streams of telemetry: how far they have come, what is anchored of them, who was granted what."""

from __future__ import annotations

from functools import partial
from typing import Any

from sqlalchemy import Connection, Select, func, select, tuple_

from gridweave.domain.anchors import PAGE_SIZE, Span
from gridweave.store.device_tables import stream_batches, stream_epochs, stream_grants, streams
from gridweave.store.event_tables import blocks
from gridweave.store.reading import MOST_ROWS, Page, Reader, Row

__all__ = ["StreamReads", "span_of"]

_MOST_STREAMS = 100


class StreamReads(Reader):
    """What the chain says of streams. Streams and hashes are 0x hex, spans the contract's words."""

    async def stream(self, stream: str) -> Row | None:
        """One of `streams`, and {owner, epoch, span, head} of its tip as it stands; `head` is None before a batch."""
        return await self._db.reading(partial(_standing, stream=stream))

    async def page(self, *, device: str | None, owner: str | None, cursor: str | None, limit: int) -> Page:
        """Streams as `stream` gives them, of a device, of who began their present epoch, or all.

        Raises CursorInvalid.
        """
        wanted = [] if device is None else [streams.c.device == device]
        if owner is not None:
            newest = select(stream_epochs.c.stream, func.max(stream_epochs.c.epoch)).group_by(stream_epochs.c.stream)
            kept = select(stream_epochs.c.stream).where(
                stream_epochs.c.owner == owner,
                tuple_(stream_epochs.c.stream, stream_epochs.c.epoch).in_(newest),
            )
            wanted.append(streams.c.stream.in_(kept))
        found = await self._page(streams, cursor, min(limit, _MOST_STREAMS), *wanted)

        def standing(connection: Connection) -> list[Row]:
            return [_standing(connection, row["stream"]) or row for row in found.rows]

        return Page(await self._db.reading(standing), found.next_cursor)

    async def batches(self, stream: str, after: int, limit: int) -> list[Row]:
        """Rows of `stream_batches` with their block's `timestamp`, by number, those behind `after`."""
        wanted = _BATCHES.where(stream_batches.c.stream == stream, stream_batches.c.number > after)
        return await self._rows(wanted.order_by(stream_batches.c.number).limit(max(1, min(limit, MOST_ROWS))))

    async def page_of(self, stream: str, page: int) -> list[Row]:
        """The batches of a page, as `batches` gives them."""
        return await self.batches(stream, page * PAGE_SIZE, PAGE_SIZE)

    async def batch_of_body(self, body_hash: str) -> Row | None:
        """A batch with this body, the newest, with its stream's `mode`."""
        wanted = (
            select(stream_batches, streams.c.mode)
            .join(streams, streams.c.stream == stream_batches.c.stream)
            .where(stream_batches.c.body_hash == body_hash)
        )
        return await self._row(wanted.order_by(stream_batches.c.block_number.desc()))

    async def grants(self, *, to: str | None, stream: str | None, cursor: str | None, limit: int) -> Page:
        """Grants to a party, of a stream, or all, in chain order. Raises CursorInvalid."""
        wanted = {"to": to, "stream": stream}
        conditions = [stream_grants.c[name] == value for name, value in wanted.items() if value is not None]
        return await self._page(stream_grants, cursor, limit, *conditions)


def _standing(connection: Connection, stream: str) -> Row | None:
    opened = _newest(connection, select(streams).where(streams.c.stream == stream), streams)
    if opened is None:
        return None
    epoch = _newest(connection, select(stream_epochs).where(stream_epochs.c.stream == stream), stream_epochs)
    batch = _newest(connection, select(stream_batches).where(stream_batches.c.stream == stream), stream_batches)
    assert epoch is not None  # a stream is opened with its first
    span = batch["span"] if batch is not None and _place(batch) > _place(epoch) else epoch["tip"]
    told = {"owner": epoch["owner"], "epoch": epoch["epoch"], "span": span}
    return opened | told | {"head": batch["head"] if batch else None}


def _newest(connection: Connection, query: Select[Any], table: Any) -> Row | None:
    order = (table.c.block_number.desc(), table.c.log_index.desc())
    row = connection.execute(query.order_by(*order).limit(1)).mappings().first()
    return dict(row) if row else None


def _place(row: Row) -> tuple[int, int]:
    return row["block_number"], row["log_index"]


def span_of(row: Row) -> Span:
    """The span in a row's word."""
    return Span.unpack(bytes.fromhex(row["span"].removeprefix("0x")))


_BATCHES = select(stream_batches, blocks.c.timestamp).join(blocks, blocks.c.number == stream_batches.c.block_number)
