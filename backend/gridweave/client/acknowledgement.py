"""The relayer's promise: its signature over an Acknowledgement, without which a 2xx is only a courtesy."""

from __future__ import annotations

from gridweave.client.errors import AcknowledgementInvalid
from gridweave.client.wire import Deployment, Item, Signed, hex_of
from gridweave.domain.acknowledgements import Acknowledgement
from gridweave.domain.eip712 import digest
from gridweave.domain.errors import DomainError
from gridweave.domain.signatures import recover, to_compact

__all__ = ["check_acknowledgement"]


def check_acknowledgement(item: Item, sent: Signed, deployment: Deployment) -> None:
    """Raises AcknowledgementInvalid unless the deployment's relayer acknowledged what was sent, with its signature.

    Where the sender knows the digest of what was sent, a promise about something else is none; so is one for a time at
    which it cannot be kept.
    """
    if sent.digest is not None and item.id != hex_of(sent.digest):
        raise AcknowledgementInvalid(hex_of(sent.digest), f"the answer is about {item.id or 'nothing'}")
    if item.acknowledgement is None or item.commit_before is None:
        raise AcknowledgementInvalid(item.id, "the answer carries none")
    if sent.closes is not None and item.commit_before > sent.closes:
        raise AcknowledgementInvalid(item.id, f"it promises {item.commit_before}, too late: it closes at {sent.closes}")
    try:
        request = bytes.fromhex(item.id.removeprefix("0x"))
        promise = Acknowledgement.of(request, sent.signature, item.sponsor, item.commit_before)
        signer = recover(digest(deployment.domain("RelayerBond"), promise), to_compact(item.acknowledgement))
    except (DomainError, ValueError) as fault:
        raise AcknowledgementInvalid(item.id, str(fault)) from fault
    if signer != deployment.relayer:
        raise AcknowledgementInvalid(item.id, f"{signer} signed it, the relayer is {deployment.relayer}")
