"""Orders without a pause: homes bid and ask, replace and cancel, and remember what was acknowledged to them."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx

from gridweave.chain import NodeUnavailable
from gridweave.chain.events import Cancelled, OrderRefused, Placed, decode_logs
from gridweave.domain.acknowledgements import Acknowledgement
from gridweave.domain.eip712 import digest
from gridweave.domain.signatures import recover, to_compact
from gridweave.localnet import DevKeys
from tests.support.town import TestHome, Town


@dataclass
class Load:
    """Everybody who trades at `url`, and their memory: acknowledged and refused items by id."""

    town: Town
    url: str
    rng: random.Random
    slots: tuple[int, ...]
    acknowledged: dict[str, dict[str, Any]] = field(default_factory=dict)
    refused: dict[str, dict[str, Any]] = field(default_factory=dict)
    unanswered: int = 0
    _stop: bool = False

    async def run(self, hands: int = 4) -> None:
        """Posts until `stop`, with as many requests under way as there are hands."""
        self._stop = False
        async with httpx.AsyncClient(base_url=self.url, timeout=10.0, trust_env=False) as http:
            await asyncio.gather(*(self._post(http, self.town.homes[hand::hands]) for hand in range(hands)))

    def stop(self) -> None:
        self._stop = True

    async def _post(self, http: httpx.AsyncClient, homes: list[TestHome]) -> None:
        while not self._stop:
            path, name, body = self._next(homes)
            try:
                response = await http.post(f"/v1/{path}", json={name: body})
            except httpx.TransportError:
                self.unanswered += 1
                await asyncio.sleep(0.05)
                continue
            if response.status_code in (202, 207, 403, 404, 409, 422):
                self._remember(body, response.json()["items"])
            await asyncio.sleep(0)

    def _next(self, homes: list[TestHome]) -> tuple[str, str, list[dict[str, Any]]]:
        chosen = self.rng.sample(homes, self.rng.randint(1, len(homes)))
        slot = self.rng.choice(self.slots)
        if self.rng.random() < 0.1:
            return "cancels", "cancels", [self.town.cancel(home, slot) for home in chosen]
        make = self.rng.choice((self.town.bid, self.town.ask))
        return "orders", "orders", [make(home, slot, self.rng.randint(10, 2_000)) for home in chosen]

    def _remember(self, sent: list[dict[str, Any]], items: list[dict[str, Any]]) -> None:
        for signed, item in zip(sent, items, strict=True):
            item["signature"] = signed["signature"]
            (self.refused if "error" in item else self.acknowledged)[item["id"]] = item


async def acts_on_chain(town: Town) -> tuple[Counter[str], Counter[str]]:
    """How often each digest took effect, and how often it was refused, by the chain's own logs."""
    logs = await town.chain.node.logs(0, await town.chain.node.block_number(), [town.contracts.auction.address])
    effects: Counter[str] = Counter()
    refusals: Counter[str] = Counter()
    for event in decode_logs(logs):
        if isinstance(event, Placed | Cancelled):
            effects["0x" + event.digest.hex()] += 1
        elif isinstance(event, OrderRefused):
            refusals["0x" + event.digest.hex()] += 1
    return effects, refusals


def promised(town: Town, item: dict[str, Any]) -> bool:
    """Whether the item's acknowledgement is the relayer's."""
    request, signed, signature = (bytes.fromhex(item[name][2:]) for name in ("id", "signature", "acknowledgement"))
    promise = Acknowledgement.of(request, to_compact(signed), item["sponsor"], item["commitBefore"])
    relayer = DevKeys.load_or_draw(town.chain.home.keys)["relayer"].address
    return recover(digest(town.domain("RelayerBond"), promise), signature) == relayer


async def mine_steadily(town: Town, pause: float = 0.15) -> None:
    """Blocks at an even pace until cancelled, also while the node is started again."""
    while True:
        with contextlib.suppress(NodeUnavailable):
            await town.chain.mine()
        await asyncio.sleep(pause)


async def settled_states(url: str, ids: list[str], within: float = 300.0) -> dict[str, dict[str, Any]]:
    """The states of these orders, once none of them is only accepted any more."""
    states: dict[str, dict[str, Any]] = {}
    async with httpx.AsyncClient(base_url=url, timeout=10.0, trust_env=False) as http, asyncio.timeout(within):
        for id_ in ids:
            while True:
                state = (await http.get(f"/v1/orders/{id_}")).json()
                if state.get("status") != "accepted":
                    states[id_] = state
                    break
                await asyncio.sleep(0.1)
    return states
