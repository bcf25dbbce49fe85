from __future__ import annotations

from gridweave.audit.memory import BoundedLedger
from gridweave.domain.ledger import Stored
from gridweave.domain.readings import Reading
from gridweave.domain.slots import SlotClock


def test_take_out__given_old_slots__removes_all_but_those_kept() -> None:
    ledger = BoundedLedger(SlotClock(900))
    for slot in (10, 11, 12, 50):
        ledger.store(Reading(3, slot, 1, slot, 0))
    assert ledger.take_out(50, {11}) == {(3, 10): Stored(1, 10, 0), (3, 12): Stored(1, 12, 0)}
    assert ledger.reading(3, 10) == Stored()
    assert ledger.reading(3, 11) == Stored(1, 11, 0)
    assert ledger.reading(3, 50) == Stored(1, 50, 0)
