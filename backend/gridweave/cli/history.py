"""`gridweave history`: every event of every contract, as a table, as JSON, or as a file of any size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from gridweave.cli.history_file import FORMATS, write_history
from gridweave.cli.terminal import (
    DEFAULT_URL,
    AsJson,
    KeystoreFolder,
    ServiceUrl,
    WrongUse,
    at_time,
    emit,
    errors,
    out,
    resolve_address,
    resolve_slot,
    seconds_of,
    speaking,
    table,
)
from gridweave.client.history import HistoryFilters
from gridweave.client.service import GridweaveClient

__all__ = ["register"]

_MOST_SHOWN = 1_000
_OTHERS, _LEAST_ROOM = 85, 24  # characters: what the other columns take, and the least for what happened
_COLUMNS = (("time (UTC)", "left"), ("block", "right"), ("log", "right"), ("event", "left"), ("what", "left"))

Texts = list[str] | None


def register(app: typer.Typer) -> None:
    """Adds the command to `app`."""
    app.command("history")(history)


def history(
    contract: Annotated[Texts, typer.Option(help="A contract: name or address. Filters may be repeated.")] = None,
    event: Annotated[Texts, typer.Option(help="An event's name: Paid, Placed, RoleGranted …")] = None,
    account: Annotated[Texts, typer.Option(help="An account that is named: address, or a key's name.")] = None,
    device: Annotated[Texts, typer.Option(help="A device: its id, or its key's name.")] = None,
    meter: Annotated[list[int] | None, typer.Option(help="A meter's number.")] = None,
    market: Annotated[list[int] | None, typer.Option("--market", "-m", help="A market's number.")] = None,
    model: Annotated[list[int] | None, typer.Option(help="A model of devices, by its number.")] = None,
    transaction: Annotated[Texts, typer.Option(help="A transaction's hash.")] = None,
    from_slot: Annotated[str | None, typer.Option(help="First slot: number, +N from now, or a UTC time.")] = None,
    to_slot: Annotated[str | None, typer.Option(help="Last slot.")] = None,
    from_time: Annotated[str | None, typer.Option(help="Blocks since a UTC time, 2016-06-10T12:15.")] = None,
    to_time: Annotated[str | None, typer.Option(help="Blocks up to then.")] = None,
    from_block: Annotated[int | None, typer.Option(help="First block.")] = None,
    to_block: Annotated[int | None, typer.Option(help="Last block.")] = None,
    final: Annotated[bool, typer.Option("--final", help="Only what will not change any more.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=_MOST_SHOWN, help="Rows to show.")] = 50,
    cursor: Annotated[str | None, typer.Option(help="Go on where an answer's nextCursor says.")] = None,
    file: Annotated[Path | None, typer.Option("--out", "-o", help="Write every row to this file instead.")] = None,
    kind: Annotated[str, typer.Option("--format", help=f"--out: {', '.join(FORMATS)}.")] = FORMATS[0],
    resume: Annotated[bool, typer.Option("--resume", help="--out, ndjson: go on behind the last whole row.")] = False,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    as_json: AsJson = False,
) -> None:
    """Query every event of every contract in chain order; export any number of them.

    Rows name one of the values of each kind that is given. An order names its meter; what it cost names its account.

    Examples: gridweave history --meter 3 --event Paid --from-slot 2016-06-10T12:00 --to-slot 2016-06-10T13:00

    gridweave history --account home --final --out home.parquet --format parquet
    """
    with speaking(as_json), GridweaveClient(url) as client:
        filters = HistoryFilters(
            contract=contract or (),
            event=event or (),
            account=[resolve_address(each, keystore) for each in account or ()],
            device=[resolve_address(each, keystore) for each in device or ()],
            meter=meter or (),
            market=market or (),
            model=model or (),
            transaction=transaction or (),
            from_slot=_maybe(from_slot, lambda text: resolve_slot(text, client)),
            to_slot=_maybe(to_slot, lambda text: resolve_slot(text, client)),
            from_time=_maybe(from_time, seconds_of),
            to_time=_maybe(to_time, seconds_of),
            from_block=from_block,
            to_block=to_block,
            final=final,
        )
        if file is not None:
            rows = write_history(client, filters, file, kind, resume=resume, quiet=as_json)
            _told(file, rows, as_json)
            return
        if resume:
            raise WrongUse("--resume goes on with a file: name it with --out")
        _show(client.history_page(filters, limit, cursor), as_json)


def _maybe(text: str | None, read: Callable[[str], int]) -> int | None:
    return None if text is None else read(text)


def _told(file: Path, written: dict[str, Any], as_json: bool) -> None:
    if as_json:
        emit({"file": str(file), **written})
        return
    rows = "" if written["rows"] is None else f"{written['rows']:,} rows, "
    out.print(f"{file}: {rows}{written['bytes']:,} bytes", highlight=False, soft_wrap=True)


def _show(page: dict[str, Any], as_json: bool) -> None:
    if as_json:
        emit(page)
        return
    if page["items"]:
        out.print(_wide(page["items"]) if out.width >= _OTHERS + _LEAST_ROOM else _narrow(page["items"]))
    elif not page["nextCursor"]:
        out.print("nothing like that has happened", highlight=False)
    if page["nextCursor"]:
        errors.print(f"more: --cursor {page['nextCursor']}, or --out FILE for all", highlight=False, soft_wrap=True)


def _wide(items: list[dict[str, Any]]) -> Table:
    """A line a row: of what happened, what fits beside the other columns."""
    room = out.width - _OTHERS
    cells = [
        (at_time(row["time"]), str(row["block"]), str(row["logIndex"]), f"{row['contract']}.{row['event']}", _what(row))
        for row in items
    ]
    return table("", _COLUMNS, [(*row, what if len(what) <= room else f"{what[: room - 1]}…") for *row, what in cells])


def _narrow(items: list[dict[str, Any]]) -> Table:
    """Several lines a row: the contract below its event, and all of what happened."""
    cells = [
        (at_time(row["time"]), str(row["block"]), f"{row['event']}\n{row['contract']}", _what(row)) for row in items
    ]
    made = table("", [column for column in _COLUMNS if column[0] != "log"], cells)
    made.columns[-1].no_wrap, made.columns[-1].overflow = False, "fold"
    return made


def _what(row: dict[str, Any]) -> str:
    return " ".join(_shown(name, value) for name, value in row["args"].items())


def _shown(name: str, value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(_shown(inner, each) for inner, each in value.items())
    text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    return f"{name}={text[:6]}…{text[-4:]}" if text.startswith("0x") and len(text) > 14 else f"{name}={text}"
