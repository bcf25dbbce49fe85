"""`gridweave clear-book`: what would become of a book, on the real contracts."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from gridweave.chain import ChainError, Contracts, Fees, Signer
from gridweave.cli.book.clearing import OrderNotPlaced, Report, clear_book
from gridweave.cli.book.file import BookFile, BookNotClearable, Problem, Row, parse_book
from gridweave.cli.book.outcome import BookOutcome
from gridweave.cli.book.wholesale import TransactionFailed
from gridweave.cli.terminal import AsJson, emit, errors, out, table
from gridweave.deployment import DeploymentError, DeploymentSettings, deploy
from gridweave.domain.orders import Side
from gridweave.domain.units import format_energy_kwh, format_price
from gridweave.localnet import Clock, Localnet, LocalnetError, localnet

__all__ = ["register", "throw_away"]

NOT_CLEARABLE, FAILED = 2, 1
_NEVER_S = 86_400.0
_PRICE_OF_GAS = 10**12
_SLOT_LENGTH = 86_400
"""Seconds: the longest slot, in which the largest meter may order 402 MWh."""
_GENESIS_LEAD_S = 7_200


def register(app: typer.Typer) -> None:
    """Adds the command to `app`."""
    app.command("clear-book")(command)


def command(
    file: Annotated[Path, typer.Argument(help="The book, JSON; - reads standard input.")],
    as_json: AsJson = False,
    timings: Annotated[bool, typer.Option("--timings", help="Say on stderr where the time went.")] = False,
) -> None:
    """Clear a book of orders on the real contracts of a throw-away chain, and print what each order gets.

    The file: {"tick": "0.01", "gridFee": "0", "bids": [{"kWh": "1.5", "price": "0.21", "id": "x"}], "asks": [...]}.
    Prices are per kWh; a bid's is all-in, grid fee included, an ask's is net, and so are the price and the equilibrium
    interval that come out. Exit code 2, with every offending row named, if a price or the fee is off the tick, the book
    spans more than 1,024 ticks, or an energy is no whole Wh.

    Example: gridweave clear-book book.json --json
    """
    try:
        book = parse_book(_read(file))
    except BookNotClearable as fault:
        raise _refused(fault.problems, as_json) from fault
    watch = _Watch()
    try:
        outcome = asyncio.run(_run(book, watch, show_progress=not as_json and errors.is_terminal))
    except OrderNotPlaced as fault:
        rows = {row.name: row for row in book.rows}
        problems = [Problem(name, rows[name].id, reason) for name, reason in fault.refusals.items()]
        raise _refused(problems, as_json) from fault
    except (TransactionFailed, ChainError, DeploymentError, LocalnetError) as fault:
        errors.print(f"[bold red]{type(fault).__name__}[/] ", end="")
        errors.print(str(fault), markup=False, highlight=False)
        raise typer.Exit(FAILED) from fault
    if timings:
        errors.print_json(json.dumps(watch.seconds()))
    if as_json:
        emit(outcome.to_json())
    else:
        _show(outcome)


class _Watch:
    """When each stage of the work began."""

    def __init__(self) -> None:
        self._began: list[tuple[str, float]] = [("starting the chain", time.monotonic())]

    def note(self, what: str) -> None:
        if self._began[-1][0] != what:
            self._began.append((what, time.monotonic()))

    def seconds(self) -> dict[str, float]:
        ends = [*(moment for _, moment in self._began[1:]), time.monotonic()]
        return {what: round(end - began, 2) for (what, began), end in zip(self._began, ends, strict=True)}


@dataclass(frozen=True)
class _Stage:
    """A throw-away chain whose admin key holds every role."""

    chain: Localnet
    contracts: Contracts
    host: Signer
    chain_id: int
    slot_length: int
    fees: Fees

    async def mine(self) -> object:
        return await self.chain.mine()

    async def mine_at(self, timestamp: int) -> object:
        return await self.chain.mine(timestamp)


@asynccontextmanager
async def throw_away() -> AsyncIterator[_Stage]:
    """A chain in a folder that is gone afterwards, with the contracts on it."""
    with tempfile.TemporaryDirectory(prefix="gridweave-book-") as folder:
        home = Path(folder)
        begins = int(time.time()) - _GENESIS_LEAD_S
        async with localnet(home, clock=Clock.MANUAL, genesis_time=begins, snapshot_seconds=_NEVER_S) as chain:
            host = chain.keys["admin"]
            roles = (host.address,)
            settings = DeploymentSettings(
                record=home / "deployment.json",
                admin=host.address,
                operators=roles,
                makers=roles,
                minters=roles,
                slot_length=_SLOT_LENGTH,
            )
            deployment = await deploy(chain.node, host, settings, profile=chain.profile(), mine=chain.mine)
            contracts = deployment.bundle(chain.node)
            fees = Fees(_PRICE_OF_GAS, 0)
            yield _Stage(chain, contracts, host, chain.chain_id, deployment.slot_length, fees)


async def _run(book: BookFile, watch: _Watch, *, show_progress: bool) -> BookOutcome:
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=errors,
        transient=True,
        disable=not show_progress,
    )
    with bar:
        async with throw_away() as stage:
            outcome = await clear_book(book, stage, _reporter(bar, watch))
            watch.note("putting it away")
        return outcome


def _reporter(bar: Progress, watch: _Watch) -> Report:
    tasks: dict[str, int] = {}

    def report(what: str, done: int, total: int) -> None:
        watch.note(what)
        if what not in tasks:
            tasks[what] = int(bar.add_task(what, total=total))
        bar.update(bar.task_ids[tasks[what]], completed=done)

    return report


def _read(file: Path) -> str:
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise BookNotClearable([Problem("file", None, f"{file} cannot be read: {fault}")]) from fault


def _refused(problems: tuple[Problem, ...] | list[Problem], as_json: bool) -> typer.Exit:
    """Prints one error that lists every offending row."""
    if as_json:
        rows = [{"row": problem.row, "id": problem.id, "problem": problem.problem} for problem in problems]
        message = "nothing was placed: mend the rows and run again"
        print(json.dumps({"error": {"name": "BookNotClearable", "message": message, "rows": rows}}), file=sys.stderr)
    else:
        errors.print(
            "[bold red]BookNotClearable[/] nothing was placed; mend these rows and run again:", highlight=False
        )
        for problem in problems:
            errors.print(f"  {problem}", markup=False, highlight=False)
    return typer.Exit(NOT_CLEARABLE)


def _show(outcome: BookOutcome) -> None:
    low, high = (_price(outcome.low), _price(outcome.high))
    if outcome.price is None:
        out.print(f"No trade. Best bid {low}, best ask {high}, net of the grid fee.", highlight=False)
    else:
        balances = (
            "the only price that balances"
            if outcome.low == outcome.high
            else f"anywhere from {low} to {high} would have balanced"
        )
        out.print(
            f"[bold]{format_energy_kwh(outcome.volume_wh)} kWh at {_price(outcome.price)}[/], "
            f"{balances} (net of the grid fee)",
            highlight=False,
        )
    for side, rows in ((Side.BID, outcome.book.bids), (Side.ASK, outcome.book.asks)):
        if rows:
            out.print(_fill_table(side, rows, outcome.fills(side)))
    dust = " and ".join(f"{format_energy_kwh(outcome.dust_wh(side))} kWh of {side.name.lower()}s" for side in Side)
    out.print(
        f"dust for the utility: {dust}; gas: place {outcome.place_gas:,}, clear {outcome.clear_gas:,}", style="dim"
    )


def _fill_table(side: Side, rows: tuple[Row, ...], fills: tuple[int, ...]) -> object:
    columns = (("row", "left"), ("id", "left"), ("net price", "right"), ("kWh", "right"), ("filled", "right"))
    lines = [
        (row.name, row.id or "", _price(row.net_price), format_energy_kwh(row.energy_wh), format_energy_kwh(fill))
        for row, fill in zip(rows, fills, strict=True)
    ]
    return table("bids" if side is Side.BID else "asks", columns, lines)


def _price(micro: int | None) -> str:
    return "none" if micro is None else format_price(micro)
