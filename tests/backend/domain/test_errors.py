"""Refusals carry the names, arguments and selectors of the contracts' errors."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gridweave.domain import asset_errors, errors
from gridweave.domain.errors import (
    AvailableTooSmall,
    CallRefusal,
    DomainError,
    LocalRefusal,
    OrderRefusal,
    PriceOffGrid,
    ReadingRefusal,
)

ROOT = Path(__file__).resolve().parents[3]
BASES = {DomainError, LocalRefusal, CallRefusal, OrderRefusal, ReadingRefusal}
ON_CHAIN = [
    kind
    for kind in {**vars(errors), **vars(asset_errors)}.values()
    if isinstance(kind, type)
    and issubclass(kind, DomainError)
    and kind not in BASES
    and not issubclass(kind, LocalRefusal)
]


def declared() -> dict[str, tuple[str, ...]]:
    sources = "".join(path.read_text() for path in sorted((ROOT / "contracts" / "interfaces").glob("*.sol")))
    found = re.findall(r"^    error (\w+)\(([^)]*)\);", sources, re.MULTILINE)
    return {name: tuple(part.strip() for part in parameters.split(",") if part) for name, parameters in found}


@pytest.mark.parametrize("kind", ON_CHAIN, ids=lambda kind: kind.__name__)
def test_error__that_reaches_a_contract__is_declared_there_alike(kind: type[DomainError]) -> None:
    assert declared()[kind.__name__] == kind.parameters


def test_errors__of_the_auction__all_stand_here() -> None:
    source = (ROOT / "contracts" / "interfaces" / "IEnergyAuction.sol").read_text()
    names = set(re.findall(r"^    error (\w+)\(", source, re.MULTILINE))
    assert names <= {kind.__name__ for kind in ON_CHAIN}


def test_error__with_values__names_them() -> None:
    refusal = AvailableTooSmall("0x01", 5, 7)
    assert refusal.name == "AvailableTooSmall"
    assert refusal.args == ("0x01", 5, 7)
    assert refusal.values == {"account": "0x01", "available": 5, "amount": 7}
    assert str(refusal) == "AvailableTooSmall(account=0x01, available=5, amount=7)"


def test_error__with_too_few_values__cannot_be_made() -> None:
    with pytest.raises(TypeError):
        AvailableTooSmall("0x01")


def test_selector__of_known_errors__is_the_chains() -> None:
    assert PriceOffGrid.selector() != AvailableTooSmall.selector()
    assert len({kind.selector() for kind in ON_CHAIN}) == len(ON_CHAIN)
