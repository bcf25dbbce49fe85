"""Single events and transactions of a deployment, found by their indexed parameters instead of by a replay."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, TypeVar

from gridweave.audit.addresses import AddressBook
from gridweave.audit.calls import Bundle, Call, ProvingRefusal
from gridweave.audit.inputs import UnreadableCall, read_call
from gridweave.chain.abi import abi_of
from gridweave.chain.events import Event, MarketChanged, MarketCreated, Paid, decode_logs
from gridweave.chain.node import Node
from gridweave.domain.addresses import address_bytes
from gridweave.domain.orders import unpack_reference
from gridweave.domain.terms import MarketTerms

__all__ = ["Lookup", "Recalling"]

Found = TypeVar("Found", bound=Event)

_MOST_CALLS = 500


class Lookup:
    """Queries over blocks `book.first_block` to `last`."""

    def __init__(self, node: Node, book: AddressBook, last: int) -> None:
        self._node = node
        self._book = book
        self._last = last

    async def events(self, contract: str, kind: type[Found], **indexed: Any) -> list[Found]:
        """Events of the class from the contract, in chain order, with these indexed parameters."""
        abi = abi_of(contract).events[kind.__name__]
        values = [
            _word(indexed[name]) if name in indexed else None for name, is_indexed, _ in abi.parameters if is_indexed
        ]
        address = self._book.addresses[contract]
        logs = await self._node.logs(self._book.first_block, self._last, [address], [abi.topic], values)
        return [event for event in decode_logs(logs) if isinstance(event, kind)]

    async def calls_behind(self, event: Event) -> tuple[Call, ...]:
        """The calls that the event's transaction made to one of the contracts; none: another contract made them."""
        transaction = await self._node.transaction(event.transaction_hash)
        name = self._book.names.get(transaction.to or "") if transaction else None
        if transaction is None or name is None:
            return ()
        try:
            call = read_call(name, transaction.data)
        except UnreadableCall:
            return ()
        if isinstance(call, ProvingRefusal):
            return (call.placing,)
        return call.calls if isinstance(call, Bundle) else (call,)

    async def terms_at(self, market: int, slot: int) -> MarketTerms:
        """The market's terms in force in a slot."""
        versions = [event.terms for event in await self.events("EnergyAuction", MarketCreated, market=market)]
        versions += [event.terms for event in await self.events("EnergyAuction", MarketChanged, market=market)]
        return max((terms for terms in versions if terms.from_slot <= slot), key=lambda terms: terms.from_slot)

    async def payments(self, account: str) -> Mapping[tuple[int, int], list[Paid]]:
        """What the account was paid, by slot and meter."""
        found: dict[tuple[int, int], list[Paid]] = defaultdict(list)
        for event in await self.events("Vault", Paid, account=account):
            found[unpack_reference(event.ref)[1:3]].append(event)
        return found

    async def is_wallet(self, account: str) -> bool:
        """Whether the account is a contract, as of the last block: a node need not keep older state."""
        return bool(await self._node.code(account, self._last))

    async def time_of(self, event: Event) -> int:
        """Chain time of the event's block."""
        block = await self._node.block(event.block_number)
        return block.timestamp if block else 0


class Recalling(Lookup):
    """Lookups whose answers are kept: those of a slot until another slot is asked for, of calls the newest few."""

    def __init__(self, node: Node, book: AddressBook, last: int) -> None:
        super().__init__(node, book, last)
        self._slot = -1
        self._of_slot: dict[object, list[Any]] = {}
        self._kept: dict[object, list[Any]] = {}
        self._calls: dict[bytes, tuple[Call, ...]] = {}
        self._payments: dict[str, Mapping[tuple[int, int], list[Paid]]] = {}

    async def events(self, contract: str, kind: type[Found], **indexed: Any) -> list[Found]:
        """As of a Lookup."""
        kept = self._kept if "slot" not in indexed else self._kept_of(indexed["slot"])
        key = (contract, kind, tuple(sorted(indexed.items())))
        if key not in kept:
            kept[key] = await super().events(contract, kind, **indexed)
        return kept[key]

    async def calls_behind(self, event: Event) -> tuple[Call, ...]:
        """As of a Lookup."""
        found = self._calls.pop(event.transaction_hash, None)
        self._calls[event.transaction_hash] = await super().calls_behind(event) if found is None else found
        if len(self._calls) > _MOST_CALLS:
            del self._calls[next(iter(self._calls))]
        return self._calls[event.transaction_hash]

    async def payments(self, account: str) -> Mapping[tuple[int, int], list[Paid]]:
        """As of a Lookup."""
        if account not in self._payments:
            self._payments[account] = await super().payments(account)
        return self._payments[account]

    def _kept_of(self, slot: int) -> dict[object, list[Any]]:
        if slot != self._slot:
            self._slot, self._of_slot = slot, {}
        return self._of_slot


def _word(value: Any) -> bytes:
    if isinstance(value, int):
        return value.to_bytes(32, "big")
    raw = address_bytes(value) if isinstance(value, str) else value
    return bytes(raw).rjust(32, b"\0")
