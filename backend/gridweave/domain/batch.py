"""One settlement of a slot under way: the legs it writes, and how it ends."""

from __future__ import annotations

from gridweave.domain.ledger import Stored
from gridweave.domain.meters import Meter
from gridweave.domain.orders import position_reference
from gridweave.domain.outcomes import Outcome, Settled, SlotClosed
from gridweave.domain.readings import Reading
from gridweave.domain.settlement import Cash, default_reading, settle_meter
from gridweave.domain.slotbook import Position, SlotBook
from gridweave.domain.vault import Leg, Settlement

_NOTHING = Cash(0, 0, 0, 0, 0, 0, 0, 0)


class SettlementBatch:
    """Legs of one call's meters in one slot, and what the utility passes on to the operator for all of them."""

    def __init__(self, market: int, book: SlotBook) -> None:
        self._market = market
        self._book = book
        self._legs: list[Leg] = []
        self._to_operator = 0

    def settle_reading(self, meter: Meter, reading: Reading, before: Stored) -> Settled:
        """Settles by a reading that replaces `before`: the whole at first, then only the difference."""
        position = self._book.position(reading.meter)
        cash = self._cash(position, reading.import_wh, reading.export_wh)
        first = not before.version and not position.settled_by_default
        earlier = _NOTHING
        if before.version:
            earlier = self._cash(position, before.import_wh, before.export_wh)
        elif position.settled_by_default:
            earlier = self._default_cash(position)
        self._pay(reading.meter, meter, position, cash, earlier, first=first)
        return self._settled(reading.meter, reading.version, position, cash)

    def settle_silent(self, meter_id: int, meter: Meter) -> Settled:
        """Settles a meter, marked as silent, by the default reading."""
        position = self._book.position(meter_id)
        cash = self._default_cash(position)
        self._pay(meter_id, meter, position, cash, _NOTHING, first=True)
        return self._settled(meter_id, 0, position, cash)

    def advance(self, meter_id: int, meter: Meter, amount: int) -> None:
        """Has the utility pay what the slot's pot lacks of a meter's released collateral, micro; 0: nothing."""
        if amount:
            self._add_leg(meter_id, meter, from_pot=0, from_utility=amount, hold=0)

    def conclude(self, hold_until: int) -> tuple[Settlement | None, list[Outcome]]:
        """Closes the slot if all are settled: what the Vault has to pay (None: nothing), and the close if there is one.

        `hold_until` is the end of the slot's correction window, chain time in seconds.
        """
        book = self._book
        closing = not book.closed and not book.live
        if not closing and not self._legs:
            return None, []
        to_utility, residue = book.close() if closing else (0, 0)
        settlement = Settlement(
            utility=book.terms.utility,
            operator=book.terms.operator,
            hold_until=hold_until,
            to_operator=self._to_operator,
            pot_to_utility=to_utility,
            pot_to_operator=residue,
            legs=tuple(self._legs),
        )
        closed = SlotClosed(self._market, book.slot, book.bought_wh, book.sold_wh, residue)
        return settlement, [closed] if closing else []

    def _pay(self, meter_id: int, meter: Meter, position: Position, cash: Cash, before: Cash, *, first: bool) -> None:
        """Writes the next leg: what `cash` says and `before`, an earlier settlement of the same meter, did not.

        Only a first settlement touches the slot's pot. Where that is short, by dust that the utility has yet to buy,
        the utility advances the rest.
        """
        from_pot = advance = 0
        if first and position.line.energy_wh:
            due = self._book.shut(position) + cash.from_pot
            advance = self._book.pay(due)
            from_pot = due - advance
        self._to_operator += cash.to_operator - before.to_operator
        from_utility = cash.from_utility - before.from_utility + advance
        self._add_leg(meter_id, meter, from_pot=from_pot, from_utility=from_utility, hold=cash.hold - before.hold)

    def _add_leg(self, meter_id: int, meter: Meter, *, from_pot: int, from_utility: int, hold: int) -> None:
        ref = position_reference(self._market, self._book.slot, meter_id, self._book.line(meter_id).version)
        self._legs.append(Leg(meter.account, meter.mandate, from_pot, from_utility, hold, ref))

    def _cash(self, position: Position, import_wh: int, export_wh: int) -> Cash:
        book = self._book
        return settle_meter(book.terms, book.price, position.bought_wh, position.sold_wh, import_wh, export_wh)

    def _default_cash(self, position: Position) -> Cash:
        return self._cash(position, *default_reading(self._book.terms, position.bought_wh))

    def _settled(self, meter_id: int, version: int, position: Position, cash: Cash) -> Settled:
        return Settled(meter_id, self._book.slot, version, position.bought_wh, position.sold_wh, cash.account)
