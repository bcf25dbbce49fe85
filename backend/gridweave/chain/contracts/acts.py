"""Consent and signatures as calls carry them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, Self

from gridweave.domain.addresses import ZERO_ADDRESS
from gridweave.domain.orders import Cancel, Order
from gridweave.domain.readings import Reading

__all__ = ["NO_ACT", "Act", "SignedWord", "signed_words"]

SignedWord = tuple[bytes, bytes, bytes]
"""A word and its compact signature's two halves: the structs SignedOrder, SignedCancel and SignedReading."""


class Dated(Protocol):
    """Any message that ends in a nonce and a deadline."""

    @property
    def nonce(self) -> int: ...
    @property
    def deadline(self) -> int: ...


@dataclass(frozen=True)
class Act:
    """One person's consent: `signature` over a message of the act's own EIP-712 type (65 bytes, or ERC-1271 bytes)."""

    signer: str
    nonce: int
    deadline: int
    signature: bytes

    @classmethod
    def of(cls, message: Dated, signer: str, signature: bytes) -> Self:
        """The act by which `signer` signed `message`."""
        return cls(signer, message.nonce, message.deadline, signature)

    def abi(self) -> tuple[str, int, int, bytes]:
        """The struct Act."""
        return self.signer, self.nonce, self.deadline, self.signature


NO_ACT = Act(ZERO_ADDRESS, 0, 0, b"")
"""Where an act may be left out: a meter without a mandate."""


def signed_words(items: Iterable[tuple[Order | Cancel | Reading, bytes]]) -> list[SignedWord]:
    """Orders, cancels or readings, each with its 64-byte signature, as the contracts take them."""
    return [signed_word(item.pack(), signature) for item, signature in items]


def signed_word(word: bytes, signature: bytes) -> SignedWord:
    """A packed word with its 64-byte signature. ValueError for another length."""
    if len(signature) != 64:
        raise ValueError(f"a compact signature has 64 bytes, not {len(signature)}")
    return word, signature[:32], signature[32:]
