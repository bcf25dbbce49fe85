"""A bundle put together from what a node or a service gave, the maker's manifest, and those who vouch for the block."""

from __future__ import annotations

from collections.abc import Sequence

from gridweave.client.firmware.bundle import Bundle, KeyChange, Signatures
from gridweave.client.firmware.witness import BlockWitness
from gridweave.client.wallet import Wallet
from gridweave.domain.eip712 import Domain
from gridweave.domain.firmware.keys import KeySet
from gridweave.domain.firmware.messages import Release
from gridweave.domain.hashing import keccak

__all__ = ["made_bundle"]


def made_bundle(
    domain: Domain,
    envelope: bytes,
    release: Release,
    approvals: Signatures,
    keys: KeySet,
    changes: tuple[KeyChange, ...],
    *,
    header: bytes,
    account: tuple[bytes, ...],
    slots: tuple[tuple[bytes, ...], ...],
    witnesses: Sequence[Wallet] = (),
) -> Bundle:
    """`keys` are those before `changes`; approvals of keys that are none any more are left out."""
    present = changes[-1].keys if changes else keys
    vouched = [(wallet.address, wallet.sign_act(domain, BlockWitness(keccak(header)))) for wallet in witnesses]
    return Bundle(
        envelope=envelope,
        release=release,
        signatures=_ascending([pair for pair in dict(approvals).items() if pair[0] in present.members]),
        keys=present,
        changes=changes,
        header=header,
        witnesses=_ascending(vouched),
        account=account,
        slots=slots,
    )


def _ascending(pairs: Sequence[tuple[str, bytes]]) -> Signatures:
    return tuple(sorted(pairs, key=lambda pair: int(pair[0], 16)))
