"""Devices, their documents and their makers' batches as they are answered."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from gridweave.api.shapes.base import LEFT_OUT, AccountId, Count, Hash, Point, Shape

__all__ = ["BatchOut", "DeviceOut", "DeviceState", "ResolvedOut"]

DeviceState = Literal["unknown", "active", "suspended", "revoked"]
KeyKindName = Literal["secp256k1", "p256"]


class ProposalOut(Shape):
    """A key that its owner proposed for the device, which may take over from `ready_at` on."""

    key: AccountId
    key_kind: KeyKindName
    x: Point
    y: Point
    ready_at: Count


class OfferOut(Shape):
    """To whom the device is offered."""

    to: AccountId
    until: Count


class DeviceOut(Shape):
    """A device: whose, from where, how it stands, and by which key it speaks.

    `nonce` is what its next own act must carry; `compromised_since` the block from which its key is in doubt.
    """

    device: AccountId
    did: str
    owner: AccountId
    maker: AccountId
    model: Count
    batch: Hash | None
    status: DeviceState
    status_since: Count
    key: AccountId
    key_kind: KeyKindName
    key_version: Count
    x: Point
    y: Point
    nonce: Count
    compromised_since: Count | None
    proposal: ProposalOut | None
    offer: OfferOut | None
    transaction: Hash
    block: Count
    final: bool


class BatchOut(Shape):
    """A maker's batch, and how many of it have claimed themselves."""

    root: Hash
    maker: AccountId
    model: Count
    size: Count
    claimed: Count
    is_closed: bool
    transaction: Hash
    block: Count
    final: bool


class DocumentMetadataOut(Shape):
    """Versions are block numbers; times as RFC 3339 has them."""

    version_id: str
    updated: str
    next_version_id: str = LEFT_OUT
    next_update: str = LEFT_OUT
    deactivated: bool = LEFT_OUT


class ResolvedOut(Shape):
    """W3C DID resolution: the document and what is said of it."""

    did_document: Annotated[dict[str, Any], Field(description="W3C DID 1.0")]
    did_document_metadata: DocumentMetadataOut
    did_resolution_metadata: Annotated[dict[str, str], Field(description="contentType")]
