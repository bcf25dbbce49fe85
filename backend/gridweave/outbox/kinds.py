"""What kinds of items there are, which of them share a transaction, and the call that carries them.

Orders, cancels, readings, settlements by default and install receipts share calls; a schedule and every other act has
a transaction of its own, whose call was built when it was accepted. Orders and cancels about which a wallet is asked
share calls with their like only, so that what wallets burn makes nobody else's call dear.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from enum import StrEnum

from gridweave.chain.contracts import Contracts, SignedReceipt
from gridweave.chain.hexes import from_hex
from gridweave.chain.types import Call
from gridweave.domain.firmware.messages import InstallReceipt
from gridweave.store.records import Item

__all__ = [
    "ACTS",
    "AT_ONCE",
    "BATCHED",
    "BY_WALLET",
    "FINAL_WITH_BLOCK",
    "KEPT",
    "ORDERS",
    "PROVABLE",
    "REVIVABLE",
    "SCHEDULES",
    "SIZED",
    "Kind",
    "asks_wallet",
    "call_of",
    "call_of_act",
    "group_key",
    "place_of",
    "receipt_of",
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
    BATCH = "batch"
    KEY = "key"
    STATUS = "status"
    TRANSFER = "transfer"
    MARKET = "market"
    DELEGATION = "delegation"
    METER = "meter"
    ASSET = "asset"
    STATE = "assetState"
    MODEL = "firmwareModel"
    RELEASE_KEYS = "releaseKeys"
    RELEASE = "firmwareRelease"
    ROLLOUT = "rollout"
    RECEIPT = "installReceipt"
    BOND = "bond"
    REFUSAL = "proveRefusal"
    STREAM = "stream"
    ANCHOR = "anchor"


BY_WALLET = "byWallet"
"""In the payload of an order or cancel: its account is a contract that will be asked."""

BATCHED = frozenset({Kind.ORDER, Kind.CANCEL, Kind.READING, Kind.DEFAULT, Kind.RECEIPT})
"""Kinds that share a call."""

ORDERS = frozenset({Kind.ORDER, Kind.CANCEL})
"""Single ones, many to a call."""

SCHEDULES = frozenset({Kind.SCHEDULE, Kind.CANCEL_SCHEDULE})
"""Kinds of many lines under one signature: a transaction each, and a result per line."""

ACTS = frozenset(Kind) - BATCHED - SCHEDULES - {Kind.CLEAR, Kind.REFUSAL}
"""Kinds that have a transaction each and are signed with a deadline that may be never."""

PROVABLE = frozenset({Kind.ORDER, Kind.SCHEDULE})
"""Kinds whose refusal a bond takes a proof of."""

REVIVABLE = frozenset({Kind.READING, Kind.DEFAULT, Kind.CLEAR, Kind.REFUSAL, Kind.ANCHOR, Kind.STREAM, Kind.RECEIPT})
"""Kinds without a deadline of their own, or whose call is made anew: one that was refused may be asked for again."""

KEPT = frozenset({Kind.DEFAULT, Kind.CLEAR})
"""Kinds that the keeper asks for, and nobody else."""

AT_ONCE = KEPT | {Kind.ANCHOR, Kind.STREAM}
"""Kinds of which what was refused may be asked for again at once, before that is final."""

SIZED = frozenset({Kind.STREAM, Kind.ANCHOR})
"""Kinds whose gas grows with what their call brings."""

FINAL_WITH_BLOCK = ACTS | REVIVABLE
"""Kinds whose refusal is final with the block that holds it: an act's deadline may be never, and what can be asked for
again must not wait until that is of no use."""


def asks_wallet(item: Item) -> bool:
    """Whether a wallet is asked about it, in a call that it shares."""
    return BY_WALLET in item.payload


def group_key(item: Item) -> Hashable:
    """Items with equal keys may share a call; None never does."""
    if item.kind in (Kind.ORDER, Kind.CANCEL):
        return item.kind, asks_wallet(item)
    if item.kind in (Kind.READING, Kind.DEFAULT):
        return item.kind, item.market, item.slot
    if item.kind == Kind.RECEIPT:
        return item.kind
    return None


def place_of(item: Item) -> Hashable:
    """What a call that items share speaks of once: a meter's slot, or for receipts a device."""
    return item.payload.get("device") if item.kind == Kind.RECEIPT else (item.meter, item.slot)


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
        case Kind.RECEIPT:
            return contracts.firmware.tell_many([receipt_of(item) for item in items])
        case _:
            return call_of_act(first)


def call_of_act(item: Item) -> Call:
    """The call that was built when the act was accepted."""
    return Call(str(item.payload["to"]), from_hex(item.payload["data"]))


def receipt_of(item: Item) -> SignedReceipt:
    """A device's receipt as it was accepted."""
    said = item.payload
    receipt = InstallReceipt(said["device"], said["model"], said["counter"], said["failureCode"], said["time"])
    return SignedReceipt(receipt, from_hex(said["signature"]))


def _signed_word(item: Item) -> tuple[bytes, bytes, bytes]:
    signature = from_hex(item.payload["signature"])
    return from_hex(item.payload["word"]), signature[:32], signature[32:]
