"""Who is said to have signed a call."""

from __future__ import annotations

from gridweave.audit.calls import Call, MovingMeter
from gridweave.audit.firmware_calls import SeenQuorum
from gridweave.audit.signed import SignedAct

__all__ = ["signers_of"]


def signers_of(call: Call) -> set[str]:
    """Accounts, checksummed, whose act or approval the call brings."""
    parts = vars(call.registration if isinstance(call, MovingMeter) else call).values()
    signers = {part.signer for part in parts if isinstance(part, SignedAct) and part.signer}
    for quorum in (part for part in parts if isinstance(part, SeenQuorum)):
        signers |= {signer for signer, _ in quorum.approvals}
    return signers
