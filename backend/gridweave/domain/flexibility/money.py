"""What is due for an event: pay for what was delivered, penalties for what was promised and not.

Money is micro, energy Wh per slot, prices micro per kWh. Every division rounds down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gridweave.domain.flexibility.baselines import WHOLE_BPS, Measured
from gridweave.domain.flexibility.terms import ProgrammeTerms
from gridweave.domain.units import WH_PER_KWH

__all__ = ["Commitment", "Due", "Moves", "due", "moves", "net_of"]


@dataclass(frozen=True)
class Commitment:
    """An asset's part in an event: its setpoint as energy per slot, its ask, and whether it left.

    `late_from` is 1 + the first slot that counts as not delivered, 0 for none. `bought_wh` is what its meter bought on
    the market less what it sold, per slot, which matters with a `feed_in` price alone.
    """

    committed_wh: int
    price: int
    late_from: int = 0
    feed_in: int = 0
    bought_wh: tuple[int, ...] = ()


@dataclass(frozen=True)
class Due:
    """Pay and penalty, whatever the bond."""

    pay: int = 0
    penalty: int = 0


@dataclass(frozen=True)
class Moves:
    """What a settlement moves: out of budget and bond, and from the payer to the account (negative: back)."""

    from_budget: int
    from_bond: int
    from_payer: int


def due(terms: ProgrammeTerms, commitment: Commitment, measured: Measured) -> Due:
    """The sum over all slots. Without a baseline nothing is paid and nothing charged."""
    if not measured.has_baseline:
        return Due()
    parts = [_slot(terms, commitment, measured, slot) for slot in range(len(measured.actual_wh))]
    return Due(sum(part.pay for part in parts), sum(part.penalty for part in parts))


def _slot(terms: ProgrammeTerms, commitment: Commitment, measured: Measured, slot: int) -> Due:
    committed = commitment.committed_wh
    if 0 < commitment.late_from <= slot + 1:
        return Due(0, terms.late_cost(committed) if terms.firm else 0)
    if slot in measured.missing:
        charged = terms.firm and not terms.kept_by_operator
        return Due(0, terms.silence_cost(committed) if charged else 0)
    change = measured.baseline_wh[slot] - measured.actual_wh[slot]
    delivered = max(0, -change if terms.up else change)
    eligible = min(delivered, committed)
    credit = commitment.feed_in * min(eligible, _credited(commitment, measured.actual_wh, slot))
    pay = max(0, eligible * commitment.price - credit) // WH_PER_KWH
    if not terms.firm:
        return Due(pay)
    short = committed * terms.floor_bps // WHOLE_BPS - delivered
    return Due(pay, max(0, short) * terms.shortfall_rate // WH_PER_KWH)


def _credited(commitment: Commitment, actual_wh: Sequence[int], slot: int) -> int:
    """What the market pays as a deviation: export - import - (sold - bought), if it is positive."""
    return max(0, commitment.bought_wh[slot] - actual_wh[slot]) if commitment.feed_in else 0


def net_of(owed: Due, before: int, bond: int) -> int:
    """What the account has of it in all. A penalty is capped by the bond, and by what it paid for this event already.

    `before` is the net of the settlement so far, 0 if there was none.
    """
    return max(owed.pay - owed.penalty, min(0, before) - bond)


def moves(before: int, net: int, left: int) -> Moves:
    """From one net to the next: pay out of what is left of the budget, penalties out of the bond.

    What goes back does so between account and payer.
    """
    change = max(0, net) - max(0, before)
    from_bond = max(0, -net) - max(0, -before)
    from_budget = min(max(0, change), left)
    return Moves(from_budget, max(0, from_bond), change - from_budget - min(0, from_bond))
