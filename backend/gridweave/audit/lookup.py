"""Single events and transactions of a deployment, found by their indexed parameters instead of by a replay."""

from __future__ import annotations

from typing import Any, TypeVar

from gridweave.audit.addresses import AddressBook
from gridweave.audit.calls import Bundle, Call, ProvingRefusal
from gridweave.audit.inputs import UnreadableCall, read_call
from gridweave.chain.abi import abi_of
from gridweave.chain.events import Event, decode_logs
from gridweave.chain.node import Node
from gridweave.domain.addresses import address_bytes

__all__ = ["Lookup"]

Found = TypeVar("Found", bound=Event)


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

    async def time_of(self, event: Event) -> int:
        """Chain time of the event's block."""
        block = await self._node.block(event.block_number)
        return block.timestamp if block else 0


def _word(value: Any) -> bytes:
    if isinstance(value, int):
        return value.to_bytes(32, "big")
    raw = address_bytes(value) if isinstance(value, str) else value
    return bytes(raw).rjust(32, b"\0")
