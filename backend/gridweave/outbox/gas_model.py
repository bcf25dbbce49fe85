"""What transactions of the outbox may take, and so how many items share one.

Gas figures are upper bounds on fresh storage, checked by tests; what is not used is not paid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gridweave.chain.profile import MAX_TRANSACTION_GAS
from gridweave.outbox.kinds import BATCHED, SCHEDULES, SIZED, Kind, asks_wallet
from gridweave.outbox.order_gas import gas_of_orders
from gridweave.store.records import Item, NewItem

__all__ = ["GasModel"]

_SINGLE_GAS: dict[Kind, int] = {
    Kind.CLEAR: 600_000,
    Kind.DEPOSIT: 500_000,
    Kind.WITHDRAWAL: 400_000,
    Kind.ENROLMENT: 1_200_000,
    Kind.BATCH: 400_000,
    Kind.KEY: 600_000,
    Kind.STATUS: 300_000,
    Kind.TRANSFER: 700_000,
    Kind.MARKET: 800_000,
    Kind.DELEGATION: 2_200_000,
    Kind.METER: 600_000,
    Kind.ASSET: 400_000,
    Kind.STATE: 450_000,
    Kind.BOND: 400_000,
    Kind.STREAM: 500_000,
    Kind.ANCHOR: 900_000,
    Kind.MODEL: 1_000_000,
    Kind.RELEASE_KEYS: 3_000_000,
    Kind.RELEASE: 1_200_000,
    Kind.ROLLOUT: 1_000_000,
}
_BYTE_GAS = 80
"""Of what a call brings beside its act: calldata at its floor, hashed and logged."""

_ASKS_WALLETS = SCHEDULES | {Kind.REFUSAL}
_BY_SIZE = BATCHED | _ASKS_WALLETS

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
        most = self.limit(kind, _size_of(items), wallets=asks_wallet(items[0]))
        if kind in SIZED:
            return self.most_of(items[0])
        if kind is not Kind.ORDER or len(items) == 1 or any(item.attempts for item in items):
            return most
        return min(most, gas_of_orders(items))

    def limit(self, kind: str, items: int, *, wallets: bool = False) -> int:
        """The most that a transaction with that many items, or lines of a schedule, may take.

        `wallets`: each asks one.
        """
        known = Kind(kind)
        if known in _BY_SIZE:
            return min(self.cap, self._base(known) + items * self._each(known, wallets))
        return _SINGLE_GAS[known]

    def most_of(self, item: Item | NewItem) -> int:
        """The most that an item's own transaction, or its share of one, may take."""
        lines = len(item.payload.get("lines", (item,)))
        brought = len(item.payload["data"]) // 2 if item.kind in SIZED else 0
        return min(self.cap, self.limit(item.kind, lines) + _BYTE_GAS * brought)

    def capacity(self, kind: str, attempts: int, *, wallets: bool = False) -> int:
        """Items per transaction; halved with every attempt that failed as a whole."""
        known = Kind(kind)
        if known not in BATCHED:
            return 1
        room = min(self.most_items, (self.cap - self._base(known)) // self._each(known, wallets))
        return max(1, room >> min(attempts, 16))

    def _base(self, kind: Kind) -> int:
        if kind in _ASKS_WALLETS:
            return 400_000  # a wallet may be asked
        return 200_000 if kind in (Kind.ORDER, Kind.CANCEL) else 700_000

    def _each(self, kind: Kind, wallets: bool) -> int:
        if kind is Kind.READING:
            return 450_000 if self.p256_in_code else 160_000
        if kind is Kind.RECEIPT:
            return 400_000 if self.p256_in_code else 100_000
        return 150_000 + (_WALLET_GAS if wallets else 0)


def _size_of(items: Sequence[Item]) -> int:
    """How many things a transaction with these items does: a schedule's lines, else one each."""
    return sum(len(item.payload.get("lines", (item,))) for item in items)
