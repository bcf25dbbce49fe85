"""Readings as people and programs take them: a table, CSV, JSON lines, canonical bytes."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from gridweave.cli.telemetry_common import time_of
from gridweave.cli.terminal import WrongUse, errors, out, table
from gridweave.client.telemetry import ClosedSection
from gridweave.domain.telemetry.readings import Reading, ReadingRun
from gridweave.domain.telemetry.schema import Schema
from gridweave.domain.telemetry.windows import WINDOW_MS

__all__ = ["FORMATS", "Shown", "progress", "quantities", "told_closed", "writing"]

FORMATS = ("table", "csv", "ndjson", "raw")


class Shown:
    """Writes readings in one of FORMATS to `sink`, and counts; `closed` are the windows that could not be opened."""

    def __init__(self, schema: Schema, kind: str, sink: IO[bytes], most: int) -> None:
        self._schema, self._kind, self._sink, self._most = schema, kind, sink, most
        self.count = 0
        self.closed: list[ClosedSection] = []

    def show(self, parts: Iterable[ReadingRun | ClosedSection]) -> None:
        """All of them; of a table no more rows than `most`."""
        if self._kind == "table":
            rows = list(islice(self._readings(parts), self._most))
            out.print(table("", _columns(self._schema), [_row(self._schema, each) for each in rows]))
            return
        if self._kind == "raw":
            for run in self._open(parts):
                self.count += len(run)
                self._sink.write(run.raw)
        elif self._kind == "csv":
            self._csv(parts)
        else:
            for reading in self._readings(parts):
                self._sink.write(json.dumps(_named(self._schema, reading)).encode() + b"\n")

    def _csv(self, parts: Iterable[ReadingRun | ClosedSection]) -> None:
        class _Text:
            def __init__(self, sink: IO[bytes]) -> None:
                self._sink = sink

            def write(self, text: str) -> int:
                return self._sink.write(text.encode())

        lines = csv.writer(_Text(self._sink), lineterminator="\n")
        lines.writerow(["index", "atMs", "firmware", *(f"{c.name} [{c.unit}]" for c in self._schema.channels)])
        for reading in self._readings(parts):
            lines.writerow([reading.index, reading.at_ms, reading.firmware, *quantities(self._schema, reading)])

    def _readings(self, parts: Iterable[ReadingRun | ClosedSection]) -> Iterator[Reading]:
        for run in self._open(parts):
            for reading in run:
                self.count += 1
                yield reading

    def _open(self, parts: Iterable[ReadingRun | ClosedSection]) -> Iterator[ReadingRun]:
        for part in parts:
            if isinstance(part, ClosedSection):
                self.closed.append(part)
            else:
                yield part


@contextmanager
def writing(file: Path | None) -> Iterator[IO[bytes]]:
    """The file, which appears whole or not at all, or standard output. Raises WrongUse."""
    if file is None:
        yield sys.stdout.buffer
        sys.stdout.flush()
        return
    part = file.with_name(f"{file.name}.part")
    try:
        with part.open("wb") as sink:
            yield sink
        part.replace(file)
    except OSError as fault:
        raise WrongUse(f"cannot write {file}: {fault.strerror}") from fault
    finally:
        part.unlink(missing_ok=True)


def told_closed(closed: Iterable[ClosedSection]) -> list[dict[str, int]]:
    """What stayed closed, in JSON: neighbours of one epoch together."""
    found: list[dict[str, int]] = []
    for each in closed:
        end = each.first_index + each.count
        last = found[-1] if found else None
        if last and (last["epoch"], last["endIndex"]) == (each.epoch, each.first_index):
            last |= {"endIndex": end, "endMs": (each.window + 1) * WINDOW_MS}
            continue
        place = {"epoch": each.epoch, "firstIndex": each.first_index, "endIndex": end}
        found.append(place | {"fromMs": each.window * WINDOW_MS, "endMs": (each.window + 1) * WINDOW_MS})
    return found


def progress(quiet: bool) -> Progress:
    """A bar on standard error, gone when it is done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=errors, disable=quiet, transient=True)


def _columns(schema: Schema) -> list[tuple[str, str]]:
    channels = [(f"{channel.name} {channel.unit}", "right") for channel in schema.channels]
    return [("index", "right"), ("time (UTC)", "left"), ("firmware", "right"), *channels]


def _row(schema: Schema, reading: Reading) -> list[str]:
    return [str(reading.index), time_of(reading.at_ms), str(reading.firmware), *quantities(schema, reading)]


def quantities(schema: Schema, reading: Reading) -> list[str]:
    """In their units, as decimal numbers; empty where nothing was measured."""
    found = (channel.quantity(value) for channel, value in zip(schema.channels, reading.values, strict=True))
    return ["" if quantity is None else f"{quantity:f}" for quantity in found]


def _named(schema: Schema, reading: Reading) -> dict[str, Any]:
    values = {c.name: text or None for c, text in zip(schema.channels, quantities(schema, reading), strict=True)}
    return {"index": reading.index, "atMs": reading.at_ms, "firmware": reading.firmware, "values": values}
