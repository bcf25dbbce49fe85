"""The history as Parquet, a row group at a time. Needs pyarrow."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
from pyarrow import parquet

from gridweave.services.history import Telling
from gridweave.services.writing import COLUMNS, Writer
from gridweave.store.history import HistoryRow

__all__ = ["ParquetRows"]

_GROUP = 20_000
"""Rows that stand in memory until a group is written."""

_NAME = pa.dictionary(pa.int32(), pa.string())
_KINDS = (
    pa.int64(),
    pa.string(),
    pa.int32(),
    pa.string(),
    pa.timestamp("s", "UTC"),
    pa.bool_(),
    _NAME,
    _NAME,
    _NAME,
    pa.string(),
)
_SCHEMA = pa.schema(list(zip(COLUMNS, _KINDS, strict=True)))


class _Sink:
    """A file that gives away what was written to it and still knows how much that was."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._written = 0

    def write(self, part: bytes) -> int:
        self._parts.append(bytes(part))
        self._written += len(part)
        return len(part)

    def tell(self) -> int:
        return self._written

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """What is left can still be taken."""

    def take(self) -> bytes:
        """What was written since the last time."""
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


class ParquetRows(Writer):
    """Compressed by zstd; `args` is JSON text as in the other formats."""

    def __init__(self, telling: Telling) -> None:
        super().__init__(telling)
        self._sink = _Sink()
        self._writer = parquet.ParquetWriter(self._sink, _SCHEMA, compression="zstd")
        self._rows: list[tuple[object, ...]] = []

    def write(self, rows: Sequence[HistoryRow]) -> bytes:
        self._rows += [self.telling.cells(row) for row in rows]
        return self._group() if len(self._rows) >= _GROUP else b""

    def end(self) -> bytes:
        last = self._group() if self._rows else b""
        self._writer.close()
        return last + self._sink.take()

    def _group(self) -> bytes:
        columns = zip(*self._rows, strict=True)
        arrays = [pa.array(column, kind) for column, kind in zip(columns, _KINDS, strict=True)]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=_SCHEMA))
        self._rows = []
        return self._sink.take()
