"""Calls of the FirmwareRegistry that another contract made, found from what they said.

A floor that was raised follows from a step, a rollout that paused itself from a receipt. Refused receipts leave no more
than a reason.
"""

from __future__ import annotations

from collections.abc import Sequence

from gridweave.audit.firmware_calls import (
    ChangingKeys,
    FirmwareCall,
    OpeningModel,
    PausingRollout,
    ReleasingFirmware,
    RevokingRelease,
    SeenReceipt,
    SteppingRollout,
    TellingReceipts,
)
from gridweave.audit.signed import SignedAct
from gridweave.chain import events as chain
from gridweave.chain.events import Event
from gridweave.domain.addresses import ZERO_ADDRESS
from gridweave.domain.device_outcomes import FOREVER
from gridweave.domain.firmware.keys import KeySet
from gridweave.domain.firmware.messages import InstallReceipt, ReleaseRevocation

__all__ = ["infer_firmware_calls"]


def infer_firmware_calls(events: Sequence[Event]) -> dict[int, FirmwareCall]:
    """Each call by `id` of the event that tells of it."""
    found = ((id(event), _call(event)) for event in events)
    return {name: call for name, call in found if call is not None}


def _call(event: Event) -> FirmwareCall | None:
    match event:
        case chain.ModelOpened(model=model, maker=maker):
            return OpeningModel(model, KeySet(1, event.threshold, event.keys), None, SignedAct(maker, 0, 0, None))
        case chain.ReleaseKeysChanged(model=model, version=version):
            return ChangingKeys(model, KeySet(version, event.threshold, event.keys), FOREVER, None)
        case chain.FirmwareReleased(release=release):
            return ReleasingFirmware(release, None)
        case chain.RolloutStepped(model=model, counter=counter, share_bp=share_bp):
            return SteppingRollout(model, counter, share_bp)
        case chain.RolloutPaused(model=model, counter=counter, by=by) if by != ZERO_ADDRESS:
            return PausingRollout(model, counter, FOREVER, None, by)
        case chain.ReleaseRevoked(model=model, counter=counter, since_block=since):
            return RevokingRelease(ReleaseRevocation(model, counter, since, FOREVER), None)
        case chain.InstallTold(device=device, model=model, counter=counter):
            receipt = InstallReceipt(device, model, counter, event.failure_code, event.time)
            return TellingReceipts((SeenReceipt(receipt, None),), in_batch=False)
    return None
