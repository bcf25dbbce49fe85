"""Events as a town of 200 homes leaves them, made without a chain: orders in one block, readings in the next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gridweave.chain import events as chain
from gridweave.chain.events import Event
from gridweave.domain.orders import Order, Side
from gridweave.domain.readings import Reading
from gridweave.store.index import IndexedBlock

__all__ = ["NAMES", "events_of", "indexed"]

_HOMES, _BATCH = 200, 100
_ACCOUNTS = [f"0x{10**40 + home:040x}" for home in range(_HOMES)]
_AUCTION, _VAULT, _LEDGER = (f"0x{digit * 40}" for digit in "abc")

NAMES = {_AUCTION: "EnergyAuction", _VAULT: "Vault", _LEDGER: "MeterLedger"}
"""Contracts by address."""


def indexed(number: int) -> IndexedBlock:
    """A block of that number, 12 s after the one before."""
    return IndexedBlock(number, f"0x{number + 1:064x}", f"0x{number:064x}", 12 * number)


def events_of(block: int) -> list[Event]:
    """Of one block: 200 in an odd one, 300 in an even one."""
    homes = range(_BATCH * (block // 2 % 2), _BATCH * (block // 2 % 2) + _BATCH)
    made = (event for home in homes for event in (_orders if block % 2 else _readings)(block, home))
    place: dict[str, Any] = {"block_number": block, "block_hash": (block + 1).to_bytes(32), "transaction_index": 0}
    transaction = (2**128 + block).to_bytes(32)
    return [
        kind(**place, transaction_hash=transaction, log_index=log, contract=contract, **values)
        for log, (kind, contract, values) in enumerate(made)
    ]


Made = tuple[type[Event], str, dict[str, Any]]


def _orders(block: int, home: int) -> Iterator[Made]:
    slot, meter = _slot(block), home + 1
    order = Order(1, slot, meter, 1, 2**31, Side.BID, 300 + home, 200_000)
    digest = (block << 32 | home).to_bytes(32)
    yield chain.Placed, _AUCTION, {"digest": digest, "meter": meter, "slot": slot, "order": order.pack()}
    moved = {"account": _ACCOUNTS[home], "module": _AUCTION, "ref": order.position()}
    yield chain.Locked, _VAULT, moved | {"amount": 60_000 + home, "available": 10**7 + block}


def _readings(block: int, home: int) -> Iterator[Made]:
    slot, meter = _slot(block), home + 1
    reading = Reading(meter, slot, 1, 300 + home, 0)
    yield chain.ReadingRecorded, _LEDGER, {"meter": meter, "slot": slot, "reading": reading.pack()}
    filled = {"reading_version": 1, "bought_wh": 300 + home, "sold_wh": 0, "cash": -60_000}
    yield chain.Settled, _AUCTION, {"meter": meter, "slot": slot} | filled
    moved = {
        "account": _ACCOUNTS[home],
        "module": _AUCTION,
        "ref": Order(1, slot, meter, 1, 0, Side.BID, 0, 0).position(),
    }
    amounts = {"from_pot": -60_000, "from_utility": 12, "hold": 0, "available": 10**7 - block}
    yield chain.Paid, _VAULT, moved | amounts


def _slot(block: int) -> int:
    return 1_600_000 + block // 4
