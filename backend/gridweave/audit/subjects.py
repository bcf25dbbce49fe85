"""Whom a call is about, and who is said to have signed it."""

from __future__ import annotations

from gridweave.audit.calls import Call, MovingMeter
from gridweave.audit.differences import Subject
from gridweave.audit.firmware_calls import FirmwareCall, SeenQuorum, TellingReceipts
from gridweave.audit.signed import SignedAct
from gridweave.audit.stream_calls import AnchoringBatches, BeginningEpoch, GrantingAccess
from gridweave.chain.hexes import to_hex

__all__ = ["signers_of", "subject_of_call"]


def signers_of(call: Call) -> set[str]:
    """Accounts, checksummed, whose act or approval the call brings."""
    parts = vars(call.registration if isinstance(call, MovingMeter) else call).values()
    signers = {part.signer for part in parts if isinstance(part, SignedAct) and part.signer}
    for quorum in (part for part in parts if isinstance(part, SeenQuorum)):
        signers |= {signer for signer, _ in quorum.approvals}
    return signers


def subject_of_call(call: Call) -> Subject:
    """As far as the call itself says it; of several batches or receipts whom the first is about."""
    name = type(call).__name__
    match call:
        case AnchoringBatches(items=(first, *_)):
            return Subject(field=name, stream=to_hex(first.stream))
        case BeginningEpoch(stream=stream) | GrantingAccess(stream=stream):
            return Subject(field=name, stream=to_hex(stream))
        case TellingReceipts(items=(first, *_)):
            told = first.receipt
            return Subject(field=name, device=told.device, model=told.model, counter=told.counter)
        case _:
            parts = {part: getattr(call, part, None) for part in ("market", "slot", "device", "counter")}
            model = getattr(call, "model", None) if isinstance(call, FirmwareCall) else None
            return Subject(field=name, model=model, **parts)
