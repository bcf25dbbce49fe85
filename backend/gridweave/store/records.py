"""What the outbox keeps, as values: items, batches and their signed bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Accepted", "Batch", "Draft", "Item", "ItemOutcome", "NewItem", "SignedBytes"]

ACCEPTED, COMMITTED, REJECTED = "accepted", "committed", "rejected"
OPEN, MINED, FINAL, DEAD = "open", "mined", "final", "dead"


@dataclass(frozen=True)
class NewItem:
    """A request that is about to be acknowledged.

    `id` is its EIP-712 digest, `nonce_key` names what its signature may be used for once, `lanes` the things (accounts,
    meters, devices) whose acts must keep their order, `commit_before` the chain time from which it cannot be executed,
    `acknowledgement` the relayer's signature, 64 bytes as 0x hex, empty for what nobody asked the service for, and
    `sponsor` whose bond answers for it.
    """

    id: str
    kind: str
    nonce_key: str | None
    lanes: tuple[str, ...]
    payload: dict[str, Any]
    commit_before: int
    acknowledgement: str = ""
    market: int | None = None
    slot: int | None = None
    meter: int | None = None
    account: str | None = None
    sponsor: str | None = None


@dataclass(frozen=True)
class Item:
    """An acknowledged request and what became of it.

    `status` is accepted, committed or rejected; `final` says that no reorganisation can change it any more.
    `was_committed` remembers a block that may be gone.
    """

    seq: int
    id: str
    kind: str
    lanes: tuple[str, ...]
    payload: dict[str, Any]
    commit_before: int
    acknowledgement: str
    created_at_ms: int
    status: str
    reason: str | None
    reason_args: dict[str, Any]
    final: bool
    was_committed: bool
    attempts: int
    batch: int | None
    tx_hash: str | None
    block_number: int | None
    market: int | None
    slot: int | None
    meter: int | None
    account: str | None
    sponsor: str | None

    def carried_by(self, batch: int) -> Item:
        """The same once a new batch carries it. Made without looking at every field again, as `replace` would."""
        carried = object.__new__(Item)
        vars(carried).update(vars(self), batch=batch, attempts=self.attempts + 1)
        return carried


@dataclass(frozen=True)
class Accepted:
    """The answer to one NewItem: what is stored, or the id of the other item that its nonce was used for.

    `is_new` says that this call queued it.
    """

    item: Item | None
    conflict: str | None = None
    is_new: bool = False


@dataclass(frozen=True)
class Batch:
    """One nonce of the relayer and the call that it carries. `state` is open, mined, final or dead."""

    id: int
    nonce: int
    kind: str
    to: str
    data: bytes
    gas: int
    state: str
    tx_hash: str | None
    block_number: int | None
    block_hash: str | None
    created_at_ms: int


@dataclass(frozen=True)
class SignedBytes:
    """One signed transaction of a batch. Fees in wei per gas, `priority_fee` None on a network with one gas price."""

    tx_hash: str
    batch: int
    raw: bytes
    most_fee: int
    priority_fee: int | None
    created_at_ms: int


@dataclass(frozen=True)
class Draft:
    """A batch to be: its nonce and call, the first signed bytes (their `batch` is filled in on storing), its items."""

    nonce: int
    kind: str
    to: str
    data: bytes
    gas: int
    signing: SignedBytes
    seqs: tuple[int, ...]


@dataclass(frozen=True)
class ItemOutcome:
    """What a mined block says of one item, or, where nothing was mined, what the state of `block` said.

    `to_prove`: its refusal, or that of a line of it, is to be proved to a bond.
    """

    seq: int
    status: str
    reason: str | None = None
    reason_args: dict[str, Any] = field(default_factory=dict)
    block: int | None = None
    to_prove: bool = False
