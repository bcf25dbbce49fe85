"""A town's life without a pause: orders, schedules, readings, deposits and withdrawals, while things break around it.

Whoever sends something sends the same bytes again until they are answered, and remembers what was acknowledged. What
took effect is read from the chain alone.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx

from gridweave.chain.events import (
    Cancelled,
    Deposited,
    OrderRefused,
    Placed,
    ReadingRecorded,
    Withdrawn,
    decode_logs,
)
from gridweave.chain.hexes import to_hex
from gridweave.client import wire
from gridweave.domain.acts import Permit, Withdrawal
from gridweave.domain.eip712 import digest
from gridweave.domain.orders import Order, Schedule, Side
from gridweave.domain.readings import Reading
from gridweave.domain.signatures import sign_compact, to_rsv
from tests.support.town import FOREVER, TestHome, Town

_ANSWERED = (202, 207, 400, 403, 404, 409, 422)
_AGAIN_S = 0.05
_BREATH_S = 0.3
_TOKENS = 10_000_000
_LATE = 4
"""Slots after which nobody reads a meter any more."""

Body = dict[str, Any]


@dataclass(frozen=True)
class Ends:
    """What the chain says of each act: how often it took effect, and whether it was refused."""

    effects: Counter[str]
    refusals: Counter[str]


@dataclass
class Life:
    """Everybody in `town` who sends to `url`. `now` is the slot that has begun last; set it as time goes on."""

    town: Town
    url: str
    rng: random.Random
    now: int
    acknowledged: dict[str, str] = field(default_factory=dict)
    answered: Counter[str] = field(default_factory=Counter)
    unanswered: int = 0
    marks: dict[str, str] = field(default_factory=dict)
    lines: dict[str, list[str]] = field(default_factory=dict)
    _read: set[int] = field(default_factory=set)
    _counter: int = 0
    _going: bool = False

    async def prepare(self) -> None:
        """Tokens to deposit in everybody's wallet."""
        calls = [self.town.contracts.currency.mint(home.account, _TOKENS) for home in self.town.homes]
        await self.town.send(calls)

    async def run(self) -> None:
        """Until `stop`."""
        self._going = True
        half = len(self.town.homes) // 2
        async with httpx.AsyncClient(base_url=self.url, timeout=10.0, trust_env=False) as http:
            await asyncio.gather(
                self._trades(http, self.town.homes[:half]),
                self._trades(http, self.town.homes[half:]),
                self._schedules(http, self.town.homes[0]),
                self._reads(http),
                self._banks(http, self.town.homes[-1]),
            )

    def stop(self) -> None:
        """Everybody ends with what is under way."""
        self._going = False

    async def _trades(self, http: httpx.AsyncClient, homes: list[TestHome]) -> None:
        while self._going:
            chosen = self.rng.sample(homes, self.rng.randint(1, len(homes)))
            slot = self.now + self.rng.randint(3, 6)
            if self.rng.random() < 0.1:
                await self._send(http, "cancels", {"cancels": [self.town.cancel(home, slot) for home in chosen]})
            else:
                make = self.rng.choice((self.town.bid, self.town.ask))
                orders = [make(home, slot, self.rng.randint(10, 2_000)) for home in chosen]
                await self._send(http, "orders", {"orders": orders})
            await asyncio.sleep(_BREATH_S)

    async def _schedules(self, http: httpx.AsyncClient, home: TestHome) -> None:
        """A day's worth of far slots under one signature, in which nobody else of that home orders."""
        domain = self.town.domain("EnergyAuction")
        while self._going:
            places = [(home.meter, self.now + ahead) for ahead in range(10, 14)]
            orders = tuple(self._line(*place) for place in places)
            said = Schedule(home.account, orders)
            body = wire.schedule_json(said, sign_compact(home.secret, digest(domain, said)))
            self.lines[to_hex(digest(domain, said))] = [to_hex(digest(domain, order)) for order in orders]
            await self._send(http, "schedules", body)
            await asyncio.sleep(5 * _BREATH_S)

    def _line(self, meter: int, slot: int) -> Order:
        version = self.town.versions[(meter, slot)] = self.town.versions.get((meter, slot), 0) + 1
        deadline = self.town.terms.gate(slot, self.town.clock) - 1
        return Order(self.town.market, slot, meter, version, deadline, Side.BID, self.rng.randint(10, 100), 220_000)

    async def _reads(self, http: httpx.AsyncClient) -> None:
        """Every meter's reading of every slot that has ended, each as soon as the service has seen its end."""
        begun = self.now
        while self._going:
            for slot in range(max(begun, self.now - _LATE), self.now):
                if slot not in self._read and await self._send(http, "readings", self._readings(slot)):
                    self._read.add(slot)
            await asyncio.sleep(_BREATH_S)

    def _readings(self, slot: int) -> Body:
        figures = [(home, self.rng.randint(0, 600), self.rng.randint(0, 600)) for home in self.town.homes]
        return {"readings": [self.town.reading(home, slot, drawn, given) for home, drawn, given in figures]}

    async def _banks(self, http: httpx.AsyncClient, home: TestHome) -> None:
        """Amounts that nobody else moves, so that the chain's events name their act."""
        nonce = 1  # the town's first deposit had the permit's nonce 0
        while self._going:
            self._counter += 1
            nonce += bool(await self._send(http, "deposits", self._deposit(home, 1_000 + self._counter, nonce)))
            await self._send(http, "withdrawals", self._withdrawal(home, 1 + self._counter))
            await asyncio.sleep(3 * _BREATH_S)

    def _deposit(self, home: TestHome, amount: int, nonce: int) -> Body:
        permit = Permit(home.account, self.town.contracts.vault.address, amount, nonce, FOREVER)
        hash_ = digest(self.town.domain("LocalCurrency"), permit)
        self.marks[f"deposit {amount}"] = to_hex(hash_)
        signature = wire.hex_of(to_rsv(sign_compact(home.secret, hash_)))
        return {"account": home.account, "amountMicro": amount, "deadline": FOREVER, "signature": signature}

    def _withdrawal(self, home: TestHome, amount: int) -> Body:
        said = Withdrawal(home.account, home.account, amount, 10**9 + self._counter, FOREVER)
        hash_ = digest(self.town.domain("Vault"), said)
        self.marks[f"withdrawal {amount}"] = to_hex(hash_)
        return wire.withdrawal_json(said, to_rsv(sign_compact(home.secret, hash_)))

    async def _send(self, http: httpx.AsyncClient, path: str, body: Body) -> bool:
        """Whether something was acknowledged; False as well where nobody answered before the end."""
        while True:
            try:
                response = await http.post(f"/v1/{path}", json=body)
            except httpx.TransportError:
                self.unanswered += 1
            else:
                self.answered[f"{path} {response.status_code}"] += 1
                if response.status_code in _ANSWERED:
                    return self._remember(path, response.json())
                assert response.status_code in (429, 503), response.text
            if not self._going:
                return False
            await asyncio.sleep(_AGAIN_S)

    def _remember(self, path: str, answer: Body) -> bool:
        items = answer.get("items", [answer])
        kept = [item["id"] for item in items if not item.get("error")]
        self.answered.update(f"{path} {fault['error']['name']}" for fault in (answer, *items) if fault.get("error"))
        self.acknowledged |= dict.fromkeys(kept, path)
        return bool(kept)

    def effects_of(self, id_: str, ends: Ends) -> int:
        """How often the act took effect: a schedule as often as the most of its lines did."""
        return max(ends.effects[each] for each in self.lines.get(id_, [id_]))

    def refused(self, id_: str, ends: Ends) -> bool:
        """Whether the chain itself refused it, every line of a schedule."""
        return all(ends.refusals[each] for each in self.lines.get(id_, [id_]))


async def ends_on_chain(town: Town, marks: dict[str, str]) -> Ends:
    """What the chain that stands says of every act; `marks` are ids by what their events show."""
    logs = await town.chain.node.logs(0, await town.chain.node.block_number(), sorted(town.deployment.every_address))
    effects: Counter[str] = Counter()
    refusals: Counter[str] = Counter()
    domain = town.domain("MeterLedger")
    names: dict[type, Callable[[Any], str]] = {
        Placed: lambda event: to_hex(event.digest),
        Cancelled: lambda event: to_hex(event.digest),
        ReadingRecorded: lambda event: to_hex(digest(domain, Reading.unpack(event.reading))),
        Deposited: lambda event: marks.get(f"deposit {event.amount}", ""),
        Withdrawn: lambda event: marks.get(f"withdrawal {event.amount}", ""),
    }
    for event in decode_logs(logs):
        if type(event) in names:
            effects[names[type(event)](event)] += 1
        elif isinstance(event, OrderRefused):
            refusals[to_hex(event.digest)] += 1
    del effects[""]
    return Ends(effects, refusals)


async def states_of(url: str, ids: Iterable[str], within: float = 240.0) -> dict[str, dict[str, Any]]:
    """The service's word on each, once none is only accepted any more."""
    states: dict[str, dict[str, Any]] = {}
    async with httpx.AsyncClient(base_url=url, timeout=10.0, trust_env=False) as http, asyncio.timeout(within):
        for id_ in ids:
            while id_ not in states:
                state = (await http.get(f"/v1/requests/{id_}")).json()
                if state.get("status") not in (None, "accepted"):
                    states[id_] = state
                else:
                    await asyncio.sleep(_AGAIN_S)
    return states
