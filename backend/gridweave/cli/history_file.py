"""The history as a file: whole or not there, and gone on with after a broken connection where lines allow it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from rich.progress import BarColumn, DownloadColumn, Progress, TimeElapsedColumn, TransferSpeedColumn

from gridweave.cli.terminal import WrongUse, errors
from gridweave.client.errors import ServiceUnavailable
from gridweave.client.history import HistoryFilters
from gridweave.client.service import GridweaveClient

__all__ = ["FORMATS", "write_history"]

FORMATS = ("ndjson", "csv", "parquet")

_ATTEMPTS = 5
_PAUSE_S = 1.0
_TAIL = 1 << 16
"""Bytes in which the last line surely begins."""


def write_history(
    client: GridweaveClient, filters: HistoryFilters, file: Path, kind: str, *, resume: bool, quiet: bool
) -> dict[str, Any]:
    """Writes every row; {rows (None where lines are no rows), bytes}. The file appears whole, until then as FILE.part.

    Raises WrongUse, ServiceError, and ServiceUnavailable when the connection broke too often.
    """
    if kind not in FORMATS:
        raise WrongUse(f"--format is one of {', '.join(FORMATS)}, not {kind!r}")
    if resume and kind != FORMATS[0]:
        raise WrongUse("only ndjson can be gone on with; leave --resume out")
    part = file.with_name(f"{file.name}.part")
    try:
        with part.open("r+b" if resume and part.exists() else "w+b") as sink, _bar(quiet) as bar:
            task = bar.add_task(file.name, total=None)
            for _ in _rounds(client, filters, sink, kind):
                bar.update(task, completed=sink.tell())
            size = sink.tell()
            rows = _lines(sink) if kind == FORMATS[0] else None
        part.replace(file)
    except OSError as fault:
        raise WrongUse(f"cannot write {file}: {fault.strerror}") from fault
    return {"rows": rows, "bytes": size}


def _rounds(client: GridweaveClient, filters: HistoryFilters, sink: IO[bytes], kind: str) -> Iterator[None]:
    """One connection, or as many as it takes as long as each brings a row; a step a part."""
    failures = 0
    while True:
        cursor = _cursor_behind(sink)
        started = sink.tell()
        try:
            for part in client.export_history(filters, kind, cursor):
                sink.write(part)
                yield
            return
        except ServiceUnavailable as fault:
            failures = 1 if sink.tell() > started else failures + 1
            if kind != FORMATS[0]:
                raise ServiceUnavailable(fault.base_url, f"{fault.reason}; ask for ndjson, which can go on") from fault
            if failures >= _ATTEMPTS:
                raise ServiceUnavailable(fault.base_url, f"{fault.reason}; go on later with --resume") from fault
            time.sleep(_PAUSE_S * failures)


def _cursor_behind(sink: IO[bytes]) -> str | None:
    """The cursor of the last whole row, what comes after it being cut off; None in an empty file."""
    size = sink.seek(0, os.SEEK_END)
    start = max(0, size - _TAIL)
    sink.seek(start)
    tail = sink.read()
    whole = tail.rfind(b"\n") + 1
    sink.truncate(start + whole)
    sink.seek(start + whole)
    if not whole:
        return None
    try:
        row = json.loads(tail[:whole].splitlines()[-1])
        return f"{row['block']}.{row['logIndex']}.{row['blockHash'][2:]}"
    except (ValueError, KeyError, TypeError) as fault:
        raise WrongUse("what is there is no history as ndjson: remove it, or leave --resume out") from fault


def _lines(sink: IO[bytes]) -> int:
    sink.seek(0)
    return sum(part.count(b"\n") for part in iter(lambda: sink.read(1 << 20), b""))


def _bar(quiet: bool) -> Progress:
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeElapsedColumn())
    return Progress(*columns, console=errors, disable=quiet, transient=True)
