"""The street and everybody who keeps its market: their keys, what they register, what they deposit.

Everything is signed here and goes through the service; nobody hands over a key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gridweave.client import (
    DeviceAgent,
    DeviceKey,
    GridweaveClient,
    Item,
    MeterPlan,
    Prosumer,
    RequestRejected,
    Sponsor,
    Steward,
    Wallet,
    prove_possession,
)
from gridweave.demo.profiles import Forecast, Home, StreetDay, forecast
from gridweave.demo.strategy import Trader
from gridweave.domain.acts import AssetKind, KeyKind
from gridweave.domain.terms import MarketTerms

__all__ = ["Cast", "ChainClock", "House", "Street", "Waiter", "found_street", "street_terms"]

FEED_IN, RETAIL, FEE, TICK = 80_000, 300_000, 20_000, 1_000
"""Micro per kWh."""
HOME_DEPOSIT, UTILITY_DEPOSIT, BOND = 25_000_000, 500_000_000, 20_000_000
"""Micro."""
_CONNECTION_W = 17_250
_ACT_LIFE = 3_000
_EVERY_THIRD = 3
_PATIENCE = 400
_BREATH_S = 0.03
OPEN = frozenset({"accepted"})


class ChainClock(Protocol):
    """The chain's time, moved by whoever lives the day. Times are seconds."""

    def now(self) -> int: ...

    def advance_to(self, timestamp: int) -> None:
        """Mines a block at `timestamp`, which is later than every block so far."""

    def tick(self) -> None:
        """Mines a block a second later."""


@dataclass(frozen=True)
class Cast:
    """Those who keep the market. All but the homes' wallets exist before the street does."""

    operator: Wallet
    utility: Wallet
    maker: Wallet
    homes: Sequence[Wallet]


@dataclass
class House:
    """A home with its keys and its place in the market."""

    home: Home
    expected: Forecast
    trader: Trader
    person: Prosumer
    key: DeviceKey
    meter: int
    agent: DeviceAgent

    @property
    def name(self) -> str:
        return self.home.name


@dataclass
class Street:
    """A founded street: its market is open and every meter is registered."""

    day: StreetDay
    market: int
    terms: MarketTerms
    houses: list[House]
    cast: Cast


def street_terms(operator: str, utility: str) -> MarketTerms:
    """The market of the street: its grid runs from feed-in to retail less the fee, its gate closes a slot ahead."""
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


class Waiter:
    """Lets the chain go on until requests are on it."""

    def __init__(self, client: GridweaveClient, clock: ChainClock, sleep: Callable[[float], None]) -> None:
        self.client = client
        self.clock = clock
        self._sleep = sleep

    def advance_to(self, timestamp: int) -> None:
        """Moves chain time, and waits until the service has seen it: it judges deadlines by what it has seen."""
        self.clock.advance_to(timestamp)
        for _ in range(_PATIENCE):
            if self.client.chain_time() >= timestamp:
                return
            self._sleep(_BREATH_S)
        raise TimeoutError(f"the service does not see the block of {timestamp}")

    def pass_time(self) -> None:
        """A breath for the service, and a block."""
        self._sleep(_BREATH_S)
        self.clock.tick()

    def until_mined(self, ids: Iterable[str]) -> list[str]:
        """Mines blocks until each request is on chain or refused; returns the refused. Raises TimeoutError."""
        waiting, refused = list(ids), []
        for _ in range(_PATIENCE):
            states = [(request, self.client.request(request)["status"]) for request in waiting]
            refused += [request for request, status in states if status == "rejected"]
            waiting = [request for request, status in states if status in OPEN]
            if not waiting:
                return refused
            self.pass_time()
        raise TimeoutError(f"{len(waiting)} requests are not on chain, the first is {waiting[0]}")


def found_street(
    client: GridweaveClient, waiter: Waiter, day: StreetDay, cast: Cast, folder: Path, seed: int
) -> Street:
    """Opens the market, funds every account by permit, enrols every device and registers its meter and assets.

    The utility answers for the relayer with a bond, so that every acknowledgement of the day has something behind it.
    Every second meter has a P-256 key. Raises ServiceError, RequestRejected, TimeoutError.
    """
    deadline = waiter.clock.now() + _ACT_LIFE
    operator, maker, utility = (Steward(client, wallet) for wallet in (cast.operator, cast.maker, cast.utility))
    terms = street_terms(operator.address, utility.address)
    opened = operator.create_market(terms, utility.underwrite(terms, deadline), deadline)
    people = [Prosumer(client, wallet, market=1, ask_versions=False) for wallet in cast.homes]
    bank = Prosumer(client, cast.utility, market=1)
    funded = [bank.deposit(UTILITY_DEPOSIT, deadline), *(person.deposit(HOME_DEPOSIT, deadline) for person in people)]
    kinds = (KeyKind.SECP256K1, KeyKind.P256)
    keys = [DeviceKey.create(kinds[place % len(kinds)]) for place in range(len(people))]
    enrolled = [
        maker.enrol(prove_possession(client, key, maker.address, person.address, deadline))
        for key, person in zip(keys, people, strict=True)
    ]
    _require(waiter, [opened, *funded, *enrolled])
    _require(waiter, [Sponsor(client, cast.utility).post(BOND, deadline)])
    market = 1
    meters = _register_meters(client, waiter, operator, people, keys, market, deadline)
    solar = [
        operator.register_asset(meter, AssetKind.PHOTOVOLTAIC, home.pv_peak_w, 0, deadline)
        for meter, home in zip(meters, day.homes, strict=True)
        if home.has_pv
    ]
    _require(waiter, solar)
    houses = [
        House(
            home=home,
            expected=forecast(home, seed),
            trader=Trader(home.name, seed, flexible=place % _EVERY_THIRD == 0),
            person=person,
            key=key,
            meter=meter,
            agent=DeviceAgent(client, key, meter, folder),
        )
        for place, (home, person, key, meter) in enumerate(zip(day.homes, people, keys, meters, strict=True))
    ]
    return Street(day, market, terms, houses, cast)


def _register_meters(
    client: GridweaveClient,
    waiter: Waiter,
    operator: Steward,
    people: Sequence[Prosumer],
    keys: Sequence[DeviceKey],
    market: int,
    deadline: int,
) -> list[int]:
    registered = []
    for person, key in zip(people, keys, strict=True):
        plan = MeterPlan(key.device, market, person.address, _CONNECTION_W, _CONNECTION_W)
        registered.append(operator.register_meter(plan, person.mandate(key.device, deadline), deadline))
    _require(waiter, registered)
    return [int(client.meters(device=key.device)[0]["meter"]) for key in keys]


def _require(waiter: Waiter, items: Sequence[Item]) -> None:
    refused = waiter.until_mined([item.id for item in items])
    if refused:
        state = waiter.client.request(refused[0])
        raise RequestRejected(refused[0], str(state.get("reason")))
