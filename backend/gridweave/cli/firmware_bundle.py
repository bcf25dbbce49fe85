"""Bundles made from a node alone, without a service."""

from __future__ import annotations

from collections.abc import Sequence

from gridweave.chain import FirmwareRegistry, decode_logs, topics_of
from gridweave.chain.events import FirmwareReleased, ReleaseKeysChanged
from gridweave.chain.firmware_evidence import evidence_of
from gridweave.cli.terminal import WrongUse
from gridweave.client import Wallet
from gridweave.client.firmware import Bundle, KeyChange
from gridweave.client.firmware.bundle import Signatures
from gridweave.client.firmware.making import made_bundle
from gridweave.domain.eip712 import Domain

__all__ = ["bundle_of"]


async def bundle_of(
    registry: FirmwareRegistry,
    model: int,
    counter: int,
    envelope: bytes,
    *,
    witnesses: Sequence[Wallet] = (),
    more: Signatures = (),
) -> Bundle:
    """The bundle of a release as it stands in the newest block; `more` are approvals given since the keys changed.

    Raises WrongUse if there is no such release, EvidenceMissing, NodeUnavailable, NodeError.
    """
    node, head = registry.node, await registry.node.block_number()
    logs = await node.logs(0, head, [registry.address], topics_of(FirmwareReleased, ReleaseKeysChanged))
    events = list(decode_logs(logs))
    released = [e for e in events if isinstance(e, FirmwareReleased) and (e.model, e.counter) == (model, counter)]
    if not released:
        raise WrongUse(f"model {model} has no release {counter} at {registry.address}")
    changed = [e.transaction_hash for e in events if isinstance(e, ReleaseKeysChanged) and e.model == model]
    found = await evidence_of(registry, released[0].release, released[0].transaction_hash, changed, head)
    return made_bundle(
        Domain.of("FirmwareRegistry", await node.chain_id(), registry.address),
        envelope,
        found.release,
        tuple({**dict(found.signatures), **dict(more)}.items()),
        found.keys,
        tuple(KeyChange(change.keys, change.deadline, change.signatures) for change in found.changes),
        header=found.header,
        account=found.account,
        slots=found.slots,
        witnesses=witnesses,
    )
