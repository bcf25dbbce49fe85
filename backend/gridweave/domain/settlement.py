"""What one meter's slot comes to in money.

m = export - import and d = m - (sold - bought), in Wh. In units of price x Wh, a thousandth of a micro: T = price x
(sold - bought), F = fee x bought, V = feedIn x d if d >= 0 else retail x d. Divisions by 1,000 floor toward minus
infinity.
"""

from __future__ import annotations

from dataclasses import dataclass

from gridweave.domain.terms import MarketTerms
from gridweave.domain.units import WH_PER_KWH, floor_div, mul_div_down, mul_div_up


@dataclass(frozen=True)
class Cash:
    """What a settlement moves, micro, each as a gain: the four sum to zero and `operator` is never negative.

    `hold` is the part of the account's gain that its correction window keeps from withdrawal. `trade`, `fee` and
    `deviation` are T, F and V, in thousandths of a micro.
    """

    account: int
    pot: int
    utility: int
    operator: int
    hold: int
    trade: int
    fee: int
    deviation: int

    @property
    def from_pot(self) -> int:
        """floor(T / 1000): what the slot's pot pays, besides the collateral (negative: keeps of it)."""
        return -self.pot

    @property
    def from_utility(self) -> int:
        """A: what passes between the utility and the account."""
        return self.account + self.pot

    @property
    def to_operator(self) -> int:
        """O: what the utility passes on to the operator."""
        return self.operator


def settle_meter(terms: MarketTerms, price: int, bought: int, sold: int, import_wh: int, export_wh: int) -> Cash:
    """The cash of a meter that bought and sold so much (Wh) at a net price (micro per kWh) and read so much (Wh)."""
    deviation_wh = export_wh - import_wh - (sold - bought)
    trade = price * (sold - bought)
    fee = terms.grid_fee * bought
    deviation = (terms.feed_in_price if deviation_wh >= 0 else terms.retail_price) * deviation_wh
    account = floor_div(trade - fee + deviation, WH_PER_KWH)
    pot = -floor_div(trade, WH_PER_KWH)
    utility = floor_div(-deviation, WH_PER_KWH)
    hold = max(floor_div(deviation, WH_PER_KWH), 0)
    return Cash(account, pot, utility, -(account + pot + utility), hold, trade, fee, deviation)


def settle_dust(price: int, bid_dust: int, ask_dust: int) -> int:
    """The utility's gain, micro, when it trades a closing slot's dust (Wh): it buys the bids' or sells the asks'.

    What it pays is rounded up, what it gets is rounded down.
    """
    return mul_div_down(price, ask_dust, WH_PER_KWH) - mul_div_up(price, bid_dust, WH_PER_KWH)


def default_reading(terms: MarketTerms, bought: int) -> tuple[int, int]:
    """(import, export) in Wh that stand in for a missing reading: at least what the market's terms say, and no export.

    Silence never pays, not even who has sold a little.
    """
    return max(bought, terms.default_wh), 0
