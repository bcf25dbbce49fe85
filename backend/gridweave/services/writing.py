"""Rows of the history as bytes: a JSON object a line, or CSV."""

from __future__ import annotations

import csv
import io
from abc import ABC, abstractmethod
from collections.abc import Sequence
from enum import StrEnum

from gridweave.services.history import Telling
from gridweave.store.history import HistoryRow

__all__ = ["COLUMNS", "CsvRows", "Format", "JsonRows", "Writer"]

COLUMNS = ("block", "blockHash", "logIndex", "transaction", "time", "final", "contract", "address", "event", "args")


class Format(StrEnum):
    """How rows are written: a JSON object a line, a CSV line, or Parquet."""

    NDJSON = "ndjson"
    CSV = "csv"
    PARQUET = "parquet"

    @property
    def media_type(self) -> str:
        """As HTTP names it."""
        return {"ndjson": "application/x-ndjson", "csv": "text/csv", "parquet": "application/vnd.apache.parquet"}[self]


class Writer(ABC):
    """Turns rows into bytes. `end` gives what comes after the last of them."""

    def __init__(self, telling: Telling) -> None:
        self.telling = telling

    @abstractmethod
    def write(self, rows: Sequence[HistoryRow]) -> bytes: ...

    def end(self) -> bytes:
        return b""


class JsonRows(Writer):
    """A JSON object a line, as pages have it."""

    def write(self, rows: Sequence[HistoryRow]) -> bytes:
        return "".join(f"{self.telling.json(row)}\n" for row in rows).encode()


class CsvRows(Writer):
    """No cell can be taken for a formula: each is hex, a number, a name or a JSON object."""

    def __init__(self, telling: Telling) -> None:
        super().__init__(telling)
        self._text = io.StringIO(newline="")
        self._lines = csv.writer(self._text)
        self._lines.writerow(COLUMNS)

    def write(self, rows: Sequence[HistoryRow]) -> bytes:
        for row in rows:
            *where, final, contract, address, event, args = self.telling.cells(row)
            self._lines.writerow((*where, str(final).lower(), contract, address, event, args))
        return self.end()

    def end(self) -> bytes:
        written = self._text.getvalue()
        self._text.seek(0)
        self._text.truncate()
        return written.encode()
