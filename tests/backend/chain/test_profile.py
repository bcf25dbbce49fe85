"""Networks differ in fees and finality."""

from __future__ import annotations

import pytest

from gridweave.chain import FeeRule, Fees, NetworkProfile


@pytest.mark.parametrize(
    ("rule", "base_fee", "expected"),
    [
        (FeeRule.AUTO, None, Fees(9, None)),
        (FeeRule.AUTO, 100, Fees(205, 5)),
        (FeeRule.AUTO, 0, Fees(5, 5)),
        (FeeRule.EIP1559, None, Fees(5, 5)),
        (FeeRule.LEGACY, None, Fees(9, None)),
        (FeeRule.LEGACY, 100, Fees(100, None)),
    ],
)
def test_fees__given_rule_and_header__follow_both(rule, base_fee, expected):
    assert NetworkProfile(1, fee_rule=rule, priority_fee=5, gas_price=9).fees(base_fee) == expected


@pytest.mark.parametrize("fees", [Fees(0, 0), Fees(7, 3), Fees(10**9, 10**9), Fees(1, None), Fees(10**11, None)])
def test_outbid__given_any_fees__is_at_least_a_tenth_more(fees):
    raised = fees.outbid()
    assert raised.most * 10 > fees.most * 11 or fees.most == 0 < raised.most
    assert (raised.priority is None) == (fees.priority is None)
    assert raised.priority is None or raised.priority * 10 > fees.priority * 11 or fees.priority == 0 < raised.priority


def test_at_least__given_two_fees__takes_the_higher_figures():
    assert Fees(10, 1).at_least(Fees(5, 2)) == Fees(10, 2)


@pytest.mark.parametrize(("head", "final"), [(0, 0), (5, 0), (12, 0), (13, 1)])
def test_final_block__given_a_depth__lies_that_deep(head, final):
    assert NetworkProfile(1, finality_depth=12).final_block(head) == final


def test_final_block__given_a_finality_file__is_what_it_says(tmp_path):
    profile = NetworkProfile(1, finality_file=tmp_path / "final.json")
    assert profile.final_block(9) == 0
    (tmp_path / "final.json").write_text('{"block": 7}')
    assert profile.final_block(9) == 7
    assert profile.final_block(3) == 3
