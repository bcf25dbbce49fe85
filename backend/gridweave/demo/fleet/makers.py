"""A maker's batch of devices, and how each of them claims itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gridweave.client import DeviceHolder, DeviceKey, GridweaveClient, MakersList, OwnDevice, Wallet
from gridweave.demo.waiter import Waiter
from gridweave.domain.acts import KeyKind

__all__ = ["MODEL", "Batch", "claim_all", "make"]

MODEL = 7
_KINDS = (KeyKind.SECP256K1, KeyKind.P256)
_AT_ONCE = 50


@dataclass(frozen=True)
class Batch:
    """Devices as they leave the factory: their keys, and the list with each one's proof."""

    keys: tuple[DeviceKey, ...]
    listed: MakersList


def make(count: int) -> Batch:
    """So many devices, every second with a P-256 key."""
    keys = tuple(DeviceKey.create(_KINDS[place % len(_KINDS)]) for place in range(count))
    return Batch(keys, MakersList.of(MODEL, [(key.device, key.kind) for key in keys]))


def claim_all(
    client: GridweaveClient,
    waiter: Waiter,
    batch: Batch,
    maker: Wallet,
    owners: Sequence[str],
    deadline: int,
    told: Callable[[int, int], None],
) -> None:
    """The maker registers the batch's root, and each device claims itself for its owner, one of `owners` for each key.

    Raises ServiceError, RequestRejected, TimeoutError.
    """
    waiter.require([DeviceHolder(client, maker).register_batch(batch.listed, deadline)])
    for first in range(0, len(batch.keys), _AT_ONCE):
        keys, heirs = batch.keys[first : first + _AT_ONCE], owners[first : first + _AT_ONCE]
        waiter.require(
            [
                OwnDevice(client, key).claim(batch.listed, owner, deadline)
                for key, owner in zip(keys, heirs, strict=True)
            ]
        )
        told(first + len(keys), len(batch.keys))
