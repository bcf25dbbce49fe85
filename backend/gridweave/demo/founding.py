"""Founds a place: its market, everybody who keeps it, and its homes with their accounts, devices and meters.

Everything is signed here and goes through the service; nobody hands over a key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gridweave.client import (
    DeviceAgent,
    DeviceKey,
    GridweaveClient,
    Item,
    MeterPlan,
    Prosumer,
    Sponsor,
    Steward,
    Wallet,
    prove_possession,
)
from gridweave.demo.profiles import Home, StreetDay
from gridweave.demo.resident import Resident
from gridweave.demo.waiter import Waiter
from gridweave.domain.acts import AssetKind, KeyKind
from gridweave.domain.delegations import Scope
from gridweave.domain.terms import MarketTerms

__all__ = ["Asset", "Cast", "House", "Place", "Plan", "found", "market_terms"]

FEED_IN, RETAIL, FEE, TICK = 80_000, 300_000, 20_000, 1_000
"""Micro per kWh."""
UTILITY_DEPOSIT, BOND = 500_000_000, 20_000_000
"""Micro."""
MARKET = 1
_ACT_LIFE = 3_000
_AT_ONCE = 40
_DAY_S = 2 * 86_400


@dataclass(frozen=True)
class Asset:
    """What the operator records behind a meter."""

    kind: AssetKind
    nameplate_w: int
    storage_wh: int = 0


@dataclass(frozen=True)
class Plan:
    """A home to be: who lives there, what it pays in and holds in reserve (micro), and what stands behind its meter.

    `is_scheduled`: it signs its day's orders at once. `highest_bid` not None: an aggregator orders for it and bids no
    more than that.
    """

    home: Home
    resident: Resident
    deposit_micro: int
    connection_w: int
    assets: tuple[Asset, ...] = ()
    reserve_micro: int = 0
    is_scheduled: bool = False
    highest_bid: int | None = None
    group: str = ""


@dataclass(frozen=True)
class Cast:
    """Those who keep the market, and the homes' wallets. `aggregator` orders for homes that delegated to it."""

    operator: Wallet
    utility: Wallet
    maker: Wallet
    aggregator: Wallet
    homes: Sequence[Wallet]


@dataclass
class House:
    """A home with its keys and its place in the market. `trader` signs its orders: its own person or a delegate.

    `metered` is what its meter counted in and out, slot of the day by slot.
    """

    plan: Plan
    person: Prosumer
    trader: Prosumer
    key: DeviceKey
    meter: int
    agent: DeviceAgent
    metered: dict[int, tuple[int, int]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.plan.home.name

    @property
    def resident(self) -> Resident:
        return self.plan.resident


@dataclass
class Place:
    """A founded place: its market is open and every meter is registered."""

    day: StreetDay
    market: int
    terms: MarketTerms
    houses: list[House]
    cast: Cast


def market_terms(operator: str, utility: str) -> MarketTerms:
    """The market's grid runs from feed-in to retail less the fee, its gate closes a slot ahead."""
    return MarketTerms(
        min_price=FEED_IN,
        tick_size=TICK,
        tick_count=(RETAIL - FEE - FEED_IN) // TICK + 1,
        grid_fee=FEE,
        feed_in_price=FEED_IN,
        retail_price=RETAIL,
        min_energy_wh=10,
        utility=utility,
        gate_lead=900,
        reading_window=7_200,
        correction_window=21_600,
        operator=operator,
        default_wh=250,
        from_slot=0,
    )


def found(
    client: GridweaveClient, waiter: Waiter, day: StreetDay, plans: Sequence[Plan], cast: Cast, folder: Path
) -> Place:
    """Opens the market, funds every account by permit, enrols every device and registers its meter and assets.

    The utility answers for the relayer with a bond, so that every acknowledgement of the day has something behind it.
    Every second meter has a P-256 key. Raises ServiceError, RequestRejected, TimeoutError.
    """
    deadline = waiter.clock.now() + _ACT_LIFE
    operator, maker, utility = (Steward(client, wallet) for wallet in (cast.operator, cast.maker, cast.utility))
    terms = market_terms(operator.address, utility.address)
    opened = operator.create_market(terms, utility.underwrite(terms, deadline), deadline)
    people = [Prosumer(client, wallet, MARKET, ask_versions=False) for wallet in cast.homes]
    bank = Prosumer(client, cast.utility, MARKET)
    waiter.require([opened, bank.deposit(UTILITY_DEPOSIT, deadline)])
    waiter.require([Sponsor(client, cast.utility).post(BOND, deadline)])
    kinds = (KeyKind.SECP256K1, KeyKind.P256)
    keys = [DeviceKey.create(kinds[place % len(kinds)]) for place in range(len(people))]
    funded = zip(people, plans, strict=True)
    _in_portions(waiter, (_later(person.deposit, plan.deposit_micro, deadline) for person, plan in funded))
    proofs = [
        prove_possession(client, key, maker.address, person.address, deadline)
        for key, person in zip(keys, people, strict=True)
    ]
    _in_portions(waiter, (_later(maker.enrol, proof) for proof in proofs))
    meters = _register_meters(client, waiter, operator, people, keys, plans, deadline)
    _in_portions(
        waiter,
        (
            _later(operator.register_asset, meter, asset.kind, asset.nameplate_w, asset.storage_wh, deadline)
            for meter, plan in zip(meters, plans, strict=True)
            for asset in plan.assets
        ),
    )
    agent_of = Prosumer(client, cast.aggregator, MARKET, ask_versions=False)
    houses = [
        House(
            plan,
            person,
            person if plan.highest_bid is None else agent_of,
            key,
            meter,
            DeviceAgent(client, key, meter, folder),
        )
        for plan, person, key, meter in zip(plans, people, keys, meters, strict=True)
    ]
    _delegate(waiter, houses, cast.aggregator.address, deadline)
    return Place(day, MARKET, terms, houses, cast)


def _register_meters(
    client: GridweaveClient,
    waiter: Waiter,
    operator: Steward,
    people: Sequence[Prosumer],
    keys: Sequence[DeviceKey],
    plans: Sequence[Plan],
    deadline: int,
) -> list[int]:
    _in_portions(
        waiter,
        (
            _later(
                operator.register_meter,
                MeterPlan(key.device, MARKET, person.address, plan.connection_w, plan.connection_w),
                person.mandate(key.device, deadline),
                deadline,
            )
            for person, key, plan in zip(people, keys, plans, strict=True)
        ),
    )
    known = {str(row["device"]): int(row["meter"]) for row in client.meters(market=MARKET)}
    return [known[key.device] for key in keys]


def _delegate(waiter: Waiter, houses: Sequence[House], aggregator: str, deadline: int) -> None:
    """Homes let the aggregator order for their own meter: no more energy than it connects, bids up to their limit."""
    _in_portions(
        waiter,
        (
            _later(
                house.person.delegate,
                aggregator,
                [house.meter],
                Scope(MARKET, house.plan.connection_w // 4, FEED_IN, house.plan.highest_bid, deadline + _DAY_S),
                deadline,
            )
            for house in houses
            if house.plan.highest_bid is not None
        ),
    )


def _later(call: Callable[..., Item], *arguments: object) -> Callable[[], Item]:
    return lambda: call(*arguments)


def _in_portions(waiter: Waiter, calls: Iterable[Callable[[], Item]]) -> None:
    """Sends acts and waits for them, so many at a time as the service takes of one signer."""
    under_way: list[Item] = []
    for call in calls:
        under_way.append(call())
        if len(under_way) == _AT_ONCE:
            waiter.require(under_way)
            under_way = []
    waiter.require(under_way)
