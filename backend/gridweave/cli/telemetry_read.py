"""`gridweave telemetry`: reading a stream, as its owner or as a party, and rebuilding it from a chain's logs alone."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import typer

from gridweave.cli.telemetry_common import (
    DEFAULT_RECORD,
    Asked,
    AsParty,
    Bodies,
    From,
    GrantFile,
    Record,
    Rpc,
    StreamKeysFile,
    StreamOption,
    Until,
    asking,
    key_file,
    ms_of,
    party_keys,
    reader_of,
    stream_of,
    telling,
    time_of,
)
from gridweave.cli.telemetry_output import FORMATS, Shown, progress, told_closed, writing
from gridweave.cli.terminal import (
    DEFAULT_URL,
    AsJson,
    KeystoreFolder,
    PasswordFile,
    ServiceUrl,
    WrongUse,
    emit,
    errors,
    out,
)
from gridweave.client.telemetry import ClosedSection, OwnerKeys, StreamReader
from gridweave.domain.telemetry.readings import ReadingRun
from gridweave.domain.telemetry.windows import END_MS

__all__ = ["read", "readings", "rebuild"]

Format = Annotated[str, typer.Option("--format", help=", ".join(FORMATS))]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Write to this file. [default: standard output]")]


def read(
    stream: StreamOption = None,
    begin: From = None,
    until: Until = None,
    kind: Format = "table",
    raw: Annotated[bool, typer.Option("--raw", help="Canonical bytes: --format raw.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Rows of a table.")] = 50,
    file: Out = None,
    party: AsParty = None,
    grant: GrantFile = None,
    stream_keys: StreamKeysFile = None,
    url: ServiceUrl = DEFAULT_URL,
    rpc: Rpc = None,
    deployment: Record = DEFAULT_RECORD,
    bodies: Bodies = None,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
) -> None:
    """Read a span of time of a stream, as its owner or, with --as, as a party that it was opened to.

    Every batch is checked against what the chain keeps, every segment against the device's key. What the keys do not
    open is told on standard error.

    Examples: gridweave telemetry read --from 2026-06-21T12:00 --until 2026-06-21T13:00 --format csv --out noon.csv

    gridweave telemetry read --as city --grant grant.json --rpc http://127.0.0.1:8545
    """
    with telling(), asking(url, rpc, deployment, bodies) as asked:
        kind = "raw" if raw else kind
        if kind not in FORMATS:
            raise WrongUse(f"--format is one of {', '.join(FORMATS)}, not {kind!r}")
        if grant is not None and party is None:
            raise WrongUse("say by --as whose keys open the grant")
        first_ms, end_ms = ms_of(begin, 0), ms_of(until, END_MS)
        if first_ms >= end_ms:
            raise WrongUse(f"--until comes after --from, which {time_of(end_ms)} does not after {time_of(first_ms)}")
        reader = _reader(asked, stream, party, grant, stream_keys, keystore, password_file)
        with writing(file) as sink:
            shown = Shown(reader.openings.schema, kind, sink, limit)
            shown.show(reader.runs(first_ms, end_ms))
        _tell_closed(told_closed(shown.closed))
        if kind == "table" and shown.count == limit:
            errors.print(f"the first {limit}: more with --limit, all with --format csv", highlight=False)
        if kind == "table" and not shown.count and not shown.closed:
            errors.print("nothing of this is anchored, or not yet: `gridweave gateway status` says what is under way")
        if file is not None and kind != "table":
            errors.print(f"{file}: {shown.count:,} readings", highlight=False, soft_wrap=True)


def readings(
    firmware: Annotated[int, typer.Option(min=0, help="Counter of the release.")],
    stream: StreamOption = None,
    kind: Format = "table",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Rows of a table.")] = 50,
    file: Out = None,
    party: AsParty = None,
    grant: GrantFile = None,
    stream_keys: StreamKeysFile = None,
    url: ServiceUrl = DEFAULT_URL,
    rpc: Rpc = None,
    deployment: Record = DEFAULT_RECORD,
    bodies: Bodies = None,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print their ranges as JSON instead.")] = False,
) -> None:
    """List exactly the readings that a firmware release made: those to doubt once it is revoked.

    Readings in windows that the keys do not open are not among them; standard error says which these are.

    Example: gridweave telemetry readings --firmware 5 --format csv --out doubtful.csv
    """
    with telling(as_json), asking(url, rpc, deployment, bodies) as asked:
        if kind not in FORMATS:
            raise WrongUse(f"--format is one of {', '.join(FORMATS)}, not {kind!r}")
        reader = _reader(asked, stream, party, grant, stream_keys, keystore, password_file)
        parts = _of_release(reader.runs(), firmware)
        if as_json:
            emit(_ranges(parts, firmware, reader))
            return
        with writing(file) as sink:
            shown = Shown(reader.openings.schema, kind, sink, limit)
            shown.show(parts)
        _tell_closed(told_closed(shown.closed))
        cut = kind == "table" and shown.count == limit
        errors.print(f"firmware {firmware}: {'the first ' if cut else ''}{shown.count:,} readings", highlight=False)


def rebuild(
    folder: Annotated[Path, typer.Option("--out", "-o", help="Folder for a file of canonical bytes for each stream.")],
    stream: StreamOption = None,
    stream_keys: StreamKeysFile = None,
    rpc: Annotated[str, typer.Option("--rpc", envvar="GRIDWEAVE_RPC", help="The node.")] = "http://127.0.0.1:8545",
    deployment: Record = DEFAULT_RECORD,
    bodies: Bodies = None,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Bring every reading back, byte for byte, from the chain's logs and your key file alone.

    No service, no database, no cache is asked. Bodies of streams in mode hash are not on chain: name their folder.

    Example: gridweave telemetry rebuild --out readings --rpc http://127.0.0.1:8545
    """
    with telling(as_json), asking("", rpc, deployment, bodies) as asked:
        keys = key_file(stream_keys, keystore, password_file).read()
        wanted = sorted(keys.streams) if stream is None else [stream_of(stream, [])]
        folder.mkdir(parents=True, exist_ok=True)
        rebuilt = [_rebuilt(asked, keys, each, folder, as_json) for each in wanted]
        if as_json:
            emit(rebuilt)
            return
        for each in rebuilt:
            out.print(_rebuilt_line(each), highlight=False, soft_wrap=True)
            out.print(f"  {each['file']}, sha256 {each['sha256']}", highlight=False, soft_wrap=True)
            _tell_closed(each["closed"])


def _rebuilt_line(told: dict[str, Any]) -> str:
    counts = f"[bold]{told['readings']:,}[/] readings of {told['batches']:,} batches"
    return f"{told['stream']}: {counts}, {told['bytes']:,} bytes"


def _rebuilt(asked: Asked, keys: OwnerKeys, stream: bytes, folder: Path, quiet: bool) -> dict[str, Any]:
    reader = reader_of(asked, "0x" + stream.hex(), keys=keys)
    file, digest, count, size = folder / f"{stream.hex()}.readings", sha256(), 0, 0
    closed: list[ClosedSection] = []
    with writing(file) as sink, progress(quiet) as bar:
        batches = bar.track(reader.ledger.batches, description=f"0x{stream.hex()[:8]}…")
        for part in (part for batch in batches for part in reader.sections(batch)):
            if isinstance(part, ClosedSection):
                closed.append(part)
                continue
            sink.write(part.run.raw)
            digest.update(part.run.raw)
            count, size = count + len(part.run), size + len(part.run.raw)
        sink.flush()
        os.fsync(sink.fileno())
    told = {"stream": "0x" + stream.hex(), "file": str(file), "batches": len(reader.ledger.batches)}
    return told | {"readings": count, "bytes": size, "sha256": digest.hexdigest(), "closed": told_closed(closed)}


def _reader(
    asked: Asked,
    stream: str | None,
    party: str | None,
    grant: Path | None,
    stream_keys: Path | None,
    keystore: Path | None,
    password_file: Path | None,
) -> StreamReader:
    if party is not None:
        return reader_of(asked, stream, party=party_keys(party, keystore, password_file), grant=grant)
    return reader_of(asked, stream, keys=key_file(stream_keys, keystore, password_file).read())


def _of_release(parts: Iterable[ReadingRun | ClosedSection], firmware: int) -> Iterator[ReadingRun | ClosedSection]:
    """Of each run the stretches that the release made."""
    for part in parts:
        if isinstance(part, ClosedSection):
            yield part
            continue
        counters, start = part.columns[2], None
        for at, counter in enumerate([*counters, None]):
            if counter == firmware:
                start = at if start is None else start
            elif start is not None:
                yield part.cut(part.first_index + start, part.first_index + at)
                start = None


def _ranges(parts: Iterable[ReadingRun | ClosedSection], firmware: int, reader: StreamReader) -> dict[str, Any]:
    """Stretches of indexes, those that touch as one."""
    ranges: list[dict[str, int]] = []
    closed: list[ClosedSection] = []
    for part in parts:
        if isinstance(part, ClosedSection):
            closed.append(part)
        elif ranges and ranges[-1]["endIndex"] == part.first_index:
            ranges[-1] |= {"endIndex": part.end_index, "lastMs": part.last_ms}
        else:
            place = {"firstIndex": part.first_index, "endIndex": part.end_index}
            ranges.append(place | {"firstMs": part.first_ms, "lastMs": part.last_ms})
    count = sum(each["endIndex"] - each["firstIndex"] for each in ranges)
    told = {"stream": "0x" + reader.openings.stream.hex(), "firmware": firmware, "readings": count}
    return told | {"ranges": ranges, "closed": told_closed(closed)}


def _tell_closed(closed: list[dict[str, int]]) -> None:
    for each in closed:
        span = f"{time_of(each['fromMs'])} to {time_of(each['endMs'])}"
        count = each["endIndex"] - each["firstIndex"]
        errors.print(f"closed: {count:,} readings from {span}, epoch {each['epoch']}", highlight=False, soft_wrap=True)
