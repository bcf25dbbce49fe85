"""Inputs of calls to the FirmwareRegistry, decoded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gridweave.audit.decoding import ACT, act_of, plain
from gridweave.audit.firmware_calls import (
    BeginningRollout,
    ChangingKeys,
    FirmwareCall,
    OpeningModel,
    PausingRollout,
    RaisingShare,
    ReleasingFirmware,
    ResumingRollout,
    RevokingRelease,
    SeenQuorum,
    SeenReceipt,
    TellingReceipts,
)
from gridweave.domain.addresses import checksum_address
from gridweave.domain.firmware.keys import KeySet
from gridweave.domain.firmware.messages import InstallReceipt, Release, ReleaseRevocation, RolloutStart

__all__ = ["FIRMWARE_SIGNATURES"]

Values = tuple[Any, ...]

_KEYS = "(uint32,uint8,address[])"
_QUORUM = f"({_KEYS},(address,bytes)[])"
_RELEASE = "(uint32,uint32,uint32,uint64,bytes32,bytes32,bytes32,string,uint32,uint16,uint256)"
_RECEIPT = "(address,uint32,uint32,uint16,uint40,bytes)"


def _keys(values: Values) -> KeySet:
    version, threshold, members = values
    return KeySet(version, threshold, tuple(map(checksum_address, members)))


def _quorum(values: Values) -> SeenQuorum:
    keys, approvals = values
    return SeenQuorum(_keys(keys), tuple((checksum_address(signer), signature) for signer, signature in approvals))


def _open_model(model: int, first: Values, maker: Values) -> FirmwareCall:
    quorum = _quorum(first)
    return OpeningModel(model, quorum.keys, quorum, act_of(maker))


def _change_keys(model: int, following: Values, deadline: int, present: Values) -> FirmwareCall:
    return ChangingKeys(model, _keys(following), deadline, _quorum(present))


def _begin(release: Values, share_bp: int, deadline: int, quorum: Values) -> FirmwareCall:
    begun = Release(*release)
    return BeginningRollout(begun, RolloutStart(begun.model, begun.counter, share_bp, deadline), _quorum(quorum))


def _raise_share(model: int, counter: int, share_bp: int, deadline: int, quorum: Values) -> FirmwareCall:
    return RaisingShare(model, counter, share_bp, deadline, _quorum(quorum))


def _revoke(model: int, counter: int, since_block: int, deadline: int, quorum: Values) -> FirmwareCall:
    return RevokingRelease(ReleaseRevocation(model, counter, since_block, deadline), _quorum(quorum))


def _receipt(values: Values) -> SeenReceipt:
    device, model, counter, failure_code, time, signature = values
    return SeenReceipt(InstallReceipt(checksum_address(device), model, counter, failure_code, time), signature)


_STEP = ("uint32", "uint32", "uint256", _QUORUM)
_FUNCTIONS: tuple[tuple[str, tuple[str, ...], Callable[..., FirmwareCall]], ...] = (
    ("openModel", ("uint32", _QUORUM, ACT), _open_model),
    ("changeKeys", ("uint32", _KEYS, "uint256", _QUORUM), _change_keys),
    ("release", (_RELEASE, _QUORUM), lambda said, quorum: ReleasingFirmware(Release(*said), _quorum(quorum))),
    ("begin", (_RELEASE, "uint16", "uint256", _QUORUM), _begin),
    ("raiseShare", ("uint32", "uint32", "uint16", "uint256", _QUORUM), _raise_share),
    ("pause", _STEP, lambda model, counter, until, one: PausingRollout(model, counter, until, _quorum(one))),
    ("resume", _STEP, lambda model, counter, until, quorum: ResumingRollout(model, counter, until, _quorum(quorum))),
    ("revoke", ("uint32", "uint32", "uint32", "uint256", _QUORUM), _revoke),
    ("tell", (_RECEIPT,), lambda receipt: TellingReceipts((_receipt(receipt),), in_batch=False)),
    ("tellMany", (f"{_RECEIPT}[]",), lambda receipts: TellingReceipts(tuple(map(_receipt, receipts)), in_batch=True)),
)

FIRMWARE_SIGNATURES: Mapping[str, Callable[[bytes], FirmwareCall]] = {
    f"{name}({','.join(types)})": plain(types, make) for name, types, make in _FUNCTIONS
}
"""Every call that changes something, by canonical signature, with its reader."""
