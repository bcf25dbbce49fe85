"""What kinds of items there are, how many share a transaction, and what they cost.

Orders, cancels, readings and settlements by default share calls; a schedule and every other act has a transaction of
its own, whose call was built when it was accepted. Orders and cancels about which a wallet is asked share calls with
their like only, so that what wallets burn makes nobody else's call dear. Gas figures are upper bounds on fresh storage,
checked by tests; what is not used is not paid.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gridweave.chain.contracts import Contracts
from gridweave.chain.hexes import from_hex
from gridweave.chain.profile import MAX_TRANSACTION_GAS
from gridweave.chain.types import Call
from gridweave.outbox.order_gas import gas_of_orders
from gridweave.store.records import Item

__all__ = [
    "ACTS",
    "BATCHED",
    "BY_WALLET",
    "KEPT",
    "ORDERS",
    "PROVABLE",
    "REVIVABLE",
    "SCHEDULES",
    "GasModel",
    "Kind",
    "asks_wallet",
    "call_of",
    "call_of_act",
    "group_key",
    "size_of",
]


class Kind(StrEnum):
    """Kinds of items."""

    ORDER = "order"
    CANCEL = "cancel"
    SCHEDULE = "schedule"
    CANCEL_SCHEDULE = "cancelSchedule"
    READING = "reading"
    DEFAULT = "settleByDefault"
    CLEAR = "clear"
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    ENROLMENT = "enrolment"
    STATUS = "status"
    MARKET = "market"
    DELEGATION = "delegation"
    METER = "meter"
    ASSET = "asset"
    BOND = "bond"
    REFUSAL = "proveRefusal"


BY_WALLET = "byWallet"
"""In the payload of an order or cancel: its account is a contract that will be asked."""

BATCHED = frozenset({Kind.ORDER, Kind.CANCEL, Kind.READING, Kind.DEFAULT})
"""Kinds that share a call."""

ORDERS = frozenset({Kind.ORDER, Kind.CANCEL})
"""Single ones, many to a call."""

SCHEDULES = frozenset({Kind.SCHEDULE, Kind.CANCEL_SCHEDULE})
"""Kinds of many lines under one signature: a transaction each, and a result per line."""

ACTS = frozenset(Kind) - BATCHED - SCHEDULES - {Kind.CLEAR, Kind.REFUSAL}
"""Kinds that have a transaction each and are signed with a deadline that may be never."""

PROVABLE = frozenset({Kind.ORDER, Kind.SCHEDULE})
"""Kinds whose refusal a bond takes a proof of."""

REVIVABLE = frozenset({Kind.READING, Kind.DEFAULT, Kind.CLEAR, Kind.REFUSAL})
"""Kinds without a deadline of their own: one that was refused may be asked for again."""

KEPT = frozenset({Kind.DEFAULT, Kind.CLEAR})
"""Kinds that the keeper asks for, and nobody else: what was refused may be asked for again at once."""

FINAL_WITH_BLOCK = ACTS | REVIVABLE
"""Kinds whose refusal is final with the block that holds it: an act's deadline may be never, and what can be asked for
again must not wait until that is of no use."""

_SINGLE_GAS: dict[Kind, int] = {
    Kind.CLEAR: 600_000,
    Kind.DEPOSIT: 500_000,
    Kind.WITHDRAWAL: 400_000,
    Kind.ENROLMENT: 1_200_000,
    Kind.STATUS: 300_000,
    Kind.MARKET: 800_000,
    Kind.DELEGATION: 2_200_000,
    Kind.METER: 600_000,
    Kind.ASSET: 400_000,
    Kind.BOND: 400_000,
}

_WALLET_GAS = 110_000
"""What must be left for a wallet that is asked, 100,000 of which it may burn."""


@dataclass(frozen=True)
class GasModel:
    """Bounds in gas and items per transaction. `p256_in_code`: the chain lacks the precompile at 0x100."""

    p256_in_code: bool = False
    cap: int = MAX_TRANSACTION_GAS
    most_items: int = 100

    def limit_of(self, items: Sequence[Item]) -> int:
        """The gas limit of a transaction with these items, which share a group key.

        A block takes a transaction by its limit, so many orders get no more than theirs may take. If that was too
        little after all, the call fails as a whole, and what it carried gets the most that its kind may take.
        """
        kind = Kind(items[0].kind)
        most = self.limit(kind, size_of(items), wallets=asks_wallet(items[0]))
        if kind is not Kind.ORDER or len(items) == 1 or any(item.attempts for item in items):
            return most
        return min(most, gas_of_orders(items))

    def limit(self, kind: str, items: int, *, wallets: bool = False) -> int:
        """The most that a transaction with that many items, or lines of a schedule, may take.

        `wallets`: each asks one.
        """
        if Kind(kind) in BATCHED | SCHEDULES | {Kind.REFUSAL}:
            return min(self.cap, self._base(Kind(kind)) + items * self._each(Kind(kind), wallets))
        return _SINGLE_GAS[Kind(kind)]

    def capacity(self, kind: str, attempts: int, *, wallets: bool = False) -> int:
        """Items per transaction; halved with every attempt that failed as a whole."""
        if Kind(kind) not in BATCHED:
            return 1
        room = min(self.most_items, (self.cap - self._base(Kind(kind))) // self._each(Kind(kind), wallets))
        return max(1, room >> min(attempts, 16))

    def _base(self, kind: Kind) -> int:
        if kind in SCHEDULES | {Kind.REFUSAL}:
            return 400_000  # a wallet may be asked
        return 200_000 if kind in (Kind.ORDER, Kind.CANCEL) else 700_000

    def _each(self, kind: Kind, wallets: bool) -> int:
        if kind is Kind.READING:
            return 450_000 if self.p256_in_code else 160_000
        return 150_000 + (_WALLET_GAS if wallets else 0)


def size_of(items: Sequence[Item]) -> int:
    """How many things a transaction with these items does: a schedule's lines, else one each."""
    return sum(len(item.payload.get("lines", (item,))) for item in items)


def asks_wallet(item: Item) -> bool:
    """Whether a wallet is asked about it, in a call that it shares."""
    return BY_WALLET in item.payload


def group_key(item: Item) -> Hashable:
    """Items with equal keys may share a call; None never does."""
    if item.kind in (Kind.ORDER, Kind.CANCEL):
        return item.kind, asks_wallet(item)
    if item.kind in (Kind.READING, Kind.DEFAULT):
        return item.kind, item.market, item.slot
    return None


def call_of(contracts: Contracts, items: Sequence[Item]) -> Call:
    """The call that carries these items, which share a group key. ValueError for none."""
    first = items[0]
    market, slot = first.market or 0, first.slot or 0
    match first.kind:
        case Kind.ORDER:
            return contracts.auction.place([_signed_word(item) for item in items])
        case Kind.CANCEL:
            return contracts.auction.cancel([_signed_word(item) for item in items])
        case Kind.READING:
            return contracts.auction.settle(market, slot, [_signed_word(item) for item in items])
        case Kind.DEFAULT:
            return contracts.auction.settle_by_default(market, slot, [item.meter or 0 for item in items])
        case _:
            return call_of_act(first)


def call_of_act(item: Item) -> Call:
    """The call that was built when the act was accepted."""
    return Call(str(item.payload["to"]), from_hex(item.payload["data"]))


def _signed_word(item: Item) -> tuple[bytes, bytes, bytes]:
    signature = from_hex(item.payload["signature"])
    return from_hex(item.payload["word"]), signature[:32], signature[32:]
