"""The example in docs/market.md is what the domain computes: inputs are read from the page, numbers compared."""

from __future__ import annotations

import re
from dataclasses import asdict
from functools import cache
from pathlib import Path

from gridweave.domain.market import MarketBook
from gridweave.domain.meters import Meter, MeterBinding
from gridweave.domain.orders import Order, Side
from gridweave.domain.outcomes import Cleared, Outcome, Placed, Released, Settled, SlotClosed
from gridweave.domain.readings import Reading
from gridweave.domain.settlement import settle_meter
from gridweave.domain.slots import SlotClock
from gridweave.domain.terms import MarketTerms
from gridweave.domain.vault import Settlement, VaultBook
from tests.support.market_terms import OPERATOR, UTILITY, make_terms

PAGE = Path(__file__).resolve().parents[3] / "docs" / "market.md"
SLOT = 2_000_000
START = SLOT * 900
CASH = 1_000_000
FAR = 1 << 39
TERMS = ("min_price", "tick_size", "tick_count", "grid_fee", "feed_in_price", "retail_price", "default_wh")
Row = dict[str, str]


@cache
def table(heading: str) -> list[Row]:
    """Rows of the table under a heading of the page, by column, emphasis and thousands separators taken off."""
    section = PAGE.read_text().split(f"### {heading}\n")[1].split("\n### ")[0]
    lines = [line.strip()[1:-1].split("|") for line in section.splitlines() if line.startswith("|")]
    cells = [[cell.strip().strip("*").replace(",", "") for cell in line] for line in lines]
    return [dict(zip(cells[0], row, strict=True)) for row in cells[2:]]


def account(meter: int) -> str:
    return f"0x{meter:040x}"


class Recording(VaultBook):
    """A vault that remembers what it was last asked to settle."""

    last: Settlement | None = None

    def settle(self, module: str, settlement: Settlement, now: int) -> None:
        self.last = settlement
        super().settle(module, settlement, now)


class Example:
    """The page's slot, lived step by step."""

    def __init__(self) -> None:
        (terms,) = table("Terms")
        self.terms = make_terms(**{name: int(terms[name]) for name in TERMS})
        self.vault = Recording(7_200)
        self.book = MarketBook(SlotClock(900), self.vault, "auction")
        self.now = START - 4_000
        self.book.create_market(self.terms, self.now)
        for row in table("Orders"):
            meter = Meter(account(int(row["meter"])), 1, 40_000, 40_000, 1, True, False)
            self.book.meters.register(int(row["meter"]), meter, MeterBinding(account(99), 0, 0, 0))
            self.vault.deposit(meter.account, CASH, self.now)
        self.vault.deposit(UTILITY, CASH, self.now)

    def place(self) -> list[Outcome]:
        return self.book.place([order_of(row, self.terms) for row in table("Orders")], self.now)

    def clear(self) -> Cleared:
        self.now = START - 900
        (cleared,) = self.book.clear(1, SLOT, self.now)
        assert isinstance(cleared, Cleared)
        return cleared

    def take(self, row: Row) -> list[Outcome]:
        """One row of the page's settlement."""
        meter = int(row["meter"])
        if row["step"] == "release":
            return self.book.release(1, SLOT, [meter], self.now)
        if row["step"] == "silence":
            self.now = START + 900 + 3_600
            return self.book.settle_by_default(1, SLOT, [meter], self.now)
        self.now = max(self.now, START + 900) + 1
        version = 2 if row["step"] == "correction" else 1
        reading = Reading(meter, SLOT, version, int(row["import"]), int(row["export"]))
        return self.book.settle(1, SLOT, [reading], self.now)

    def balances(self) -> list[str]:
        parties = [*(account(meter) for meter in range(1, 7)), UTILITY, OPERATOR]
        return [
            *(str(self.vault.account(party, self.now).available) for party in parties),
            str(self.vault.pot("auction")),
        ]


def order_of(row: Row, terms: MarketTerms) -> Order:
    side = Side[row["side"].upper()]
    return Order(1, SLOT, int(row["meter"]), 1, FAR, side, int(row["energy"]), int(row["limit"]))


def test_page__terms__are_allowed() -> None:
    example = Example()
    example.terms.validate(SlotClock(900), 7_200)
    assert asdict(example.terms)["tick_count"] == 23


def test_page__orders__lock_and_fill_as_it_says() -> None:
    example = Example()
    assert all(isinstance(outcome, Placed) for outcome in example.place())
    example.clear()
    slot = example.book.slot_book(1, SLOT)
    for row in table("Orders"):
        position = slot.position(int(row["meter"]))
        net = example.terms.tick_price(position.line.tick)
        locked = slot.collateral(position.line, position.line.energy_wh)
        assert [row["net"], row["collateral"], row["filled"]] == [str(net), str(locked), str(position.filled_wh)]


def test_page__clearing__is_as_it_says() -> None:
    example = Example()
    example.place()
    cleared = example.clear()
    (row,) = table("Clearing")
    found = [cleared.low, cleared.high, cleared.price, cleared.volume_wh, cleared.shared_wh, cleared.long_wh]
    assert list(row.values()) == [*map(str, found), cleared.long_side.name.lower() if cleared.long_side else "none"]


def test_page__settlement__pays_as_it_says() -> None:
    example = Example()
    example.place()
    example.clear()
    for row in table("Settlement"):
        outcomes = example.take(row)
        if row["step"] == "release":
            assert outcomes == [Released(int(row["meter"]), SLOT, int(row["P"]))]
            continue
        settled = next(outcome for outcome in outcomes if isinstance(outcome, Settled))
        assert example.vault.last
        (leg,) = example.vault.last.legs
        wanted = [int(row[name]) for name in ("d", "P", "A", "O", "hold", "cash")]
        d = int(row["export"]) - int(row["import"]) - settled.sold_wh + settled.bought_wh
        paid = [leg.from_pot, leg.from_utility, example.vault.last.to_operator, leg.hold]
        assert [d, *paid, settled.cash] == wanted, row
        whole = settle_meter(
            example.terms, 180_000, settled.bought_wh, settled.sold_wh, int(row["import"]), int(row["export"])
        )
        assert whole.account == settled.cash


def test_page__balances__are_what_each_step_leaves() -> None:
    example = Example()
    rows = table("Balances")
    balances = [example.balances()]
    example.place()
    balances.append(example.balances())
    example.clear()
    closed: list[Outcome] = []
    for row in table("Settlement"):
        closed += example.take(row)
        balances.append(example.balances())
    assert [list(row.values())[1:] for row in rows] == balances
    assert sum(map(int, balances[-1])) == 7 * CASH
    assert closed[-1] == SlotClosed(1, SLOT, 1, 0, 0)


def test_page__rules__name_every_reason_of_an_order() -> None:
    page = PAGE.read_text()
    source = (PAGE.parents[1] / "contracts" / "interfaces" / "IEnergyAuction.sol").read_text()
    reasons = re.findall(r"^    error (\w+)\(\);", source.split("// reasons of single items")[1], re.MULTILINE)
    elsewhere = {"AlreadySettled", "NothingToRelease"}
    assert [name for name in reasons if name not in page and name not in elsewhere] == []
