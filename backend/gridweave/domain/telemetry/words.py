"""What a device and its gateway tell each other beside segments, as JSON; a segment's message is in `messages`.

    acknowledgement   gateway -> device   {stream, nextIndex, head, lateMs, refused}
    standing          gateway -> device   {stream, final, committed, toSign}
    signature         device -> gateway   {stream, head, signature, refused}

Hashes and signatures are 0x hex, numbers are numbers, what is absent is null. `refused` is {name, values}. Every word
may be lost, doubled or late: each says how things stand, and none what to add to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from gridweave.domain.anchors import Batch
from gridweave.domain.telemetry.gateway_errors import WordMalformed
from gridweave.domain.telemetry.word import MOST_BYTES, Json, Refusal, Word, encode, hex_of, maybe

__all__ = ["MOST_BYTES", "BatchSignature", "BatchStanding", "Refusal", "SegmentAck", "batch_json"]

_HASH = 32
_SIGNATURE = 64
_BATCH_NUMBERS = {"firstIndex": 48, "count": 32, "firstMs": 48, "lastMs": 48, "epoch": 32}
_BATCH_HASHES = ("previousHead", "root", "bodyHash")


@dataclass(frozen=True)
class SegmentAck:
    """All readings below `next_index` are on the gateway's disk, the chain of their heads ends with `head`, 32 bytes.

    `late_ms` is by how much the last segment came later than usual, 0 as a rule. `refused` is why what was sent was not
    taken; then the rest still holds, and `head` is empty if the gateway does not know the stream.
    """

    stream: bytes
    next_index: int
    head: bytes
    late_ms: int = 0
    refused: Refusal | None = None

    def encode(self) -> bytes:
        """The word."""
        return encode(
            {
                "stream": hex_of(self.stream),
                "nextIndex": self.next_index,
                "head": hex_of(self.head),
                "lateMs": self.late_ms,
                "refused": maybe(self.refused, Refusal.to_json),
            }
        )

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """The acknowledgement of a word. Raises WordMalformed."""
        word = Word.of(raw, "stream", "nextIndex", "head", "lateMs", "refused")
        head = b"" if word.values["head"] == "0x" else word.hex("head", _HASH)
        numbers = word.number("nextIndex", 64), word.number("lateMs", 64)
        return cls(word.hex("stream", _HASH), numbers[0], head, numbers[1], word.refusal())


@dataclass(frozen=True)
class BatchStanding:
    """Heads of the stream's last batch that is final and of the last that is anchored; the batch to be signed next."""

    stream: bytes
    final: bytes | None = None
    committed: bytes | None = None
    to_sign: Batch | None = None

    def encode(self) -> bytes:
        """The word."""
        return encode(
            {
                "stream": hex_of(self.stream),
                "final": maybe(self.final, hex_of),
                "committed": maybe(self.committed, hex_of),
                "toSign": maybe(self.to_sign, batch_json),
            }
        )

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """The standing of a word. Raises WordMalformed."""
        word = Word.of(raw, "stream", "final", "committed", "toSign")
        stream = word.hex("stream", _HASH)
        final, committed = (word.maybe(name, lambda name: word.hex(name, _HASH)) for name in ("final", "committed"))
        return cls(
            stream,
            final,
            committed,
            word.maybe("toSign", lambda name: _batch(stream, word.inner(name, *_BATCH_NUMBERS, *_BATCH_HASHES))),
        )


@dataclass(frozen=True)
class BatchSignature:
    """The device's signature (64 bytes) of the batch with this head, or why there is none."""

    stream: bytes
    head: bytes
    signature: bytes | None = None
    refused: Refusal | None = None

    def encode(self) -> bytes:
        """The word."""
        return encode(
            {
                "stream": hex_of(self.stream),
                "head": hex_of(self.head),
                "signature": maybe(self.signature, hex_of),
                "refused": maybe(self.refused, Refusal.to_json),
            }
        )

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """The signature of a word. Raises WordMalformed."""
        word = Word.of(raw, "stream", "head", "signature", "refused")
        signature = word.maybe("signature", lambda name: word.hex(name, _SIGNATURE))
        refused = word.refusal()
        if (signature is None) == (refused is None):
            raise WordMalformed("either a signature or why there is none")
        return cls(word.hex("stream", _HASH), word.hex("head", _HASH), signature, refused)


def batch_json(batch: Batch) -> Json:
    """A batch but for its stream, which is named beside it."""
    return {
        "firstIndex": batch.first_index,
        "count": batch.count,
        "firstMs": batch.first_ms,
        "lastMs": batch.last_ms,
        "epoch": batch.epoch,
        "previousHead": hex_of(batch.previous_head),
        "root": hex_of(batch.root),
        "bodyHash": hex_of(batch.body_hash),
    }


def _batch(stream: bytes, word: Word) -> Batch:
    first_index, count, first_ms, last_ms, epoch = (word.number(name, bits) for name, bits in _BATCH_NUMBERS.items())
    previous_head, root, body_hash = (word.hex(name, _HASH) for name in _BATCH_HASHES)
    return Batch(stream, first_index, count, first_ms, last_ms, epoch, previous_head, root, body_hash)
