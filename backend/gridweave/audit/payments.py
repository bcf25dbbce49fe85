"""Which payment somebody means: by meter and slot, by its place on the chain, or by the order behind it."""

from __future__ import annotations

import re

from gridweave.audit.addresses import AddressBook
from gridweave.audit.lookup import Lookup
from gridweave.audit.walk import NothingPaid
from gridweave.chain import events as chain
from gridweave.chain.events import decode_log
from gridweave.chain.hexes import from_hex
from gridweave.chain.node import Node
from gridweave.domain.errors import WordMalformed
from gridweave.domain.orders import Order, unpack_reference

__all__ = ["PaymentUnclear", "find_payment"]

_HASH = "0x[0-9a-fA-F]{64}"


class PaymentUnclear(ValueError):
    """No payment can be meant by this."""


async def find_payment(node: Node, book: AddressBook, named: str) -> tuple[int, int]:
    """(meter, slot) of the payment named by METER:SLOT, TRANSACTION:LOG or an order's id.

    Raises PaymentUnclear, NothingPaid, WrongChain, NodeUnavailable, NodeError.
    """
    await book.require(node)
    if found := re.fullmatch(r"([0-9]{1,10}):([0-9]{1,10})", named, re.ASCII):
        return int(found[1]), int(found[2])
    if found := re.fullmatch(rf"({_HASH}):([0-9]{{1,9}})", named, re.ASCII):
        return await _by_place(node, book, from_hex(found[1]), int(found[2]))
    if re.fullmatch(_HASH, named, re.ASCII):
        return await _by_order(node, book, from_hex(named))
    raise PaymentUnclear(f"{named[:80]!r} is no METER:SLOT, TRANSACTION:LOG or order's id")


async def _by_place(node: Node, book: AddressBook, transaction: bytes, log_index: int) -> tuple[int, int]:
    receipt = await node.receipt(transaction)
    if receipt is None:
        raise NothingPaid(f"the node knows no transaction 0x{transaction.hex()}")
    ours = [entry for entry in receipt.logs if entry.contract in book.names and entry.log_index == log_index]
    event = decode_log(ours[0]) if ours else None
    if isinstance(event, chain.Settled | chain.ReadingRecorded):
        return event.meter, event.slot
    if isinstance(event, chain.Paid):
        try:
            _, slot, meter, _ = unpack_reference(event.ref)
        except WordMalformed as fault:
            raise PaymentUnclear(f"log {log_index} is a payment for no meter and slot") from fault
        return meter, slot
    what = f"is {type(event).__name__}, which pays nobody" if event else "is no event of these contracts"
    raise PaymentUnclear(f"log {log_index} of 0x{transaction.hex()} {what}: name its Paid or Settled")


async def _by_order(node: Node, book: AddressBook, digest: bytes) -> tuple[int, int]:
    placed = await Lookup(node, book, await node.block_number()).events("EnergyAuction", chain.Placed, digest=digest)
    if not placed:
        raise NothingPaid(f"no order 0x{digest.hex()} was placed; of a payment's transaction name the log too: 0x…:LOG")
    order = Order.unpack(placed[0].order)
    return order.meter, order.slot
