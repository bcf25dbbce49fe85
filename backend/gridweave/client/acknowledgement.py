"""The relayer's promise: its signature over an Acknowledgement, without which a 2xx is only a courtesy."""

from __future__ import annotations

from gridweave.client.errors import AcknowledgementInvalid
from gridweave.client.wire import Deployment, Item, Signed, bytes_of, hex_of
from gridweave.domain.acknowledgements import Acknowledgement
from gridweave.domain.eip712 import digest
from gridweave.domain.errors import DomainError
from gridweave.domain.signatures import recover, to_compact

__all__ = ["acknowledgement_of", "check_acknowledgement", "signer_of"]


def acknowledgement_of(item: Item, signature: bytes) -> Acknowledgement:
    """What the relayer says in its answer to a request with that signature. ValueError for an answer about nothing."""
    return Acknowledgement.of(bytes_of(item.id), signature, item.sponsor, item.commit_before or 0)


def signer_of(item: Item, signed: bytes, deployment: Deployment) -> str:
    """Who acknowledged the request with that signature. Raises DomainError, ValueError."""
    promise = digest(deployment.domain("RelayerBond"), acknowledgement_of(item, signed))
    return recover(promise, to_compact(item.acknowledgement or b""))


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
        signer = signer_of(item, sent.signature, deployment)
    except (DomainError, ValueError) as fault:
        raise AcknowledgementInvalid(item.id, str(fault)) from fault
    if signer not in (deployment.relayer, *deployment.former_relayers):
        raise AcknowledgementInvalid(item.id, f"{signer} signed it, the relayer is {deployment.relayer}")
