"""Every custom error of every contract, and of the domain, has a status and a word of advice."""

from __future__ import annotations

import inspect

import pytest

from gridweave import artifacts
from gridweave.domain import asset_errors
from gridweave.domain import errors as domain_errors
from gridweave.domain.flexibility import day_errors, response_errors
from gridweave.services.advice import ADVICE, advice_on
from gridweave.services.errors import Refused

CONTRACT_ERRORS = sorted({entry.name for entry in artifacts.errors().values()})
DOMAIN_ERRORS = sorted(
    name
    for module in (domain_errors, asset_errors, day_errors, response_errors)
    for name, kind in inspect.getmembers(module, inspect.isclass)
    if issubclass(kind, domain_errors.DomainError) and kind.__module__ == module.__name__ and not kind.__subclasses__()
)


def test_errors__of_the_artifacts__are_many() -> None:
    assert len(CONTRACT_ERRORS) > 60
    assert len(DOMAIN_ERRORS) > 40


@pytest.mark.parametrize("name", CONTRACT_ERRORS)
def test_advice_on__a_contract_error__gives_a_status(name: str) -> None:
    assert name in ADVICE, f"list {name} in services/advice.py"
    assert 400 <= ADVICE[name].status <= 599
    assert len(ADVICE[name].message) > 10


@pytest.mark.parametrize("name", DOMAIN_ERRORS)
def test_advice_on__a_domain_error__gives_a_4xx_or_names_our_fault(name: str) -> None:
    assert name in ADVICE, f"list {name} in services/advice.py"
    assert ADVICE[name].status < 500 or name in ("PotTooSmall", "HoldTooFar", "GasTooLowForWallet")


def test_advice_on__an_unknown_error__is_a_500() -> None:
    assert advice_on("NobodyKnows").status == 500


def test_refused__body__shows_bytes_as_hex() -> None:
    assert Refused("Unknown", {"selector": b"\x01\x02"}).body["args"] == {"selector": "0x0102"}
