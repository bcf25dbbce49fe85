"""What the relayer can pay for: what is acknowledged must be kept, so nothing is acknowledged that cannot be paid.

Costs are the most that they may be: a transaction's gas limit at the fee that a new one would offer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from gridweave.chain.node import Node
from gridweave.chain.profile import NetworkProfile
from gridweave.outbox.gas_model import GasModel
from gridweave.outbox.kinds import Kind
from gridweave.store.records import NewItem
from gridweave.store.watch import OutboxWatch
from gridweave.timing import now_ms

__all__ = ["Purse", "PurseState"]

log = structlog.get_logger(__name__)

_LATELY = 200
"""Transactions by which is reckoned what an order costs, and how long the balance lasts."""
_TYPICAL_GAS = 75_000
"""Of an order, until some were mined: 50,000 and its share of fresh words."""


@dataclass(frozen=True)
class PurseState:
    """Wei, as of the last look. `orders`: how many the balance pays for beyond what is owed, as they cost lately;
    `hours`: how long it lasts if it goes on so. None: there is no end to it, or nothing is known of it."""

    balance: int
    owed: int
    fee: int
    orders: int | None
    hours: float | None


class Purse:
    """`look` asks node and outbox; between two looks `take` counts what was promised meanwhile."""

    def __init__(
        self, node: Node, watch: OutboxWatch, relayer: str, profile: NetworkProfile, gas: GasModel, low_orders: int
    ) -> None:
        self._node = node
        self._watch = watch
        self._relayer = relayer
        self._profile = profile
        self._gas = gas
        self._low_orders = low_orders
        self._promised = 0
        self._asked = 0
        self.state: PurseState | None = None
        """None until the node has answered once: then nobody is refused for it."""
        self.is_low = False

    async def look(self) -> None:
        """Learns balance, fees and debts anew. Raises NodeUnavailable, NodeError, StoreUnavailable."""
        promised = self._promised
        head = await self._node.head()
        fee = self._profile.fees(head.base_fee).most
        balance = await self._node.balance(self._relayer, head.number)
        owed = await self._watch.offered() + fee * self._gas_of(await self._watch.queued())
        self._promised -= promised
        orders, hours = await self._lasts(balance - owed, fee)
        self.state = PurseState(balance, owed, fee, orders, hours)
        self._tell(self.state)

    @property
    def is_empty(self) -> bool:
        """Whether the balance does not pay for one order more than what is accepted already."""
        state = self.state
        return state is not None and not self.can_take(state.fee * self._gas.limit(Kind.ORDER, 1))

    def cost_of(self, item: NewItem) -> int:
        """The most that the item may cost, in wei; 0 while nothing is known."""
        return self.state.fee * self._gas.most_of(item) if self.state else 0

    def can_take(self, wei: int) -> bool:
        """Whether the balance pays for so much more than what is accepted already."""
        state = self.state
        return state is None or state.owed + self._promised + self._asked + wei <= state.balance

    @contextmanager
    def asking(self, wei: int) -> Iterator[None]:
        """So much is on its way to being promised: requests at the same time see each other."""
        self._asked += wei
        try:
            yield
        finally:
            self._asked -= wei

    def take(self, wei: int) -> None:
        """So much was promised since the last look."""
        self._promised += wei

    def _gas_of(self, queued: Mapping[str, int]) -> int:
        total = 0
        for kind, count in queued.items():
            full, rest = divmod(count, self._gas.capacity(kind, 0))
            total += full * self._gas.limit(kind, self._size(kind)) + (self._gas.limit(kind, rest) if rest else 0)
        return total

    def _size(self, kind: str) -> int:
        """What one transaction holds: as many items as fit, or a whole schedule."""
        return self._gas.most_items if kind in (Kind.SCHEDULE, Kind.CANCEL_SCHEDULE) else self._gas.capacity(kind, 0)

    async def _lasts(self, free: int, fee: int) -> tuple[int | None, float | None]:
        if fee == 0:
            return None, None
        now = now_ms()
        spent = await self._watch.spent(_LATELY)
        each = spent.gas // spent.items if spent.items else _TYPICAL_GAS
        hours = free / (spent.gas * fee) * (now - spent.first_ms) / 3_600_000 if spent.gas else None
        return max(0, free) // (fee * max(each, 1)), None if hours is None else max(hours, 0.0)

    def _tell(self, state: PurseState) -> None:
        low = state.orders is not None and state.orders < self._low_orders
        if low and not self.is_low:
            message = "the relayer's balance is low: send gas money to it"
            log.warning(message, relayer=self._relayer, balance_wei=state.balance, orders=state.orders)
        elif self.is_low and not low:
            log.info("the relayer's balance suffices again", relayer=self._relayer, balance_wei=state.balance)
        self.is_low = low
