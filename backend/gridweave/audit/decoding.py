"""Parts that many calls' inputs share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from eth_abi.abi import decode

from gridweave.audit.signed import SignedAct
from gridweave.domain.addresses import checksum_address

__all__ = ["ACT", "act_of", "plain"]

Read = TypeVar("Read")

ACT = "(address,uint256,uint256,bytes)"
"""The struct Act, as the ABI spells it."""


def plain(types: tuple[str, ...], make: Callable[..., Read]) -> Callable[[bytes], Read]:
    """A reader of arguments of these types. What it returns raises DecodingError and whatever `make` does."""
    return lambda data: make(*decode(types, data))


def act_of(values: tuple[Any, ...]) -> SignedAct:
    """An Act as it was decoded."""
    signer, nonce, deadline, signature = values
    return SignedAct(checksum_address(signer), nonce, deadline, signature)
