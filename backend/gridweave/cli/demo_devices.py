"""`gridweave demo devices`: the day of a fleet, from its factory to the audit."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

import structlog

from gridweave.audit import AddressBook, audit
from gridweave.chain import from_hex
from gridweave.cli.demo_told import Told
from gridweave.cli.gas import gas_of_fleet
from gridweave.cli.stage import Stage, StoppableClock, in_thread, staged
from gridweave.cli.telemetry_chain import ChainSource
from gridweave.cli.terminal import errors
from gridweave.cli.up import gateway_password
from gridweave.client import GridweaveClient, Wallet
from gridweave.client.telemetry import BatchSource, ServiceSource
from gridweave.demo.fleet.air import Ways
from gridweave.demo.fleet.fleet import Live
from gridweave.demo.fleet.outcome import FleetOutcome, Reread
from gridweave.demo.fleet.reread import reread
from gridweave.demo.fleet.story import FleetCast, FleetPlan, live_the_day
from gridweave.demo.hood_data import HoodDay, load_neighbourhood
from gridweave.demo.outcome import AuditSummary
from gridweave.demo.waiter import Waiter
from gridweave.domain.anchors import StreamMode
from gridweave.localnet import free_port
from gridweave.localnet.mosquitto import Mosquitto, MosquittoMissing

__all__ = ["FleetDemo"]

_BEFORE_THE_DAY_S = 3_600
_AUDIT_SPAN = 200
_NO_BROKER = "GRIDWEAVE_DEMO_BROKER"
"""`no` in the environment: as where Mosquitto is missing."""


class FleetDemo:
    """One run: a stage, the fleet's day on it, and what is made of it. `settings` are the service's."""

    def __init__(self, folder: Path, seed: int, plan: FleetPlan, settings: dict[str, str]) -> None:
        self.folder, self.seed, self.plan, self.settings = folder, seed, plan, settings
        self.stop = threading.Event()
        self.day: HoodDay = load_neighbourhood()
        self._began = time.monotonic()
        self._told = Told()

    async def run(self) -> FleetOutcome:
        """The lived day's outcome."""
        for name in ("chain", "service", "devices", "gateway", "clone", "broker"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        with _logging_to(self.folder / "gateway.log"), self._told.bar:
            self._told.begin("starting chain, service and broker")
            async with _broker(self.folder / "broker") as (settings, ways):
                genesis = self.day.starts_at - _BEFORE_THE_DAY_S
                async with staged(self.folder, genesis, self.settings | settings) as stage:
                    outcome = await self._lived(stage, ways)
                    self._told.begin("ending chain and service")
            self._told.end()
        return replace(outcome, seconds=round(time.monotonic() - self._began), phases=self._told.phases)

    async def _lived(self, stage: Stage, ways: Ways) -> FleetOutcome:
        keys = stage.chain.keys
        citizens = [Wallet.create() for _ in range(self.plan.live)]
        cast = FleetCast(Wallet(keys["operator"].secret), Wallet(keys["maker"].secret), citizens)
        clock = StoppableClock(stage.chain, asyncio.get_running_loop(), self.stop)
        with GridweaveClient(stage.url) as client:
            waiter = Waiter(client, clock, clock.sleep)

            def lived() -> FleetOutcome:
                return live_the_day(
                    client,
                    stage.url,
                    waiter,
                    cast,
                    self.plan,
                    self.day,
                    self.seed,
                    self.folder,
                    ways,
                    self._told,
                    lambda live: self._reread(stage, client, live),
                )

            outcome = await in_thread(self.stop, lived)
        await self._weigh(stage, outcome)
        gas = await gas_of_fleet(stage.contracts, stage.deployment.block)
        return replace(outcome, audit=await self._audit(stage), gas=gas)

    async def _weigh(self, stage: Stage, outcome: FleetOutcome) -> None:
        """Adds to each way of anchoring what its transactions took."""
        for way in outcome.reread.ways:
            receipts = await stage.chain.node.receipts([from_hex(name) for name in way.transactions])
            way.gas = sum(receipt.gas_used for receipt in receipts if receipt is not None)

    def _reread(self, stage: Stage, client: GridweaveClient, live: list[Live]) -> Reread:
        """With the owners' keys, in full from the chain's logs alone."""
        self._told.begin("reading all of it back")
        service = ServiceSource(client)
        with ChainSource(stage.chain.url, stage.chain.home.deployment_file) as chain:

            def source_of(each: Live) -> BatchSource:
                return chain if each.stream[20] == StreamMode.FULL else service

            def told(done: int, of: int) -> None:
                self._told.so_far(done, of, f"stream {done} of {of}")

            return reread(live, source_of, chain.domain, self.day.starts_at * 1_000, told)

    async def _audit(self, stage: Stage) -> AuditSummary:
        self._told.begin("auditing the chain")
        deployed = stage.deployment
        book = AddressBook(deployed.chain_id, deployed.addresses, deployed.block, deployed.genesis_hash)
        found = await audit(stage.chain.node, book, progress=self._told.blocks, span=_AUDIT_SPAN)
        return AuditSummary(found.recomputed, len(found.differences))


@contextmanager
def _logging_to(file: Path) -> Iterator[None]:
    """What the gateway and the devices say goes there."""
    with file.open("w", buffering=1) as log:
        handler = logging.StreamHandler(log)
        logging.getLogger().addHandler(handler)
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(log))
        try:
            yield
        finally:
            structlog.reset_defaults()
            logging.getLogger().removeHandler(handler)


@asynccontextmanager
async def _broker(home: Path) -> AsyncIterator[tuple[dict[str, str], Ways]]:
    """The service's settings of a broker that runs meanwhile, and how devices reach the gateway: HTTP without one."""
    broker = Mosquitto(home, free_port())
    try:
        if os.environ.get(_NO_BROKER) == "no":
            raise MosquittoMissing(f"{_NO_BROKER} is no")
        await broker.start()
    except MosquittoMissing as missing:
        errors.print(f"{missing}. Without it devices reach their gateway over HTTP.", highlight=False)
        yield {}, Ways(free_port())
        return
    password_file = gateway_password(home)
    settings = {
        "GRIDWEAVE_MQTT_HOST": "127.0.0.1",
        "GRIDWEAVE_MQTT_PORT": str(broker.port),
        "GRIDWEAVE_MQTT_PASSWORD_FILE": str(broker.password_file),
        "GRIDWEAVE_MQTT_GATEWAY_PASSWORD_FILE": str(password_file),
    }
    try:
        yield settings, Ways(free_port(), broker.port, password_file)
    finally:
        broker.stop()
