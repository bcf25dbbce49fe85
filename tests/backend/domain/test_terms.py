"""Units, slots and terms: grids, windows, collateral and decimal forms."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from gridweave.domain.errors import NumberMalformed, PriceOffGrid, TermsNotAllowed
from gridweave.domain.orders import Side
from gridweave.domain.slots import SlotClock, ring_index, ring_tag
from gridweave.domain.units import (
    floor_div,
    format_amount,
    format_energy_kwh,
    format_price,
    mul_div_down,
    mul_div_up,
    parse_amount_micro,
    parse_energy_wh,
    parse_price_micro,
)
from tests.support.market_terms import make_terms, random_terms

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def clock() -> SlotClock:
    return SlotClock(900)


@pytest.mark.parametrize(
    ("text", "energy"), [("1.5", 1_500), ("0", 0), ("0.001", 1), ("12", 12_000), ("1.2500", 1_250), ("007.0", 7_000)]
)
def test_parse_energy_wh__given_whole_wh__is_exact(text: str, energy: int) -> None:
    assert parse_energy_wh(text) == energy


@pytest.mark.parametrize(
    "text", ["", ".5", "1.", "-1", "+1", "1e3", "1,5", "0.0001", "nan", " 1", "1_0", "٣", "9" * 41]
)
def test_parse_energy_wh__given_anything_else__is_refused(text: str) -> None:
    with pytest.raises(NumberMalformed):
        parse_energy_wh(text)


def test_parse_price_micro__beyond_millionths__is_refused() -> None:
    assert parse_price_micro("0.21") == 210_000
    assert parse_price_micro("0.000001") == 1
    with pytest.raises(NumberMalformed):
        parse_price_micro("0.0000001")


@pytest.mark.parametrize(("micro", "text"), [(-1_500_000, "-1.5"), (0, "0"), (1, "0.000001"), (2_000_000, "2")])
def test_format_amount__of_millionths__is_the_shortest_decimal(micro: int, text: str) -> None:
    assert format_amount(micro) == text


def test_format__then_parse__is_the_same_number() -> None:
    rng = random.Random(6)
    for _ in range(500):
        number = rng.getrandbits(rng.randint(1, 60))
        assert parse_energy_wh(format_energy_kwh(number)) == number
        assert parse_price_micro(format_price(number)) == number
        assert parse_amount_micro(format_amount(number)) == number


def test_divisions__of_negative_numbers__round_as_named() -> None:
    assert (floor_div(-1, 1_000), mul_div_down(-1, 1, 1_000), mul_div_up(-1, 1, 1_000)) == (-1, -1, 0)
    assert (mul_div_down(7, 3, 2), mul_div_up(7, 3, 2), mul_div_up(8, 3, 2)) == (10, 11, 12)


def test_slot_clock__given_any_time__covers_it_once(clock: SlotClock) -> None:
    for time in (0, 899, 900, 1_800_000_123):
        slot = clock.slot_at(time)
        assert clock.start(slot) <= time < clock.end(slot) == clock.start(slot + 1)


def test_slot_clock__without_length__is_refused() -> None:
    with pytest.raises(ValueError, match="at least one second"):
        SlotClock(0)


def test_ring__of_slots_a_turn_apart__shares_the_index_and_not_the_tag() -> None:
    slot = 2_000_123
    assert ring_index(slot) == ring_index(slot + 256) != ring_index(slot + 1)
    assert ring_tag(slot + 256) == ring_tag(slot) + 1
    assert ring_tag(slot + (1 << 24)) == ring_tag(slot)


def test_windows__of_a_slot__stand_in_order(clock: SlotClock) -> None:
    terms, slot = make_terms(), 1_000
    times = [
        terms.gate(slot, clock),
        clock.start(slot),
        clock.end(slot),
        terms.reading_deadline(slot, clock),
        terms.correction_end(slot, clock),
    ]
    assert times == [899_100, 900_000, 900_900, 904_500, 908_100]


def test_validate__given_random_terms_that_obey__accepts(clock: SlotClock) -> None:
    rng = random.Random(9)
    for _ in range(300):
        assert random_terms(rng).validate(clock) is None  # type: ignore[func-returns-value]


@pytest.mark.parametrize(
    "changes",
    [
        {"tick_size": 0},
        {"tick_count": 0},
        {"tick_count": 1_025, "tick_size": 1},
        {"grid_fee": 20_001},
        {"retail_price": 1_099_511_620_000, "default_wh": 1_001},
        {"feed_in_price": 79_999},
        {"retail_price": 340_001},
        {"feed_in_price": 110_000},
        {"retail_price": 290_000},
        {"min_energy_wh": 0},
        {"gate_lead": 0},
        {"gate_lead": 192 * 900},
        {"reading_window": 0},
        {"reading_window": 7_200},
        {"correction_window": 900 * 63},
        {"utility": "0x" + "00" * 20},
        {"operator": "0x" + "00" * 20},
    ],
)
def test_validate__given_one_broken_rule__names_it(clock: SlotClock, changes: dict[str, int | str]) -> None:
    with pytest.raises(TermsNotAllowed) as refusal:
        make_terms(**changes).validate(clock, 7_200 + 900 * 63)
    assert refusal.value.values["rule"]


def test_validate__given_a_vault_that_holds_too_short__names_it(clock: SlotClock) -> None:
    make_terms().validate(clock, 7_200)
    with pytest.raises(TermsNotAllowed, match="Vault holds"):
        make_terms().validate(clock, 7_199)


def test_validate__each_rule__is_the_contracts_in_its_order() -> None:
    source = (ROOT / "contracts" / "libraries" / "Terms.sol").read_text()
    said = re.findall(r'requireRule\([^"]*"([^"]+)"', source)
    assert said == [rule for _, rule in make_terms()._rules(None, None)]


def test_validate__at_the_longest_correction_window__accepts(clock: SlotClock) -> None:
    longest = make_terms(correction_window=900 * 62)
    longest.validate(clock)
    assert longest.ring_needed(clock) == 256


def test_ticks__of_bids_and_asks__lie_a_fee_apart() -> None:
    terms = make_terms()
    assert terms.bid_tick(100_000) == terms.ask_tick(80_000) == 0
    assert terms.bid_tick(320_000) == terms.ask_tick(300_000) == 22
    assert terms.max_price == 300_000
    for side in Side:
        assert [terms.tick(side, terms.limit_price(side, k)) for k in range(23)] == list(range(23))


@pytest.mark.parametrize("limit", [0, 80_000, 90_000, 100_001, 330_000])
def test_bid_tick__off_the_grid__is_refused(limit: int) -> None:
    with pytest.raises(PriceOffGrid):
        make_terms().bid_tick(limit)


@pytest.mark.parametrize("limit", [0, 70_000, 80_001, 310_000])
def test_ask_tick__off_the_grid__is_refused(limit: int) -> None:
    with pytest.raises(PriceOffGrid):
        make_terms().ask_tick(limit)


def test_collateral__of_an_order__is_its_worst_case_rounded_up() -> None:
    terms = make_terms()
    assert terms.collateral(Side.BID, 210_001, 1_501) == 315_212
    assert terms.collateral(Side.ASK, 120_000, 1_500) == 330_000
    assert terms.collateral(Side.ASK, 340_000, 1_500) == 1_000
    assert terms.collateral(Side.BID, 100_000, 1) == 1_000
    assert terms.collateral(Side.BID, 100_000, 0) == 0
