"""A slot of a street's market in the domain: meters, orders and readings with ordinary values, changed as asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gridweave.domain import errors
from gridweave.domain.market import MarketBook
from gridweave.domain.meters import Meter, MeterBinding
from gridweave.domain.orders import Order, Side
from gridweave.domain.outcomes import (
    Outcome,
)
from gridweave.domain.readings import Reading
from gridweave.domain.slots import SlotClock
from gridweave.domain.terms import MarketTerms
from gridweave.domain.vault import VaultBook
from tests.support.market_terms import UTILITY, make_terms

LENGTH = 900
HOLD = 7_200
SLOT = 2_000_100
NOW = SLOT * LENGTH - 5_000
GATE = SLOT * LENGTH - 900
END = (SLOT + 1) * LENGTH
DEFAULT_AT = END + 3_600
CLOSED_AT = END + 7_200
FAR = 1 << 39
PLENTY = 10**12


def home(index: int) -> str:
    return f"0x{index:040x}"


def make_market(
    homes: int = 4, terms: MarketTerms | None = None, cash: int = PLENTY, utility: int = PLENTY, mandate: bool = True
) -> MarketBook:
    """A market with meters 1..homes, one per account, and money for all."""
    book = MarketBook(SlotClock(LENGTH), VaultBook(HOLD), "auction")
    market = book.create_market(terms or make_terms(), NOW)
    for index in range(1, homes + 1):
        meter = Meter(home(index), market, 40_000, 40_000, 1, mandate, False)
        book.meters.register(index, meter, MeterBinding(home(90 + index), 0, 0, 0))
        if cash:
            book.vault.deposit(home(index), cash, NOW)
    if utility:
        book.vault.deposit(UTILITY, utility, NOW)
    return book


def bid(meter: int, energy: int, limit: int = 230_000, version: int = 1, **changes: Any) -> Order:
    return make_order(Side.BID, meter, energy, limit, version, changes)


def ask(meter: int, energy: int, limit: int = 150_000, version: int = 1, **changes: Any) -> Order:
    return make_order(Side.ASK, meter, energy, limit, version, changes)


def make_order(side: Side, meter: int, energy: int, limit: int, version: int, changes: dict[str, int]) -> Order:
    values = {"market": 1, "slot": SLOT, "meter": meter, "version": version, "deadline": FAR}
    return Order(side=side, energy_wh=energy, limit_price=limit, **(values | changes))


def reading(meter: int, imported: int, exported: int, version: int = 1, slot: int = SLOT) -> Reading:
    return Reading(meter, slot, version, imported, exported)


def reasons(outcomes: Sequence[Outcome]) -> list[type[errors.DomainError] | None]:
    return [getattr(outcome, "reason", None) for outcome in outcomes]


def assert_whole(book: MarketBook) -> None:
    vault = book.vault
    assert sum(a.available for a in vault.accounts.values()) + vault.pot("auction") == vault.total_tracked
    assert vault.pot("auction") == sum(slot.pot for slot in book._slots.values())


def state(book: MarketBook, now: int) -> dict[str, Any]:
    vault = book.vault
    accounts = {party: vault.account(party, now) for party in vault.accounts}
    return {"accounts": accounts, "pots": dict(vault.pots), "debts": {p: dict(vault.debts(p)) for p in accounts}}
