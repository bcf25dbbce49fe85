"""The history as a stream of any length: a page in memory at a time, of one consistent chain.

An export holds what stands up to the block that was newest when it began. If that block is thrown out meanwhile, what
was sent may be void: the stream breaks off, so that nobody takes it for whole.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from importlib.util import find_spec

from gridweave.services.errors import ParquetMissing
from gridweave.services.history import Filters, Telling, start_of, wanted_by
from gridweave.services.world import World
from gridweave.services.writing import CsvRows, Format, JsonRows, Writer

__all__ = ["Export", "open_export"]

_ROWS = 2_000


@dataclass(frozen=True)
class Export:
    """An export that may begin: `body` its bytes, `block` and `hash` of the newest block that it reaches to."""

    block: int
    hash: str
    format: Format
    body: AsyncIterator[bytes]


async def open_export(world: World, filters: Filters, format_: Format, cursor: str | None) -> Export:
    """Everything behind `cursor` that the filters let pass.

    Raises RequestInvalid, CursorInvalid, CursorReorganised, ParquetMissing; `body` raises Reorganised.
    """
    head, telling = world.heads.block, Telling.of(world)
    wanted = await wanted_by(world, filters)
    behind, _ = await start_of(world, cursor)
    writer = _writer(format_)(telling)
    pins = [(head.number, head.hash)] if head else []

    async def body() -> AsyncIterator[bytes]:
        place = behind
        while True:
            found = await world.reads.history.stretch(wanted, place, _ROWS, pins)
            if written := writer.write(found.rows):
                yield written
            if found.behind is None:
                break
            place = found.behind
        if written := writer.end():
            yield written

    return Export(head.number if head else -1, head.hash if head else "", format_, body())


def _writer(format_: Format) -> Callable[[Telling], Writer]:
    if format_ is Format.NDJSON:
        return JsonRows
    if format_ is Format.CSV:
        return CsvRows
    if find_spec("pyarrow") is None:
        raise ParquetMissing
    from gridweave.services.parquet import ParquetRows

    return ParquetRows
