"""A trading hour on any chain: people's and devices' programs, `gridweave serve` as a process, keeper and audit.

slot      a              b                c                  d
orders    both trade     one replaced     one cancelled      bids alone
settled   readings       a correction     one is silent      released, then readings

Home 1 lets home 5's key bid for it, home 3 sells by one schedule, the others order for themselves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
from cryptography.hazmat.primitives.asymmetric import ec

from gridweave.audit import AddressBook, AuditReport, audit
from gridweave.client import (
    DeviceAgent,
    DeviceKey,
    GridweaveClient,
    Offer,
    PlacedOrder,
    Prosumer,
    ScheduledOrders,
    Wallet,
    send_together,
)
from gridweave.domain.acts import KeyKind
from gridweave.domain.delegations import NO_ASKS, Scope
from gridweave.domain.orders import Side
from gridweave.services.precompile import has_p256
from tests.support.process import ServiceProcess
from tests.support.town import MONEY, DeviceKeyPair, Town

HOMES = 6
WITHIN = 60.0
BY_THE_NETWORK = {"finality_depth": "", "priority_fee_wei": ""}
"""Settings of the service that leave finality and fees to the named network."""

PRICES = [(140_000, 1_700), (170_000, 800), (120_000, 1_000), (None, 0)]
"""By hand: asks are long at 0.14; the middle of 0.15 and 0.20 on the ladder; asks are long at 0.12; no ask."""

SPENT = [600_000, 276_200, 19_710_400, 67_000, 0, 40_800]
"""Micro by home, as the audit recomputes: home 2 sold and withdrew 20, home 4 cancelled, home 5 used.

Home 3 by hand: sold 800 Wh at 0.14 and gave 200 more at 0.08; sold 500 Wh at 0.12, fell silent, and owes those and
250 Wh by default at 0.34.
"""

COUNTED = {
    "delegations": 1,
    "signatures of schedules": 1,
    "orders": 14,
    "replacements": 1,
    "cancels": 1,
    "prices": 3,
    "slots without trade": 1,
    "readings": 13,
    "reading signatures (P-256)": 5,
    "corrections": 1,
    "settlements without reading": 1,
    "releases": 2,
    "closed slots": 4,
    "withdrawals": 1,
}

_CURVES = {KeyKind.SECP256K1: ec.SECP256K1(), KeyKind.P256: ec.SECP256R1()}
_T = TypeVar("_T")


@dataclass(frozen=True)
class Hour:
    """What came of it: prices and volumes from slot `first` on, ends of orders, balances, metrics and the audit."""

    first: int
    prices: list[tuple[int | None, int]]
    orders: dict[str, str]
    balances: list[int]
    metrics: str
    p256_in_code: bool
    report: AuditReport


def as_computed(hour: Hour) -> None:
    """Asserts the outcome, which is the same wherever the hour was lived."""
    assert hour.prices == PRICES
    assert [MONEY - balance for balance in hour.balances] == SPENT
    left = {who for who, status in hour.orders.items() if status != "settled"}
    assert left == {"seller 1", "cancels 0"}, "one was replaced, one cancelled"
    assert "gridweave_relayer_balance" in hour.metrics
    assert hour.report.clean, hour.report.differences
    counted = hour.report.recomputed
    assert {name: counted[name] for name in COUNTED} == COUNTED


class Street:
    """The homes' own programs, all of which know the service's address and nothing else."""

    def __init__(self, town: Town, service: ServiceProcess, folder: Path) -> None:
        self.town, self.service = town, service
        self.client = GridweaveClient(service.url)
        self.people = [Prosumer(self.client, Wallet(home.secret), town.market) for home in town.homes]
        self.devices = [
            DeviceAgent(self.client, device_key(home.key), home.meter, folder / "devices") for home in town.homes
        ]

    def close(self) -> None:
        for device in self.devices:
            device.close()
        self.client.close()

    async def ask(self, question: Callable[[], _T]) -> _T:
        """The client waits for answers, so it does that in a thread of its own."""
        return await asyncio.to_thread(question)

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        """Makes blocks until it holds."""
        async with asyncio.timeout(WITHIN):
            while not await holds():
                await self.town.chain.mine()
                await asyncio.sleep(0.1)

    async def status(self, id_: str) -> str:
        return str((await self.ask(lambda: self.client.request(id_)))["status"])

    async def mined(self, ids: Iterable[str]) -> None:
        """Makes blocks until none of these requests waits; every one must have succeeded."""

        async def none_waits() -> bool:
            return "accepted" not in [await self.status(id_) for id_ in ids]

        await self.until(none_waits)
        states = [await self.ask(lambda id_=id_: self.client.request(id_)) for id_ in ids]
        assert not [state for state in states if state["status"] == "rejected"], states

    async def travel(self, time: int) -> None:
        """Chain time moves on, and the service's index with it."""
        block = await self.town.chain.mine(time)

        async def seen() -> bool:
            return int((await self.ask(lambda: self.client.get("/v1/deployment")))["blockNumber"]) >= block.number

        async with asyncio.timeout(WITHIN):
            while not await seen():  # noqa: ASYNC110 - the service is another process
                await asyncio.sleep(0.05)

    def offers(self, home: int, side: Side, wanted: dict[int, tuple[int, int]]) -> list[Offer]:
        """Of one home's meter: slot to energy and limit price."""
        meter = self.town.homes[home].meter
        return [Offer(meter, slot, side, energy, limit) for slot, (energy, limit) in wanted.items()]

    async def place(
        self, home: int, side: Side, wanted: dict[int, tuple[int, int]], deadline: int, by: int | None = None
    ) -> list[PlacedOrder]:
        """Orders of one home, signed with its own key or with that of home `by`."""
        signer = self.people[home if by is None else by]
        offers = self.offers(home, side, wanted)
        return await self.ask(lambda: signer.place_all(offers, deadline))

    async def schedule(
        self, home: int, side: Side, wanted: dict[int, tuple[int, int]], deadline: int
    ) -> ScheduledOrders:
        """The same under one signature."""
        offers = self.offers(home, side, wanted)
        return await self.ask(lambda: self.people[home].schedule(offers, deadline))

    async def lines(self, scheduled: ScheduledOrders) -> list[str]:
        """What became of each line."""
        state = await self.ask(lambda: self.client.request(scheduled.item.id))
        return [str(line["status"]) for line in state["lines"]]

    async def delegate(self, home: int, to: int, scope: Scope) -> None:
        """One home's meter is another's to order for, once the service has seen it on chain."""
        owner, key, meter = self.people[home], self.people[to].address, self.town.homes[home].meter
        given = await self.ask(lambda: owner.delegate(key, [meter], scope, 2**40 - 1))
        await self.mined([given.id])
        await self.travel(await self.town.now() + 1)

    async def read(self, slot: int, figures: dict[int, tuple[int, int]]) -> None:
        """Readings of a slot that is over: home to import and export, sent as one gateway would."""
        for home, (imported, exported) in figures.items():
            self.devices[home].record(slot, imported, exported)
        await self.send_readings(figures)

    async def send_readings(self, homes: Iterable[int]) -> None:
        sent = await self.ask(lambda: send_together(self.client, [self.devices[home] for home in homes]))
        await self.mined([reading.digest for reading in sent])


async def trading_hour(town: Town, folder: Path, **settings: Any) -> Hour:
    """The hour, on whatever chain the town stands. `settings` of the service, a network's name among them."""
    async with AsyncExitStack() as stack:
        service = stack.enter_context(ServiceProcess(town, folder, keeper=True, keeper_silent_meters=False, **settings))
        await service.start()
        street = Street(town, service, folder)
        stack.callback(street.close)
        return await _live(town, street)


async def _live(town: Town, street: Street) -> Hour:
    clock, first = town.clock, await town.open_slot(1)
    a, b, c, d = slots = range(first, first + 4)
    deadline = town.terms.gate(a, clock) - 1

    await street.delegate(1, 5, Scope(town.market, 700, NO_ASKS, 210_000, town.terms.gate(d, clock)))
    second_seller = await street.schedule(3, Side.ASK, {a: (900, 140_000), c: (700, 120_000)}, deadline)
    orders = {
        "buyer": await street.place(
            0, Side.BID, {a: (1_000, 220_000), b: (800, 220_000), c: (600, 230_000), d: (500, 210_000)}, deadline
        ),
        "second buyer": await street.place(
            1, Side.BID, {a: (700, 200_000), c: (400, 210_000), d: (300, 190_000)}, deadline, by=5
        ),
        "seller": await street.place(2, Side.ASK, {a: (900, 120_000), b: (800, 130_000), c: (500, 110_000)}, deadline),
        "cancels": await street.place(4, Side.BID, {c: (300, 220_000)}, deadline),
    }
    sent = [placed.item.id for several in orders.values() for placed in several]
    await street.mined([second_seller.item.id, *sent])
    dearer = await street.ask(lambda: street.people[2].replace(orders["seller"][1], limit_price=150_000))
    left = await street.ask(lambda: street.people[4].cancel(town.homes[4].meter, c, deadline))
    await street.mined([dearer.item.id, left.id])
    orders["replaces"] = [dearer]

    await street.travel(clock.end(a))
    await street.read(a, {0: (1_100, 0), 1: (650, 0), 2: (0, 900), 3: (0, 1_000)})
    await street.travel(clock.end(b))
    await street.read(b, {0: (900, 0), 2: (0, 700), 5: (120, 0)})
    street.devices[0].correct(b, 820, 0)
    await street.send_readings([0])
    await street.until(lambda: _is_cleared(street, d))
    meters = [town.homes[home].meter for home in (0, 1)]
    await town.send([town.contracts.auction.release(town.market, d, meters)])
    await street.travel(clock.end(c))
    await street.read(c, {0: (600, 0), 1: (400, 0), 2: (0, 520)})
    await street.travel(clock.end(d))
    await street.read(d, {0: (480, 0), 1: (330, 0)})

    await street.travel(town.terms.reading_deadline(c, clock))
    await street.until(lambda: _is_settled(street, second_seller))
    await street.travel(clock.end(d) + town.terms.correction_window)
    paid = await street.ask(lambda: street.people[2].withdraw(street.people[2].address, 20_000_000, 2**40 - 1))
    await street.mined([paid.id])
    await street.until(lambda: _all_final(street))

    ended = {
        f"{who} {at}": await street.status(p.item.id) for who, several in orders.items() for at, p in enumerate(several)
    }
    ended |= {f"second seller {at}": status for at, status in enumerate(await street.lines(second_seller))}
    cleared = [
        (await street.ask(lambda slot=slot: street.client.slot(town.market, slot)))["clearing"] for slot in slots
    ]
    balances = [(await town.contracts.vault.account_of(home.account)).available for home in town.homes]
    deployed = town.deployment
    book = AddressBook(deployed.chain_id, deployed.addresses, deployed.block, deployed.genesis_hash)
    return Hour(
        first=first,
        prices=[(clearing["priceMicroPerKwh"], clearing["volumeWh"]) for clearing in cleared],
        orders=ended,
        balances=balances,
        metrics=(await street.ask(lambda: httpx.get(f"{street.service.url}/metrics", trust_env=False))).text,
        p256_in_code=not await has_p256(town.chain.node),
        report=await audit(town.chain.node, book),
    )


async def _is_cleared(street: Street, slot: int) -> bool:
    state = await street.ask(lambda: street.client.slot(street.town.market, slot))
    return state["status"] in ("cleared", "closed")


async def _is_settled(street: Street, scheduled: ScheduledOrders) -> bool:
    return set(await street.lines(scheduled)) == {"settled"}


async def _all_final(street: Street) -> bool:
    """Whether every reading that a device has signed is final."""
    waiting = [await street.ask(device.follow) for device in street.devices]
    return sum(waiting) == 0


def device_key(pair: DeviceKeyPair) -> DeviceKey:
    """The town's key as a device's own program holds it."""
    return DeviceKey(ec.derive_private_key(pair.secret, _CURVES[pair.kind]))
