"""The relayer's promise: its signature over {digest, commitBefore}, without which a 2xx is only a courtesy."""

from __future__ import annotations

from gridweave.client.errors import AcknowledgementInvalid
from gridweave.client.wire import Deployment, Item, hex_of
from gridweave.domain.acts import Acknowledgement
from gridweave.domain.eip712 import digest
from gridweave.domain.errors import SignatureMalformed
from gridweave.domain.signatures import recover, to_compact

__all__ = ["check_acknowledgement"]


def check_acknowledgement(item: Item, expected: bytes | None, deployment: Deployment) -> None:
    """Raises AcknowledgementInvalid unless the deployment's relayer signed the item's digest and `commit_before`.

    `expected` is the digest of what was sent, where the sender knows it: a promise about something else is none.
    """
    if expected is not None and item.id != hex_of(expected):
        raise AcknowledgementInvalid(hex_of(expected), f"the answer is about {item.id or 'nothing'}")
    if item.acknowledgement is None or item.commit_before is None:
        raise AcknowledgementInvalid(item.id, "the answer carries none")
    try:
        promise = Acknowledgement(bytes.fromhex(item.id.removeprefix("0x")), item.commit_before)
        signer = recover(digest(deployment.domain("Acknowledgement"), promise), to_compact(item.acknowledgement))
    except (SignatureMalformed, ValueError) as fault:
        raise AcknowledgementInvalid(item.id, str(fault)) from fault
    if signer != deployment.relayer:
        raise AcknowledgementInvalid(item.id, f"{signer} signed it, the relayer is {deployment.relayer}")
