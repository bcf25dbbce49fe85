"""The audit: one chain, read from the deployment on, every rule applied again, everything compared."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from gridweave.audit.addresses import AddressBook
from gridweave.audit.books import (
    claims_of_bonds,
    claims_of_identities,
    claims_of_money,
    claims_of_readings,
    claims_of_roles,
    claims_of_trade,
)
from gridweave.audit.device_books import claims_of_devices, words_of_devices
from gridweave.audit.doubts import Doubter
from gridweave.audit.findings import Findings
from gridweave.audit.firmware_books import claims_of_firmware, words_of_firmware
from gridweave.audit.replay import Replay
from gridweave.audit.report import AuditReport, Checked, Doubts
from gridweave.audit.storage import Storage
from gridweave.audit.stream import ChainMoved, Reach, steps
from gridweave.audit.stream_books import claims_of_streams, words_of_streams
from gridweave.chain.abi import abi_of
from gridweave.chain.node import Node
from gridweave.chain.types import Call
from gridweave.domain.slots import HORIZON, RING, SlotClock

__all__ = ["Progress", "audit"]

Progress = Callable[[int, int], None]
"""Told (blocks done, blocks in all)."""

_SPAN = 500


async def audit(
    node: Node,
    book: AddressBook,
    *,
    since: int | None = None,
    last: int | None = None,
    every_block: bool = True,
    progress: Progress | None = None,
    span: int = _SPAN,
) -> AuditReport:
    """Recomputes blocks up to `last` (None: the newest) and reports what differs.

    The replay always begins with the deployment, since balances do; differences in blocks before `since` are left out
    and signatures there are not checked again. `every_block` reads all blocks and so finds transactions whose events
    the node hides; without it only blocks with events are read. `span` is how many blocks are asked for at once.

    Raises WrongChain, ChainMoved (run again), NodeUnavailable, NodeError, BlockNotAvailable (the node keeps no state of
    `last`: name a newer block, or a node that keeps history).
    """
    began = time.perf_counter()
    await book.require(node)
    newest = await node.block_number()
    last = newest if last is None else min(last, newest)
    first = min(book.first_block, last)
    findings = Findings(since or 0)
    run = await _Run.begin(node, book, findings, last)
    reach = Reach(tuple(book.addresses.values()), first, last, span, every_block)
    await run.replay_all(reach, progress or (lambda _done, _all: None))
    await run.compare_storage()
    doubts = await run.find_doubts(reach)
    spent = int((time.perf_counter() - began) * 1000)
    return AuditReport(book.chain_id, since or first, last, findings.counts, findings.differences, spent, doubts)


class _Run:
    """One audit under way."""

    def __init__(self, node: Node, book: AddressBook, findings: Findings, last: int, replay: Replay) -> None:
        self._node, self._book, self._findings, self._last = node, book, findings, last
        self._replay = replay
        self._storage = Storage(node, dict(book.addresses), last, findings)
        self._forgotten_before = 0

    @classmethod
    async def begin(cls, node: Node, book: AddressBook, findings: Findings, last: int) -> _Run:
        clock = SlotClock(await _number(node, book, "MeterLedger", "slotLength", last))
        hold_length = await _number(node, book, "Vault", "holdLength", last)
        compensation = await _number(node, book, "RelayerBond", "compensation", last)
        return cls(node, book, findings, last, Replay(book, clock, hold_length, compensation, findings))

    async def replay_all(self, reach: Reach, progress: Progress) -> None:
        """Every transaction in chain order."""
        total = reach.last - reach.first + 1
        seen_block = -1
        async for step in steps(
            self._node, reach, self._findings, lambda done: progress(done - reach.first + 1, total)
        ):
            if step.block.number != seen_block:
                seen_block = step.block.number
                self._findings.count(Checked.BLOCKS, bool(step.events))
                await self._forget(step.time)
            await self._replay.learn_wallets(self._node, step, self._last)
            self._replay.apply(step)

    async def _forget(self, now: int) -> None:
        """Readings of slots whose place in the ring was taken over leave memory, compared with storage."""
        oldest = self._replay.clock.slot_at(now) - RING
        if oldest - self._forgotten_before < HORIZON:
            return
        self._forgotten_before = oldest
        alive = {place.slot for place in self._replay.trade.book.places.values()}
        self._storage.add(*claims_of_readings(self._replay.trade.readings.take_out(oldest, alive)))
        await self._storage.settle()

    async def compare_storage(self) -> None:
        """Everything that is still in memory, with the state of the last block."""
        block = await self._node.block(self._last)
        if block is None:
            raise ChainMoved(f"block {self._last} is gone")
        replay, now = self._replay, block.timestamp
        replay.require_authority()
        addresses: Mapping[str, str] = self._book.addresses
        self._storage.add(*claims_of_money(replay.money, addresses, now))
        self._storage.add(*claims_of_trade(replay.trade, replay.markets))
        self._storage.add(*claims_of_bonds(replay.bonds))
        everything = replay.trade.readings.take_out(2**32, frozenset())
        self._storage.add(*claims_of_readings(everything))
        self._storage.add(*claims_of_identities(replay.identities))
        self._storage.add(*claims_of_devices(replay.devices))
        self._storage.add_words(*words_of_devices(replay.devices))
        self._storage.add(*claims_of_streams(replay.streams))
        self._storage.add_words(*words_of_streams(replay.streams))
        self._storage.add(*claims_of_firmware(replay.firmwares))
        self._storage.add_words(*words_of_firmware(replay.firmwares))
        self._storage.add(*claims_of_roles(replay.roles, addresses, now))
        await self._storage.settle_all()

    async def find_doubts(self, reach: Reach) -> Doubts:
        """What of the audited blocks rests on a key in doubt."""
        replay, counts = self._replay, self._findings.counts_at
        blocks = reach.first, reach.last
        found = await Doubter(self._node, self._book, replay.identities, replay.streams, *blocks).find()
        found.readings = [reading for reading in found.readings if counts(reading.place)]
        found.states = [state for state in found.states if counts(state.place)]
        found.batches = [batch for batch in found.batches if counts(batch.place)]
        found.receipts = [receipt for receipt in found.receipts if counts(receipt.place)]
        self._findings.count(Checked.DOUBTED, len(found.readings))
        self._findings.count(Checked.DOUBTED_STATES, len(found.states))
        self._findings.count(Checked.DOUBTED_BATCHES, len(found.batches))
        self._findings.count(Checked.DOUBTED_RECEIPTS, len(found.receipts))
        return found


async def _number(node: Node, book: AddressBook, contract: str, getter: str, block: int) -> int:
    """An immutable number of a contract."""
    function = abi_of(contract).functions[getter]
    answer = await node.call(Call(book.addresses[contract], function.encode()), block=block)
    return int(function.decode(answer)[0])
