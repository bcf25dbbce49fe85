"""A proof counts only when halmos settled the one promise it was asked about."""

from __future__ import annotations

from typing import Any

import pytest

import prove
from prove import Promise

TRUE = Promise("ClearingProof", "check_clear__given_a_book__has_a_price")
FALSE = Promise("ClearingProof", "refute_clear__given_a_book__has_none")


def report(**changed: Any) -> dict[str, Any]:
    return {"test_results": {"a.t.sol:A": [{"exitcode": 0, "num_models": 0, "num_bounded_loops": 0, **changed}]}}


def test_fault_of__every_path_holds__has_none():
    assert prove.fault_of(TRUE, 0, report()) == ""


@pytest.mark.parametrize(
    ("status", "changed"),
    [
        (1, {"exitcode": 1, "num_models": 1}),  # a counterexample
        (1, {"exitcode": 2}),  # a timeout
        (1, {"exitcode": 3}),  # a path that is stuck
        (1, {"exitcode": 4}),  # every path reverts
        (1, {"exitcode": 5}),
        (0, {"num_bounded_loops": 1}),
        (1, {}),
    ],
)
def test_fault_of__anything_else__names_one(status: int, changed: dict[str, Any]):
    assert prove.fault_of(TRUE, status, report(**changed)) != ""


@pytest.mark.parametrize("found", [{}, {"test_results": {}}, {"test_results": {"a": []}}])
def test_fault_of__no_result__names_one(found: dict[str, Any]):
    assert prove.fault_of(TRUE, 0, found) != ""
    assert prove.fault_of(FALSE, 1, found) != ""


def test_fault_of__a_false_promise__needs_a_counterexample():
    assert prove.fault_of(FALSE, 1, report(exitcode=1, num_models=1)) == ""
    assert prove.fault_of(FALSE, 0, report()) != ""
    assert prove.fault_of(FALSE, 1, report(exitcode=2)) != ""


def test_promises__of_this_clone__prove_and_refute_the_price():
    names = [promise.name for promise in prove.promises()]
    assert len(set(names)) == len(names)
    assert sum(name.startswith("check_clear") for name in names) >= 3
    assert sum(name.startswith("refute_clear") for name in names) >= 3
