"""A proof of one reading, as a file: which one, when, by which key, under which firmware. No key opens more with it.

    proof      what TelemetryAnchor.verifyReading takes, by its names
    batch      what the device signed beside it: head before, hash of the body, signature; null where nobody knew that
    segment    the device's signature of the segment that the reading is in, and the hashes that lead to its head
    key        the device's public key
    state      what the contract kept in some block, proved by its header; null for whoever asks the chain

All of it is checked without a chain, but for three things that only the chain tells: that the batch is anchored, that
the key was the device's, and whether either is doubted since.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gridweave.client.telemetry.canonical_json import Fields, encode_json, hex_text, read_json
from gridweave.client.telemetry.placed import PlacedBatch, decode_tip
from gridweave.client.telemetry.refusals import BatchSignatureWrong, ProofFileMalformed
from gridweave.client.telemetry.state_witness import StateWitness
from gridweave.client.telemetry.stream_keys import must_be_schema_of
from gridweave.domain.acts import KeyKind
from gridweave.domain.anchors import PAGE_BITS, Batch, Span, Tip
from gridweave.domain.eip712 import Domain, digest
from gridweave.domain.telemetry.proofs import ReadingProof, SignatureProof
from gridweave.domain.telemetry.readings import MOST_READINGS, Reading
from gridweave.domain.telemetry.schema import Schema
from gridweave.domain.telemetry.segments import Segment
from gridweave.domain.telemetry.verifying import DeviceKey

__all__ = ["BatchConsent", "ReadingEvidence", "TipWords", "read_head", "read_placed"]

_PURPOSE, _VERSION = "reading proof", 1
_FIELDS = ("gridweave", "version", "chainId", "anchor", "schema", "proof", "batch", "segment", "key", "state")
_PROOF = ("stream", "span", "root", "blockNumber", "anchoredAt", "leaf", "siblings", "path", "tip")
_BATCH = ("previousHead", "bodyHash", "signature")
_SEGMENT = (
    *("firstIndex", "count", "firstMs", "lastMs", "previousHead", "head", "signature", "headBefore", "hashesAfter"),
)
_KEY = ("kind", "x", "y")
_MOST_SIBLINGS = 64
_MOST_TIP = 2 + PAGE_BITS
Json = dict[str, Any]
TipWords = tuple[bytes, ...]


@dataclass(frozen=True)
class BatchConsent:
    """The rest of a batch, 32 bytes each, and the device's signature: 64 bytes, or 128 with its key behind."""

    previous_head: bytes
    body_hash: bytes
    signature: bytes


@dataclass(frozen=True)
class ReadingEvidence:
    """`domain` is the TelemetryAnchor's. `consent` is None where nobody knew it."""

    domain: Domain
    stream: bytes
    schema: Schema
    placed: PlacedBatch
    tip: TipWords
    proof: ReadingProof
    consent: BatchConsent | None
    signature: SignatureProof
    key: DeviceKey
    state: StateWitness | None = None

    def check(self) -> Reading:
        """The reading, if everything here that can be checked without a chain holds.

        Raises a ProofRefusal or SegmentRefusal, SchemaNotOfStream and, for the state, HeaderMalformed, ProofInvalid.
        """
        must_be_schema_of(self.stream, self.schema)
        tip = decode_tip(self.tip)
        self.placed.must_reach(tip)
        header = self.placed.header(self.stream, self.schema.hash)
        reading = self.proof.reading(header, self.schema)
        self.signature.must_sign(self.proof, header, self.key, self.domain)
        self._must_sign_batch(tip)
        if self.state is not None:
            self.state.must_hold(self.domain.verifying_contract, self.stream, self.placed, tip)
        return reading

    def _must_sign_batch(self, tip: Tip | None) -> None:
        """The key signed the batch too, where its signature is known; the tip's head says which batch was the last."""
        if self.consent is None:
            return
        span, number, signature = self.placed.span, self.placed.span.number, self.consent.signature
        places = span.first_index, span.count, span.first_ms, span.last_ms, span.epoch
        hashes = self.consent.previous_head, self.placed.root, self.consent.body_hash
        batch = Batch(self.stream, *places, *hashes)
        if tip is not None and tip.span.number == number and tip.head != batch.head:
            raise BatchSignatureWrong(number)
        if signature[64:] not in (b"", self.key.x + self.key.y):
            raise BatchSignatureWrong(number)
        if not self.key.signed(digest(self.domain, batch), signature[:64]):
            raise BatchSignatureWrong(number)

    def call(self) -> Json:
        """The struct ReadingProof by its fields, in hex."""
        placed = self.placed
        return {
            "stream": hex_text(self.stream),
            "span": hex_text(placed.span.pack()),
            "root": hex_text(placed.root),
            "blockNumber": placed.block,
            "anchoredAt": placed.anchored_at,
            "leaf": hex_text(self.proof.leaf),
            "siblings": [hex_text(word) for word in self.proof.path],
            "path": [hex_text(word) for word in placed.path],
            "tip": [hex_text(word) for word in self.tip],
        }

    def encode(self) -> bytes:
        """The file's content. Nothing in it is secret but the reading."""
        body = {
            "gridweave": _PURPOSE,
            "version": _VERSION,
            "chainId": self.domain.chain_id,
            "anchor": self.domain.verifying_contract,
            "schema": hex_text(self.schema.encode()),
            "proof": self.call(),
            "batch": _consent_json(self.consent),
            "segment": _segment_json(self.signature),
            "key": dict(zip(_KEY, (self.key.kind.label, hex_text(self.key.x), hex_text(self.key.y)), strict=True)),
            "state": self.state.to_json() if self.state else None,
        }
        return encode_json(body)

    @classmethod
    def decode(cls, raw: bytes) -> ReadingEvidence:
        """Raises ProofFileMalformed, SchemaMalformed, ChannelMalformed, PathWrong."""
        fields = Fields(read_json(raw, ProofFileMalformed), _FIELDS, ProofFileMalformed)
        domain = read_head(fields, _PURPOSE)
        proof = Fields(fields.member("proof"), _PROOF, ProofFileMalformed)
        stream, leaf = proof.raw("stream", 32), proof.raw("leaf")
        return cls(
            domain=domain,
            stream=stream,
            schema=Schema.decode(fields.raw("schema")),
            placed=read_placed(proof),
            tip=proof.words("tip", _MOST_TIP),
            proof=ReadingProof(_index(leaf), leaf, proof.words("siblings", _MOST_SIBLINGS)),
            consent=_read_consent(fields.member("batch")),
            signature=_read_segment(fields.member("segment"), stream),
            key=_read_key(fields.member("key")),
            state=None if fields.member("state") is None else StateWitness.from_json(fields.member("state")),
        )


def read_head(fields: Fields, purpose: str) -> Domain:
    """The domain that a proof's file names. Raises ProofFileMalformed."""
    if fields.member("gridweave") != purpose or fields.number("version", 8) != _VERSION:
        raise ProofFileMalformed(f"a {purpose} of version {_VERSION}")
    try:
        domain = Domain.of("TelemetryAnchor", fields.number("chainId", 64), fields.text("anchor"))
    except ValueError as error:
        raise ProofFileMalformed("anchor is an address") from error
    if domain.verifying_contract != fields.text("anchor"):
        raise ProofFileMalformed("an address is written with its checksum")
    return domain


def read_placed(fields: Fields) -> PlacedBatch:
    """Span, root, block and path of a batch. Raises ProofFileMalformed."""
    return PlacedBatch(
        span=Span.unpack(fields.raw("span", 32)),
        root=fields.raw("root", 32),
        block=fields.number("blockNumber", 64),
        anchored_at=fields.number("anchoredAt", 64),
        path=fields.words("path", PAGE_BITS),
    )


def _index(leaf: bytes) -> int:
    """The index in a leaf, behind its salt."""
    return int.from_bytes(leaf[16:24], "big")


def _consent_json(consent: BatchConsent | None) -> Mapping[str, str] | None:
    if consent is None:
        return None
    values = consent.previous_head, consent.body_hash, consent.signature
    return dict(zip(_BATCH, map(hex_text, values), strict=True))


def _read_consent(body: Any) -> BatchConsent | None:
    if body is None:
        return None
    fields = Fields(body, _BATCH, ProofFileMalformed)
    signature = fields.raw("signature")
    if len(signature) not in (64, 128):
        raise ProofFileMalformed("a batch's signature has 64 bytes, or 128 with the key behind")
    return BatchConsent(fields.raw("previousHead", 32), fields.raw("bodyHash", 32), signature)


def _segment_json(signed: SignatureProof) -> Mapping[str, Any]:
    segment = signed.segment
    values = (
        *(segment.first_index, segment.count, segment.first_ms, segment.last_ms),
        *(hex_text(segment.previous_head), hex_text(segment.head), hex_text(signed.signature)),
        *(hex_text(signed.head_before), [hex_text(hash_) for hash_ in signed.hashes_after]),
    )
    return dict(zip(_SEGMENT, values, strict=True))


def _read_segment(body: Any, stream: bytes) -> SignatureProof:
    fields = Fields(body, _SEGMENT, ProofFileMalformed)
    segment = Segment(
        stream,
        fields.number("firstIndex", 64),
        fields.number("count", 32),
        fields.number("firstMs", 64),
        fields.number("lastMs", 64),
        fields.raw("previousHead", 32),
        fields.raw("head", 32),
    )
    after = fields.words("hashesAfter", MOST_READINGS)
    return SignatureProof(segment, fields.raw("signature", 64), fields.raw("headBefore", 32), after)


def _read_key(body: Any) -> DeviceKey:
    fields = Fields(body, _KEY, ProofFileMalformed)
    kinds = {kind.label: kind for kind in KeyKind}
    if fields.text("kind") not in kinds:
        raise ProofFileMalformed(f"a key's kind is {' or '.join(kinds)}")
    return DeviceKey(kinds[fields.text("kind")], fields.raw("x", 32), fields.raw("y", 32))
