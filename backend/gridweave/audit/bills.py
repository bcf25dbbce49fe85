"""A bill held against the chain: every line walked back and computed again, none missing, none invented."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gridweave.audit.addresses import AddressBook
from gridweave.audit.billed import BilledLines, compare_bill
from gridweave.audit.differences import Difference, Kind, Subject
from gridweave.audit.lookup import Recalling
from gridweave.audit.proofs import Proofs
from gridweave.audit.stream import ChainMoved
from gridweave.audit.walk import Walk, walk_on
from gridweave.chain.abi import abi_of
from gridweave.chain.events import MeterRegistered, Settled
from gridweave.chain.hexes import to_hex
from gridweave.chain.node import Node
from gridweave.chain.types import Call
from gridweave.domain.billing import line_amounts, line_moment, proof_of
from gridweave.domain.slots import SlotClock

__all__ = ["CheckedBill", "check_bill"]

Line = dict[str, Any]


@dataclass(frozen=True)
class CheckedBill:
    """How many lines the chain gives, as of which block, how far the node is beyond it, and what the bill says else."""

    lines: int
    block: int
    behind: int
    differences: tuple[Difference, ...]

    def to_json(self) -> dict[str, Any]:
        """The record for programs: lines, block, behind, differences."""
        told = [difference.to_json() for difference in self.differences]
        return {"lines": self.lines, "block": self.block, "behind": self.behind, "differences": told}


async def check_bill(
    node: Node, book: AddressBook, bill: Mapping[str, Any], progress: Callable[[int, int], None] | None = None
) -> CheckedBill:
    """Computes the bill again as of its own block; `bill` is the service's JSON with every line.

    `final` is the service's word and the statement the audit's matter: neither is compared. `progress` is told lines
    done and lines in all. Raises BillUnreadable, ChainMoved, WrongChain, NodeUnavailable, NodeError.
    """
    await book.require(node)
    said = BilledLines.read(bill)
    newest, block = await node.block_number(), await node.block(said.block)
    if block is None:
        raise ChainMoved(f"the bill is as of block {said.block}, and the node stands at {newest}: ask again later")
    length = abi_of("MeterLedger").functions["slotLength"]
    answer = await node.call(Call(book.addresses["MeterLedger"], length.encode()), block=said.block)
    clock = SlotClock(int(length.decode(answer)[0]))
    run = _Run(Recalling(node, book, said.block), Proofs(book.chain_id, dict(book.addresses)), clock, said)
    lines = await run.lines(block.timestamp, progress or (lambda _done, _all: None))
    differences = run.differences + compare_bill(said, lines, clock, block.timestamp)
    return CheckedBill(len(lines), said.block, newest - said.block, tuple(differences))


class _Run:
    """One bill under way. `differences`: payments that do not hold, whatever the bill says."""

    def __init__(self, lookup: Recalling, proofs: Proofs, clock: SlotClock, said: BilledLines) -> None:
        self._lookup, self._proofs, self._clock, self._said = lookup, proofs, clock, said
        self.differences: list[Difference] = []

    async def lines(self, now: int, progress: Callable[[int, int], None]) -> dict[tuple[int, int], Line]:
        """What the bill must say at chain time `now`, by slot and meter."""
        settled = await self._settled()
        lines: dict[tuple[int, int], Line] = {}
        for slot, meter in sorted(settled):
            lines[slot, meter] = await self._line(settled[slot, meter], now)
            progress(len(lines), len(settled))
        return lines

    async def _settled(self) -> dict[tuple[int, int], list[Settled]]:
        slots = self._said.span(self._clock).slots
        found: dict[tuple[int, int], list[Settled]] = defaultdict(list)
        for registered in await self._lookup.events("DERRegistry", MeterRegistered, account=self._said.account):
            for event in await self._lookup.events("EnergyAuction", Settled, meter=registered.meter):
                if event.slot in slots:
                    found[event.slot, event.meter].append(event)
        return found

    async def _line(self, settled: list[Settled], now: int) -> Line:
        newest = settled[-1]
        slot, meter = newest.slot, newest.meter
        way = await walk_on(self._lookup, self._proofs, meter, slot)
        if not way.holds:
            self._tell_of(way)
        terms, paid = await self._lookup.terms_at(way.market, slot), way.settlement
        traded, metered = (paid.bought_wh, paid.sold_wh), (paid.import_wh, paid.export_wh)
        changes_until = terms.correction_end(slot, self._clock)
        return {
            "meter": meter,
            "market": way.market,
            "slot": slot,
            **line_moment(self._clock.start(slot), self._said.zone),
            **line_amounts(terms, way.price.price, traded, metered, paid.cash),
            "readingVersion": newest.reading_version,
            "settlements": len(settled),
            "correctionMicro": paid.cash - settled[0].cash,
            "transaction": to_hex(newest.transaction_hash),
            "block": newest.block_number,
            "logIndex": newest.log_index,
            "changesUntil": changes_until if now < changes_until else None,
            "proof": proof_of(meter, slot),
        }

    def _tell_of(self, way: Walk) -> None:
        subject, place = Subject(market=way.market, slot=way.slot, meter=way.meter), way.settlement.place
        why = f"`{proof_of(way.meter, way.slot)}` names the step"
        self.differences.append(
            Difference(Kind.SETTLEMENT, subject, "steps that hold", "one that does not", place, why)
        )
