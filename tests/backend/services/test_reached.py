"""Every custom error of every contract is reached on a real EVM by some test, or stands here with why it cannot be."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from gridweave import artifacts

TESTS = Path(__file__).resolve().parents[2]
ON_AN_EVM = (
    *(TESTS / "foundry").rglob("*.sol"),
    *(
        path
        for folder in ("contracts", "e2e", "backend/api", "backend/deployment")
        for path in (TESTS / folder).rglob("*.py")
    ),
)
ERRORS = {entry.name: entry for entry in artifacts.errors().values()}

NOT_TO_BE_REACHED = {
    "AccessManagedRequiredDelay": "declared by the library's interface, raised by none of its contracts",
    "CheckpointUnorderedInsertion": "histories are kept by block time, which never goes back",
    "ECDSAInvalidSignatureLength": "permits come as (v, r, s); what comes as bytes is tried, not demanded",
    "InsufficientBalance": "the Authority passes on what came with the call, and holds it by then",
    "InvalidAccountNonce": "the token counts its nonces and is never told one",
    "InvalidShortString": "names are constants of the code and not empty",
    "StringTooLong": "names are constants of the code and fit",
}


def _places(name: str) -> list[str]:
    """Tests that expect the error: by selector in Solidity, by name in Python."""
    said = re.compile(rf"\b{name}\.selector\b|\"{name}\(|[\"']{name}[\"']")
    return [path.name for path in ON_AN_EVM if said.search(_text(path))]


@cache
def _text(path: Path) -> str:
    return path.read_text()


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_errors__each__is_reached_by_a_test_or_cannot_be(name: str) -> None:
    places = _places(name)
    if name in NOT_TO_BE_REACHED:
        assert not places, f"{name} can be reached, by {places[0]}: strike it from the list"
    else:
        assert places, f"no test reaches {ERRORS[name].signature} of {', '.join(ERRORS[name].contracts)}"


def test_not_to_be_reached__holds_only_errors_that_exist() -> None:
    assert set(NOT_TO_BE_REACHED) <= set(ERRORS)
