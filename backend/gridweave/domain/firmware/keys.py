"""M of N release keys: what makes a set sound, whose word counts, and when enough have spoken."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gridweave.domain.addresses import address_bytes
from gridweave.domain.firmware.errors import (
    BelowThreshold,
    KeysNotAscending,
    SignersNotAscending,
    ThresholdOutOfRange,
    UnknownReleaseKey,
    WrongKeySetVersion,
    WrongSignature,
)
from gridweave.domain.hashing import keccak

__all__ = ["MAX_KEYS", "Approval", "KeySet", "require_approved", "require_handed_over", "require_signed"]

MAX_KEYS = 32
_NOBODY = bytes(20)


@dataclass(frozen=True)
class KeySet:
    """Who may speak for a model's firmware: `threshold` of `members`, addresses that ascend; `version` from 1."""

    version: int
    threshold: int
    members: tuple[str, ...]

    @property
    def hash(self) -> bytes:
        """What the registry stores of it, 32 bytes."""
        words = (self.version.to_bytes(32, "big"), self.threshold.to_bytes(32, "big"), _members_hash(self.members))
        return keccak(b"".join(words))

    def require_sound(self, version: int) -> None:
        """That it is a key set of that version.

        Raises WrongKeySetVersion, ThresholdOutOfRange, KeysNotAscending.
        """
        if self.version != version:
            raise WrongKeySetVersion(self.version, version)
        if not 0 < self.threshold <= len(self.members) <= MAX_KEYS:
            raise ThresholdOutOfRange(self.threshold, len(self.members))
        last = _NOBODY
        for member in self.members:
            if address_bytes(member) <= last:
                raise KeysNotAscending(member)
            last = address_bytes(member)


@dataclass(frozen=True)
class Approval:
    """A signer's word on something, judged already: whether the signature is `signer`'s."""

    signer: str
    is_valid: bool = True


def require_approved(keys: KeySet, approvals: Sequence[Approval], least: int) -> None:
    """That `least` members approved and nobody else did.

    Raises SignersNotAscending, WrongSignature, UnknownReleaseKey for the first signer that is at fault, BelowThreshold.
    """
    members = _names(keys.members)
    for signer in _signers(approvals):
        if address_bytes(signer) not in members:
            raise UnknownReleaseKey(signer)
    _require_enough(len(approvals), least)


def require_handed_over(present: KeySet, following: KeySet, approvals: Sequence[Approval]) -> None:
    """That the present threshold of present members and the next threshold of next members approved, and nobody else.

    Raises as `require_approved` does.
    """
    old, new = _names(present.members), _names(following.members)
    signers = []
    for signer in _signers(approvals):
        name = address_bytes(signer)
        if name not in old and name not in new:
            raise UnknownReleaseKey(signer)
        signers.append(name)
    _require_enough(sum(name in old for name in signers), present.threshold)
    _require_enough(sum(name in new for name in signers), following.threshold)


def require_signed(approvals: Iterable[Approval]) -> None:
    """That the signers ascend and signed, whoever they are. Raises SignersNotAscending, WrongSignature."""
    for _ in _signers(approvals):
        pass


def _signers(approvals: Iterable[Approval]) -> Iterable[str]:
    last = _NOBODY
    for approval in approvals:
        name = address_bytes(approval.signer)
        if name <= last:
            raise SignersNotAscending(approval.signer)
        last = name
        if not approval.is_valid:
            raise WrongSignature(approval.signer)
        yield approval.signer


def _require_enough(count: int, threshold: int) -> None:
    if count < threshold:
        raise BelowThreshold(count, threshold)


def _names(members: Iterable[str]) -> frozenset[bytes]:
    return frozenset(address_bytes(member) for member in members)


def _members_hash(members: Iterable[str]) -> bytes:
    return keccak(b"".join(bytes(12) + address_bytes(member) for member in members))
