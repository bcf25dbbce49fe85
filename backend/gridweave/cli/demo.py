"""`gridweave demo`: one real day, lived through the service and audited."""

from __future__ import annotations

import asyncio
import shutil
import signal
import threading
import time
from pathlib import Path
from typing import Annotated, Protocol, TypeVar

import typer

from gridweave.audit import AddressBook, audit, walk
from gridweave.chain import ChainError, Fees
from gridweave.cli.book.wholesale import TransactionFailed, Wholesale
from gridweave.cli.demo_devices import FleetDemo
from gridweave.cli.demo_told import Told
from gridweave.cli.gas import gas_of_day
from gridweave.cli.proof import told_walk
from gridweave.cli.stage import Stage, StageFailed, StoppableClock, Stopped, in_thread, staged
from gridweave.cli.terminal import errors, out
from gridweave.client import ClientError, GridweaveClient, Wallet
from gridweave.demo import chapters, report
from gridweave.demo.chapters import Chapter
from gridweave.demo.day import Day
from gridweave.demo.fleet import page
from gridweave.demo.fleet.story import FleetPlan
from gridweave.demo.fleet.table import fleet_table
from gridweave.demo.founding import UTILITY_DEPOSIT, Cast, House, found
from gridweave.demo.life import Life
from gridweave.demo.outcome import AuditSummary, Outcome, WalkStep
from gridweave.demo.reckoning import Measured, best_sale, bills_of, reckon
from gridweave.demo.table import outcome_table
from gridweave.demo.waiter import Waiter
from gridweave.deployment import DeploymentError
from gridweave.domain.slots import SlotClock
from gridweave.localnet import LocalnetError

__all__ = ["register"]

INTERRUPTED, FAILED = 130, 1
_SEED = 12
_LEAST_HOMES = 24
_BEFORE_THE_DAY_S = 2 * 900 + 600
_QUICK = {
    "GRIDWEAVE_BATCH_WINDOW_MS": "30",
    "GRIDWEAVE_POLL_MS": "40",
    "GRIDWEAVE_RESEND_MS": "2000",
    "GRIDWEAVE_LOG_LEVEL": "warning",
    "GRIDWEAVE_KEEPER_SILENT_METERS": "false",
    "GRIDWEAVE_RATE_LIMIT_PER_S": "0",
    "GRIDWEAVE_READ_LIMIT_PER_S": "0",
}
_FAULTS = (
    ClientError,
    StageFailed,
    TransactionFailed,
    ChainError,
    DeploymentError,
    LocalnetError,
    TimeoutError,
)
_MINT_GAS = 120_000
_AUDIT_SPAN = 100
_O_co = TypeVar("_O_co", covariant=True)


Seed = Annotated[int, typer.Option(help="Of forecasts, bids and mishaps.")]


def register(app: typer.Typer) -> None:
    """Adds the commands to `app`."""
    demo = typer.Typer(help="Live one real day of a street, a neighbourhood, a fleet of meters.", no_args_is_help=True)
    demo.callback()(_demo)
    demo.command("street")(street)
    demo.command("neighbourhood")(neighbourhood)
    demo.command("devices")(devices)
    demo.command("all")(every)
    app.add_typer(demo, name="demo")


def _demo() -> None:
    """Live one real day of a street, a neighbourhood, a fleet of meters."""


def street(
    folder: Annotated[Path, typer.Option("--out", help="Where chain, service and report are kept.")] = Path("var/demo"),
    seed: Seed = _SEED,
) -> None:
    """Live one real day of a street of 12 homes, six with solar panels, and audit it.

    Starts a chain and a service of its own, has every home sign its orders and every meter its readings, lets the
    contracts clear and pay each quarter hour, recomputes everything from the chain alone, prints the outcome and writes
    report.html. Ends every process that it started.

    Example: gridweave demo street
    """
    _tell(chapters.street(seed), folder, seed)


def neighbourhood(
    folder: Annotated[Path, typer.Option("--out", help="Where chain, service and report are kept.")] = Path(
        "var/demo/neighbourhood"
    ),
    seed: Seed = _SEED,
    homes: Annotated[
        int | None, typer.Option(min=_LEAST_HOMES, help="Fewer homes, some of each kind. By default the whole grid.")
    ] = None,
) -> None:
    """Live one real day of all 118 connections of a village's grid, with its roofs, batteries, cars and heat pumps.

    As `demo street`, and more happens: homes sign their whole day at once, an aggregator orders for batteries, an
    account runs empty and is filled again, and the chain throws out blocks. Takes a few minutes.

    Example: gridweave demo neighbourhood
    """
    _tell(chapters.neighbourhood(seed, homes), folder, seed)


def devices(
    folder: Annotated[Path, typer.Option("--out", help="Where chain, service and report are kept.")] = Path(
        "var/demo/devices"
    ),
    seed: Seed = _SEED,
    enrolled: Annotated[int, typer.Option(min=20, help="Devices of the maker's batch.")] = 1_000,
    live: Annotated[int, typer.Option(min=20, max=118, help="Of these, how many measure the day.")] = 100,
) -> None:
    """Live one day of a fleet of meters: born from one root, let in by their keys, anchored, proved, shared, updated.

    A thousand devices claim themselves; a hundred measure a day over MQTT (over HTTP where there is no Mosquitto);
    forged, copied and revoked ones are kept out; a firmware release that fails stops itself; a reading is proved to a
    contract, hours are opened to a city, a meter is sold, and all of it is read back from the chain and audited.

    Example: gridweave demo devices
    """
    _tell_fleet(FleetPlan(enrolled, live), folder, seed)


def every(
    folder: Annotated[Path, typer.Option("--out", help="Where chains, services and reports are kept.")] = Path(
        "var/demo"
    ),
    seed: Seed = _SEED,
) -> None:
    """Live all chapters one after the other: the street, the neighbourhood, the fleet of meters.

    Example: gridweave demo all
    """
    _tell(chapters.street(seed), folder, seed, more=("neighbourhood/report.html", "The neighbourhood, the same day"))
    _tell(
        chapters.neighbourhood(seed),
        folder / "neighbourhood",
        seed,
        more=("../devices/report.html", "The meters, the same day"),
    )
    _tell_fleet(FleetPlan(), folder / "devices", seed, more=("../report.html", "The street, the same day"))


def _tell(chapter: Chapter, folder: Path, seed: int, more: tuple[str, str] | None = None) -> None:
    """Lives a chapter, prints its outcome and writes its report, which leads to `more` (address, title)."""
    outcome = _lived(_Demo(chapter, folder, seed), folder)
    out.print(outcome_table(outcome))
    out.print(f"\nReport: [bold]{report.write(outcome, folder / 'report.html', more)}[/]\n", highlight=False)
    if outcome.audit is None or outcome.audit.differences:
        raise typer.Exit(FAILED)


def _tell_fleet(plan: FleetPlan, folder: Path, seed: int, more: tuple[str, str] | None = None) -> None:
    """The same of the fleet."""
    outcome = _lived(FleetDemo(folder, seed, plan, _QUICK), folder)
    out.print(fleet_table(outcome))
    out.print(f"\nReport: [bold]{page.write(outcome, folder / 'report.html', more)}[/]\n", highlight=False)
    if not outcome.is_clean:
        raise typer.Exit(FAILED)


class _Run(Protocol[_O_co]):
    async def run(self) -> _O_co: ...


def _lived(demo: _Run[_O_co], folder: Path) -> _O_co:
    """The outcome of a demo that is lived to its end. What keeps it from that is told."""
    try:
        return asyncio.run(_until_interrupted(demo))
    except (KeyboardInterrupt, asyncio.CancelledError, Stopped):
        errors.print("Interrupted. Everything that was started has ended.")
        raise typer.Exit(INTERRUPTED) from None
    except _FAULTS as fault:
        errors.print(f"[bold red]{type(fault).__name__}[/] ", end="")
        errors.print(str(fault), markup=False, highlight=False)
        errors.print(f"The service's log: {folder / 'service.log'}", highlight=False)
        raise typer.Exit(FAILED) from fault


async def _until_interrupted(demo: _Run[_O_co]) -> _O_co:
    """The demo's outcome. SIGINT, SIGTERM and SIGHUP cancel it, and it puts everything away before it ends."""
    task = asyncio.ensure_future(demo.run())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, task.cancel)
    return await task


class _Demo:
    """One run: a stage, the day on it, and what is made of it."""

    def __init__(self, chapter: Chapter, folder: Path, seed: int) -> None:
        self.chapter = chapter
        self.folder = folder
        self.seed = seed
        self.stop = threading.Event()
        self._began = time.monotonic()
        self._phases: dict[str, int] = {}
        self._phase_began = self._began
        self._told = Told()

    async def run(self) -> Outcome:
        """The lived day's outcome."""
        _clean(self.folder)
        with self._told.bar:
            self._told.begin("starting chain and service")
            genesis = self.chapter.day.starts_at - _BEFORE_THE_DAY_S
            async with staged(self.folder, genesis, _QUICK) as stage:
                self._lap("start")
                cast = await self._cast(stage)
                clock = StoppableClock(stage.chain, asyncio.get_running_loop(), self.stop)
                with GridweaveClient(stage.url) as client:
                    day = await in_thread(self.stop, lambda: self._live(client, cast, clock))
                    outcome = await self._conclude(stage, day)
                self._told.begin("ending chain and service")
            self._told.end()
            return outcome

    async def _cast(self, stage: Stage) -> Cast:
        """Everybody's wallets, with the tokens that they are going to deposit."""
        plans = self.chapter.plans
        homes = [Wallet.create() for _ in plans]
        operator, utility, maker = (Wallet(stage.chain.keys[role].secret) for role in ("operator", "utility", "maker"))
        currency, admin = stage.contracts.currency, stage.chain.keys["admin"]
        sender = Wholesale(stage.chain.node, admin, stage.chain.chain_id, Fees(10**12, 0), stage.chain.mine)
        calls = [
            currency.mint(home.address, plan.deposit_micro + plan.reserve_micro)
            for home, plan in zip(homes, plans, strict=True)
        ]
        await sender.all([currency.mint(utility.address, UTILITY_DEPOSIT), *calls], _MINT_GAS)
        return Cast(operator, utility, maker, Wallet.create(), homes)

    def _live(self, client: GridweaveClient, cast: Cast, clock: StoppableClock) -> Day:
        """In a thread: founds the place and lives its day."""
        waiter, chapter = Waiter(client, clock, clock.sleep), self.chapter
        self._told.begin(f"founding the {chapter.name}")
        founded = found(client, waiter, chapter.day, chapter.plans, cast, self.folder / "devices")
        self._lap("founding")
        day = Day(Life(founded, waiter, SlotClock(client.deployment.slot_length), self.seed, chapter.mishaps))
        self._told.begin("living the day")
        day.live(self._told.slot)
        self._lap("day")
        return day

    async def _conclude(self, stage: Stage, day: Day) -> Outcome:
        """Makes the day final, audits the chain, walks one payment back and reads the day's figures."""
        self._told.begin("asking after every reading")
        await stage.chain.snapshot()
        await in_thread(self.stop, lambda: day.metering.settle_devices(self._told.devices))
        self._lap("readings followed")
        book = AddressBook(
            stage.deployment.chain_id,
            stage.deployment.addresses,
            stage.deployment.block,
            stage.deployment.genesis_hash,
        )
        self._told.begin("auditing the chain")
        found = await audit(stage.chain.node, book, progress=self._told.blocks, span=_AUDIT_SPAN)
        self._lap("audit")
        self._told.begin("reading the day's figures")
        gas = await gas_of_day(stage.contracts, stage.deployment.block)
        bills = await in_thread(self.stop, lambda: bills_of(day.life))
        steps = await self._walk(stage, best_sale(day.life, bills), day, book)
        summary = AuditSummary(found.recomputed, len(found.differences))
        self._lap("reckoning")
        seconds = round(time.monotonic() - self._began)
        measured = Measured(gas, summary, steps, seconds, self._phases, self.chapter.name, self.chapter.strategies)
        return await in_thread(self.stop, lambda: reckon(day.life, bills, measured))

    @staticmethod
    async def _walk(stage: Stage, sale: tuple[House, int] | None, day: Day, book: AddressBook) -> tuple[WalkStep, ...]:
        if sale is None:
            return ()
        house, slot = sale
        return told_walk(await walk(stage.chain.node, book, house.meter, slot), house.name, slot - day.life.first)

    def _lap(self, phase: str) -> None:
        now = time.monotonic()
        self._phases[phase] = round((now - self._phase_began) * 1000)
        self._phase_began = now


def _clean(folder: Path) -> None:
    """Takes away what an earlier run left; its report stays until there is a new one."""
    for name in ("chain", "service", "devices"):
        shutil.rmtree(folder / name, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
