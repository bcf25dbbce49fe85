"""The report of made-up days, the lonely and the hostile among them. A lived one is looked at in tests/e2e/demo."""

from __future__ import annotations

import re
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from gridweave.demo.moments import Moment
from gridweave.demo.outcome import AuditSummary, Fact, GasUse, HomeOutcome, Outcome, SlotOutcome, WalkStep
from gridweave.demo.report import kwh, money, price, render, signed, write
from gridweave.demo.table import outcome_table

SLOT = SlotOutcome(0, 1_628_344, "00:00", 120_000, 110_000, 130_000, 500, 900, 700, 450)
QUIET = SlotOutcome(1, 1_628_345, "00:15", None, None, None, 0, 100, 0, 0)
HOME = HomeOutcome("house-01", 1, "0x" + "ab" * 20, "P-256", True, 1_000, 700, 450, 500, 1_230_000, 1_000_000)
OUTCOME = Outcome(
    day="10 June 2016",
    source="source",
    attribution="they",
    licence="ODbL-1.0",
    chain_id=2_000_000_001,
    feed_in_micro=80_000,
    retail_micro=300_000,
    fee_micro=20_000,
    slots=(SLOT, QUIET),
    homes=(HOME, replace(HOME, name="house-02", bill_micro=-2_000_000, baseline_micro=-1_500_000, has_pv=False)),
    gas={"order placed": GasUse(2, 80_000)},
    lived={"orders placed": 2},
    audit=AuditSummary({"orders": 2}, 0),
    walk=(WalkStep("Payment", "It was paid.", (Fact("transaction", "0x" + "12" * 32, code=True),)),),
    wall_seconds=90,
    strategy="It bids.",
    seed=12,
    phases={"day": 80_000},
)
EMPTY = replace(OUTCOME, slots=(), homes=(), gas={}, lived={}, audit=None, walk=())


@pytest.mark.parametrize(
    ("micro", "places", "shown"),
    [
        (1_234_567, 2, "1.23"),
        (-1_235_000, 2, "−1.24"),
        (-4_000, 2, "0.00"),
        (12_345_678_900_000, 2, "12,345,678.90"),
        (1_500_000, 0, "2"),
        (95_200, 6, "0.095200"),
    ],
)
def test_money__given_micro__is_rounded_half_away_from_zero(micro: int, places: int, shown: str) -> None:
    assert money(micro, places) == shown


def test_price_and_kwh__given_none_or_little__stay_readable() -> None:
    assert (price(None), price(120_000), kwh(1_250), kwh(0)) == ("–", "0.120", "1.3", "0.0")


def test_outcome__given_two_slots__sums_what_flowed_between_neighbours() -> None:
    assert (OUTCOME.demand_wh, OUTCOME.local_wh, OUTCOME.reachable_wh) == (1_000, 450, 700)
    assert (OUTCOME.local_share_permille, OUTCOME.mean_price_micro, OUTCOME.gained_micro) == (450, 120_000, -270_000)


def test_outcome__without_anything__divides_by_nothing() -> None:
    assert (EMPTY.local_share_permille, EMPTY.mean_price_micro, GasUse(0, 0).each) == (0, None, 0)


@pytest.mark.parametrize("outcome", [OUTCOME, EMPTY], ids=["a day", "nothing at all"])
def test_render__given_an_outcome__is_a_whole_page(outcome: Outcome) -> None:
    page = render(outcome)
    assert page.startswith("<!doctype html>")
    assert page.rstrip().endswith("</html>")
    assert "{{" not in page
    assert "None" not in page


def test_render__given_hostile_text__escapes_it_everywhere() -> None:
    hostile = "</script><script>alert(1)</script>"
    page = render(
        replace(
            OUTCOME,
            slots=(replace(SLOT, label=hostile),),
            homes=(replace(HOME, name=hostile),),
            source=hostile,
            walk=(WalkStep(hostile, hostile, (Fact(hostile, hostile),)),),
        )
    )
    assert "<script>alert" not in page
    assert page.count("<script>") == page.count("</script>") == 1


def test_render__when_the_audit_differs__does_not_hide_it() -> None:
    page = render(replace(OUTCOME, audit=AuditSummary({"orders": 2}, 3)))
    assert "3 differences" in page
    assert "no difference" not in page


def test_write__given_a_folder_that_is_not_there__makes_it_and_leaves_nothing_half_done(tmp_path: Path) -> None:
    path = write(OUTCOME, tmp_path / "var" / "demo" / "report.html")
    assert path.read_text(encoding="utf-8") == render(OUTCOME)
    assert list(path.parent.iterdir()) == [path]


def test_outcome_table__given_an_outcome__shows_bills_share_price_gas_audit_and_time() -> None:
    console = Console(width=160, record=True, file=StringIO())
    console.print(outcome_table(OUTCOME))
    shown = console.export_text()
    for part in (
        "house-01 ☀",
        "without market",
        "+1.23",
        "+0.23",
        "−2.00",
        "+ received, − paid",
        "0.9 kWh bought",
        "buyers drew 0.5 kWh",
        "ceiling 0.280, retail less fee",
        "45.0 %",
        "▁·",
        "order placed 40,000",
        "2 orders: no difference",
        "90 s",
    ):
        assert part in shown, part


def test_outcome_table__given_the_audits_fills__calls_them_settled_quantities() -> None:
    console = Console(width=160, record=True, file=StringIO())
    console.print(outcome_table(replace(OUTCOME, audit=AuditSummary({"fills": 1_165}, 0))))
    assert "1,165 settled quantities: no difference" in console.export_text()


def test_render__given_intervals_wider_than_a_point__says_where_they_are_shaded() -> None:
    page = render(OUTCOME)
    assert OUTCOME.wide_slots == 1
    assert "shaded where it is wider than a point, in 1 of 2" in page
    assert re.search(r'class="band" d="M', page)


def test_render__given_points_only__speaks_of_the_only_price() -> None:
    page = render(replace(OUTCOME, slots=(replace(SLOT, low_micro=120_000, high_micro=120_000), QUIET)))
    assert "the only price that balances" in page
    assert "shaded" not in page


def test_render__given_a_fee__draws_the_ceiling() -> None:
    assert "retail less fee 0.280, the ceiling" in render(OUTCOME)


@pytest.mark.parametrize(
    ("micro", "shown"), [(1_230_000, "+1.23"), (-1_230_000, "−1.23"), (0, "0.00"), (4_000, "0.00")]
)
def test_signed__given_micro__has_a_sign_unless_it_shows_as_zero(micro: int, shown: str) -> None:
    assert signed(micro) == shown


HOOD = replace(
    OUTCOME,
    place="neighbourhood",
    homes=tuple(replace(home, group=group) for home, group in zip(OUTCOME.homes, ("roof", "plain"), strict=True)),
    moments=(Moment(1, "reorg", "It was thrown out."),),
    strategies=("Buy low, sell high.",),
    stored_wh=(500, 1_500),
    storage_wh=2_000,
)


def test_render__of_a_neighbourhood__shows_groups_spread_batteries_and_moments() -> None:
    page = render(HOOD, ("../report.html", "The street"))
    assert page.count("<circle") == 2
    assert "most: house-01 (roof) +0.23" in page
    assert "least: house-02 (plain) −0.50" in page
    assert '<time>00:15</time><i class="kind reorg"></i><span>It was thrown out.</span>' in page
    assert "Buy low, sell high." in page
    assert "of 2.0 kWh" in page
    assert '<a href="../report.html">The street</a>' in page
    assert "None" not in page


def test_render__of_a_street__has_neither_groups_nor_batteries() -> None:
    page = render(OUTCOME)
    assert "<circle" not in page
    assert "What the batteries held" not in page
    assert "What happened" not in page


def test_render__given_hostile_moments_groups_and_strategies__escapes_them() -> None:
    hostile = "</script><script>alert(1)</script>"
    spoilt = replace(
        HOOD,
        place=hostile,
        homes=(replace(HOME, group=hostile, name=hostile),),
        moments=(Moment(0, hostile, hostile),),
        strategies=(hostile,),
    )
    assert "<script>alert" not in render(spoilt, (hostile, hostile))


def test_outcome_table__of_a_neighbourhood__sums_groups_and_tells_moments() -> None:
    console = Console(width=160, record=True, file=StringIO())
    console.print(outcome_table(HOOD))
    shown = console.export_text()
    for part in ("homes with", "roof", "plain", "00:15", "It was thrown out.", "64.2 % of 0.7 kWh given"):
        assert part in shown, part
