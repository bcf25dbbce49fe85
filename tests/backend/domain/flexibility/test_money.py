"""What an event pays and charges: the worked example of docs/flexibility.md, and what re-settling moves."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from gridweave.domain.addresses import ZERO_ADDRESS
from gridweave.domain.flexibility.baselines import Measured
from gridweave.domain.flexibility.money import Commitment, Due, Moves, due, moves, net_of
from gridweave.domain.flexibility.response_errors import ResponseTermsNotAllowed
from gridweave.domain.flexibility.terms import ProgrammeTerms

BASELINE_WH = 50_000
RETAIL = 4_000_000


def _terms(**changes: Any) -> ProgrammeTerms:
    zeros: dict[str, Any] = {field.name: 0 for field in fields(ProgrammeTerms)}
    flags = {"up": False, "firm": True, "kept_by_operator": False, "adjusted": False, "payer": ZERO_ADDRESS}
    prices = {"min_price": 3_500_000, "tick_size": 500_000, "tick_count": 2, "shortfall_rate": 1_500_000}
    shares = {"floor_bps": 10_000, "late_bps": 5_000, "draw_bps": 10_000}
    return ProgrammeTerms(**{**zeros, **flags, **prices, **shares, **changes})


def _delivered(*delivered_wh: int, missing: frozenset[int] = frozenset()) -> Measured:
    actual = tuple(BASELINE_WH - each for each in delivered_wh)
    return Measured(True, (BASELINE_WH,) * len(delivered_wh), actual, missing, 10_000)


def test_due__two_spans_of_the_example__is_237_50_and_198_75() -> None:
    first = due(_terms(), Commitment(37_500, 3_500_000), _delivered(35_000, 35_000))
    second = due(_terms(), Commitment(30_000, 4_000_000), _delivered(26_250, 26_250))
    assert (first.pay - first.penalty, second.pay - second.penalty) == (237_500_000, 198_750_000)


def test_due__opted_out_late__costs_less_than_silence() -> None:
    silent = due(_terms(), Commitment(1_000, 1), _delivered(0, missing=frozenset({0})))
    late = due(_terms(), Commitment(1_000, 1, late_from=1), _delivered(0))
    assert (silent.penalty, late.penalty) == (1_500_000, 750_000)


def test_due__missing_where_the_operator_keeps_the_meter__is_nothing() -> None:
    kept = _terms(kept_by_operator=True)
    assert due(kept, Commitment(1_000, 1), _delivered(0, missing=frozenset({0}))) == Due()


def test_due__without_a_baseline__is_nothing() -> None:
    assert due(_terms(), Commitment(1_000, 1), replace(_delivered(0), has_baseline=False)) == Due()


def test_due__market_credits_the_same_energy__pays_the_rest() -> None:
    """Of 1,000 Wh that it exports 400 were sold: the rest is a deviation."""
    exporting = Measured(True, (0,), (-1_000,), frozenset(), 10_000)
    promised = Commitment(1_000, 120_000, feed_in=80_000, bought_wh=(-400,))
    assert due(_terms(firm=False), promised, exporting).pay == 120_000 - 600 * 80


def test_net_of__penalty_above_the_bond__is_capped() -> None:
    assert net_of(Due(0, 900), 0, 500) == -500
    assert net_of(Due(0, 900), -200, 300) == -500


@pytest.mark.parametrize(
    ("before", "net", "expected"),
    [
        (0, 100, Moves(100, 0, 0)),
        (0, -100, Moves(0, 100, 0)),
        (100, 40, Moves(0, 0, -60)),
        (-100, 40, Moves(40, 0, 100)),
        (100, -40, Moves(0, 40, -100)),
        (0, 900, Moves(500, 0, 400)),
    ],
)
def test_moves__from_one_net_to_the_next__are_of_its_difference(before: int, net: int, expected: Moves) -> None:
    found = moves(before, net, 500)
    assert found == expected
    assert found.from_budget - found.from_bond + found.from_payer == net - before


def test_validate__price_times_events_above_ten_retail__is_refused() -> None:
    sound = _terms(
        calendar=1,
        max_events=10,
        max_event_slots=4,
        until_slot=9,
        notice_lead=7_200,
        opt_out_lead=1_800,
        reading_window=3_600,
        final_after=57_600,
    )
    sound.validate(900, 57_600, RETAIL)
    with pytest.raises(ResponseTermsNotAllowed):
        replace(sound, max_events=11).validate(900, 57_600, RETAIL)
    replace(sound, max_events=11, draw_bps=9_000).validate(900, 57_600, RETAIL)
