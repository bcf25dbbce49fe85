"""How the contracts log what the market's rules decide."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gridweave.audit.matching import Expected
from gridweave.chain import events as chain
from gridweave.domain import outcomes as made
from gridweave.domain.orders import Cancel, Order
from gridweave.domain.outcomes import Outcome

__all__ = ["Wording"]


class Wording:
    """Turns outcomes into the events due. `digest` gives what was signed of an order or cancel."""

    def __init__(self, auction: str, ledger: str, digest: Callable[[Order | Cancel], bytes]) -> None:
        self._auction, self._ledger = auction, ledger
        self._digest = digest

    def event(self, outcome: Outcome) -> Expected:
        """The event that says this outcome."""
        match outcome:
            case made.Placed(order):
                return self._item(chain.Placed, order, order=order.pack())
            case made.Cancelled(cancel):
                return self._item(chain.Cancelled, cancel, cancel=cancel.pack())
            case made.OrderRefused(item, reason):
                return self._item(chain.OrderRefused, item, reason=reason.selector())
            case made.ReadingRecorded(reading):
                values = {"meter": reading.meter, "slot": reading.slot, "reading": reading.pack()}
                return Expected(chain.ReadingRecorded, self._ledger, values)
            case made.ReadingRefused(reading, reason):
                values = {
                    "meter": reading.meter,
                    "slot": reading.slot,
                    "version": reading.version,
                    "reason": reason.selector(),
                }
                return Expected(chain.ReadingRefused, self._ledger, values)
            case made.SettlementRefused(meter, slot, reason):
                values = {"meter": meter, "slot": slot, "reason": reason.selector()}
                return Expected(chain.SettlementRefused, self._auction, values)
            case made.Cleared():
                said = vars(outcome)
                return Expected(chain.Cleared, self._auction, {**said, "long_side": int(outcome.long_side or 0)})
            case _:
                return Expected(_SAME[type(outcome)], self._auction, vars(outcome))

    def _item(self, kind: type[chain.Event], item: Order | Cancel, **values: Any) -> Expected:
        named = {"digest": self._digest(item), "meter": item.meter, "slot": item.slot}
        return Expected(kind, self._auction, {**named, **values})


_SAME: Mapping[type, type[chain.Event]] = {
    made.Settled: chain.Settled,
    made.Released: chain.Released,
    made.SlotClosed: chain.SlotClosed,
}
