"""What the TelemetryAnchor kept of a stream in one block, proved by that block's header alone (EIP-1186).

With it a proof of a reading needs no node: whoever trusts the hash of a block, or of a later one, trusts the reading's.
A test compares the places with the compiler's layout.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gridweave.client.firmware.state import Header, proven_account, proven_word
from gridweave.client.telemetry.canonical_json import Fields, hex_text
from gridweave.client.telemetry.placed import PlacedBatch
from gridweave.client.telemetry.refusals import ProofFileMalformed, StateNotProved
from gridweave.domain.anchors import Tip
from gridweave.domain.hashing import keccak

__all__ = ["RECORDS_SLOT", "StateWitness", "slot_of"]

RECORDS_SLOT = 4
"""Of the mapping of streams."""

_PAGES = 2
_FIELDS = ("header", "account", "slot")
_MOST_NODES = 64


@dataclass(frozen=True)
class StateWitness:
    """A block header's RLP, and the Merkle proofs of the contract's account and of one word, from the root down."""

    header: bytes
    account: tuple[bytes, ...]
    slot: tuple[bytes, ...]

    def block(self) -> Header:
        """The block that it is of. Raises HeaderMalformed."""
        return Header.read(self.header)

    def must_hold(self, anchor: str, stream: bytes, placed: PlacedBatch, tip: Tip | None) -> None:
        """Return if the block's state has the tip or, without one, the page that the batch leads to.

        Raises HeaderMalformed, ProofInvalid, StateNotProved.
        """
        storage = proven_account(self.block().state_root, anchor, self.account)
        kept = proven_word(storage, slot_of(stream, None if tip else placed.page), self.slot, "slot")
        expected = tip.hash if tip else placed.climbed()
        if kept.to_bytes(32, "big") != expected:
            raise StateNotProved("0x" + expected.hex(), f"0x{kept:064x}")

    def to_json(self) -> dict[str, Any]:
        """{header, account, slot}, in hex."""
        proofs = ([hex_text(node) for node in nodes] for nodes in (self.account, self.slot))
        return dict(zip(_FIELDS, (hex_text(self.header), *proofs), strict=True))

    @classmethod
    def from_json(cls, body: Any) -> StateWitness:
        """Raises ProofFileMalformed."""
        fields = Fields(body, _FIELDS, ProofFileMalformed)
        return cls(fields.raw("header"), fields.parts("account", _MOST_NODES), fields.parts("slot", _MOST_NODES))


def slot_of(stream: bytes, page: int | None) -> bytes:
    """Where the hash of a stream's tip stands, or the root of a page of it; 32 bytes."""
    base = int.from_bytes(keccak(stream + RECORDS_SLOT.to_bytes(32, "big")), "big")
    if page is None:
        return base.to_bytes(32, "big")
    return keccak(page.to_bytes(32, "big") + (base + _PAGES).to_bytes(32, "big"))
