"""The books of one market's slot: its orders, its clearing and the money that it holds."""

from __future__ import annotations

from dataclasses import dataclass, field

from gridweave.domain.clearing import Clearing, fill
from gridweave.domain.ladder import Book, Line
from gridweave.domain.orders import Side
from gridweave.domain.settlement import settle_dust
from gridweave.domain.terms import MarketTerms

NO_LINE = Line(None, 0, 0, 0)


@dataclass(frozen=True)
class Position:
    """A meter's part in a slot: its line, what of it was filled, and what has become of it."""

    line: Line
    filled_wh: int
    released: bool
    settled_by_default: bool

    @property
    def bought_wh(self) -> int:
        """Filled energy of a bid, Wh."""
        return self.filled_wh if self.line.side == Side.BID else 0

    @property
    def sold_wh(self) -> int:
        """Filled energy of an ask, Wh."""
        return self.filled_wh if self.line.side == Side.ASK else 0


@dataclass
class SlotBook:
    """One slot of one market. Energies are Wh, money is micro.

    `pot` is what the slot holds of the auction's pot: collateral and price money. `open_wh` is the energy per side of
    orders neither settled nor wholly released. `bought_wh` and `sold_wh` are filled and not yet settled; what remains
    of them at the close is dust. `advanced` is what the utility has put in early for dust that it buys at the close.
    """

    slot: int
    terms: MarketTerms
    book: Book = field(default_factory=Book)
    clearing: Clearing | None = None
    closed: bool = False
    pot: int = 0
    open_wh: dict[Side, int] = field(default_factory=lambda: {Side.BID: 0, Side.ASK: 0})
    bought_wh: int = 0
    sold_wh: int = 0
    advanced: int = 0
    released: set[int] = field(default_factory=set)
    defaulted: set[int] = field(default_factory=set)

    @property
    def live(self) -> bool:
        """Whether any order is neither settled nor wholly released."""
        return any(self.open_wh.values())

    @property
    def price(self) -> int:
        """The net price, micro per kWh; 0 without a trade."""
        if not self.clearing or not self.clearing.traded:
            return 0
        return self.terms.tick_price(self.clearing.price_tick)

    def line(self, meter: int) -> Line:
        """The meter's line, an empty one if it never ordered."""
        return self.book.lines.get(meter, NO_LINE)

    def position(self, meter: int) -> Position:
        """The meter's part in the slot; filled 0 until the slot is cleared."""
        line = self.line(meter)
        filled = fill(self.clearing, line.side, line.tick, line.energy_wh) if self.clearing and line.side else 0
        return Position(line, filled, meter in self.released, meter in self.defaulted)

    def collateral(self, line: Line, energy_wh: int) -> int:
        """What `energy_wh` of the line puts down, micro."""
        if not line.side:
            return 0
        return self.terms.collateral(line.side, self.terms.limit_price(line.side, line.tick), energy_wh)

    def clear(self) -> Clearing:
        """Clears the orders; a slot without any closes at once."""
        self.clearing = self.book.clear()
        self.bought_wh = self.sold_wh = self.clearing.volume_wh
        self.closed = not self.live
        return self.clearing

    def shut(self, position: Position) -> int:
        """Takes a position out for its first settlement; returns what is still put down for it, micro."""
        line = position.line
        if line.side and (not position.released or position.filled_wh):
            self.open_wh[line.side] -= line.energy_wh
        self.bought_wh -= position.bought_wh
        self.sold_wh -= position.sold_wh
        return self.collateral(line, position.filled_wh if position.released else line.energy_wh)

    def pay(self, due: int) -> int:
        """Pays `due` out of the slot's pot as far as it reaches; what the utility must advance is returned, micro."""
        from_pot = min(due, self.pot)
        self.pot -= from_pot
        self.advanced += due - from_pot
        return due - from_pot

    def release(self, meter: int) -> tuple[int, int]:
        """Frees the collateral of what was not filled: what of it the pot pays and what the utility must advance."""
        position = self.position(meter)
        line = position.line
        amount = self.collateral(line, line.energy_wh) - self.collateral(line, position.filled_wh)
        self.released.add(meter)
        if line.side and not position.filled_wh:
            self.open_wh[line.side] -= line.energy_wh
        advance = self.pay(amount)
        return amount - advance, advance

    def close(self) -> tuple[int, int]:
        """Closes the slot: (pot to utility, pot to operator) in micro, the first negative where the utility pays in.

        The utility buys the bids' dust at the price, less what it has advanced, or sells the asks' dust.
        """
        to_utility = settle_dust(self.price, self.bought_wh, self.sold_wh)
        if self.bought_wh:
            to_utility += self.advanced
        residue = self.pot - to_utility
        self.pot = 0
        self.closed = True
        return to_utility, residue
