"""What orders had locked after any block, found without the whole history: the same as with it."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gridweave.domain.orders import position_reference
from gridweave.domain.slots import HORIZON, ring_index
from gridweave.store.database import Kind
from gridweave.store.index import IndexedBlock, IndexStore
from gridweave.store.statements import StatementReads
from tests.support import stores
from tests.support.seed import seeded

ACCOUNT, OTHER, AUCTION, BOND = (f"0x{'0' * 39}{digit}" for digit in "1234")
METERS = {1: ACCOUNT, 2: ACCOUNT, 3: OTHER}
SLOTS = 1_500


@dataclass
class Market:
    """A block a slot: orders for slots ahead, settlements of slots behind, some late and some never."""

    rng: random.Random
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    held: Counter[tuple[int, int]] = field(default_factory=Counter)
    live: dict[tuple[int, int], int] = field(default_factory=dict)
    log: int = 0

    def add(self, table: str, block: int, **row: Any) -> None:
        self.log += 1
        place = {"block_number": block, "log_index": self.log, "tx_hash": "0x"}
        self.rows.setdefault(table, []).append(place | row)

    def move(self, block: int, account: str, kind: str, amount: int, ref: bytes, other: str = AUCTION) -> None:
        nothing = dict.fromkeys(("from_pot", "from_utility", "hold"))
        moved = {"kind": kind, "counterparty": other, "ref": f"0x{ref.hex()}", "amount": amount, "available": 0}
        self.add("moves", block, account=account, **moved, **nothing)

    def order(self, block: int, meter: int) -> None:
        """A first order or another version, in a place of the ring where no earlier slot's lives."""
        slot = block + self.rng.randrange(1, HORIZON)
        if self.live.setdefault((meter, ring_index(slot)), slot) != slot:
            return
        version, amount = self.rng.randrange(1, 100), self.rng.randrange(-self.held[meter, slot], 1_000)
        self.held[meter, slot] += amount
        common = {"digest": "0x", "market": 1, "slot": slot, "meter": meter, "version": version, "deadline": 0}
        self.add("placements", block, **common, side=0, energy_wh=1, limit_price=1)
        kind = "locked" if amount >= 0 else "released"
        self.move(block, METERS[meter], kind, -amount, position_reference(1, slot, meter, version))

    def settle(self, block: int, meter: int, slot: int) -> None:
        amount = self.held.pop((meter, slot), 0)
        if self.live.get((meter, ring_index(slot))) == slot:
            del self.live[meter, ring_index(slot)]
        settled = {"reading_version": 1, "bought_wh": 0, "sold_wh": 0, "cash": 0}
        self.add("settlements", block, meter=meter, slot=slot, **settled)
        self.move(block, METERS[meter], "settled", amount, position_reference(1, slot, meter, 1))

    def standing(self) -> int:
        return sum(amount for (meter, _), amount in self.held.items() if METERS[meter] == ACCOUNT)


async def test_locked__after_any_block_of_a_random_history__is_what_every_move_comes_to(tmp_path: Path) -> None:
    market, wanted = Market(seeded("locked")), dict[int, int]()
    terms = {"device": OTHER, "market": 1, "import_capacity_w": 1, "export_capacity_w": 1, "scale_wh": 1}
    for meter, account in METERS.items():
        market.add("meters", 1, meter=meter, account=account, has_mandate=True, **terms)
    late: list[tuple[int, int]] = []
    for block in range(2, SLOTS):
        for meter in METERS:
            for _ in range(market.rng.choice((0, 1, 2, 4))):
                market.order(block, meter)
            place = meter, block - 1
            if market.rng.random() < 0.95:
                market.settle(block, *place)
            else:
                late.append(place)
        if late and market.rng.random() < 0.08:
            market.settle(block, *late.pop(market.rng.randrange(len(late))))
        if block % 100 == 0:
            market.move(block, ACCOUNT, "locked", -5, b"\0" * 32, BOND)
        wanted[block] = market.standing()
    assert len([slot for _, slot in market.held if slot < SLOTS - 2 * HORIZON]) > 2, "some are open for long"
    database = stores.database(Kind.INDEX, tmp_path)
    await database.migrate()
    blocks = [IndexedBlock(number, f"0x{number:x}", f"0x{number - 1:x}", number) for number in range(1, SLOTS)]
    await IndexStore(database).apply(blocks, market.rows)
    reads = StatementReads(database)
    for block in market.rng.sample(sorted(wanted), 150):
        assert await reads.locked(ACCOUNT, BOND, block, block + HORIZON) == wanted[block], block
    assert await reads.locked(BOND, BOND, SLOTS, SLOTS + HORIZON) == 0
    await database.close()
