"""What was signed, as transactions carry it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SharedConsent", "SignedAct", "SignedWord"]


@dataclass(frozen=True)
class SignedWord:
    """An order, cancel or reading as its 32-byte word, with its 64-byte signature; None: the contract alone saw it."""

    word: bytes
    signature: bytes | None


@dataclass(frozen=True)
class SignedAct:
    """One consent. `signature` None: the contract alone saw it; empty: none was given."""

    signer: str
    nonce: int
    deadline: int
    signature: bytes | None


@dataclass(frozen=True)
class SharedConsent:
    """One signature of an account, of a delegate or of a wallet over all items of a call."""

    account: str
    signature: bytes
