"""What a device and its gateway tell each other beside segments, as JSON; a segment's message is in `messages`.

    acknowledgement   gateway -> device   {stream, nextIndex, head, lateMs, refused}
    standing          gateway -> device   {stream, final, committed, toSign}
    signature         device -> gateway   {stream, head, signature, refused}

Hashes and signatures are 0x hex, numbers are numbers, what is absent is null. `refused` is {name, values}. Every word
may be lost, doubled or late: each says how things stand, and none what to add to it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from gridweave.domain.anchors import Batch
from gridweave.domain.errors import DomainError
from gridweave.domain.telemetry.gateway_errors import WordMalformed

__all__ = ["BatchSignature", "BatchStanding", "Refusal", "SegmentAck", "batch_json"]

Json = dict[str, Any]
T = TypeVar("T")

MOST_BYTES = 4_096
"""Of a word."""

_HASH = 32
_SIGNATURE = 64
_HEX = re.compile("0x(?:[0-9a-f]{2})*")
_NAME = re.compile("[A-Za-z][A-Za-z0-9]{0,63}")
_BATCH_NUMBERS = {"firstIndex": 48, "count": 32, "firstMs": 48, "lastMs": 48, "epoch": 32}
_BATCH_HASHES = ("previousHead", "root", "bodyHash")


@dataclass(frozen=True)
class Refusal:
    """A refusal by name, with its values by theirs."""

    name: str
    values: Mapping[str, int | str]

    @classmethod
    def of(cls, refused: DomainError) -> Self:
        """As it is sent."""
        return cls(refused.name, refused.values)

    def to_json(self) -> Json:
        return {"name": self.name, "values": dict(self.values)}


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
        return _encode(
            {
                "stream": _hex(self.stream),
                "nextIndex": self.next_index,
                "head": _hex(self.head),
                "lateMs": self.late_ms,
                "refused": _maybe(self.refused, Refusal.to_json),
            }
        )

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """The acknowledgement of a word. Raises WordMalformed."""
        word = _Word.of(raw, "stream", "nextIndex", "head", "lateMs", "refused")
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
        return _encode(
            {
                "stream": _hex(self.stream),
                "final": _maybe(self.final, _hex),
                "committed": _maybe(self.committed, _hex),
                "toSign": _maybe(self.to_sign, batch_json),
            }
        )

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """The standing of a word. Raises WordMalformed."""
        word = _Word.of(raw, "stream", "final", "committed", "toSign")
        stream = word.hex("stream", _HASH)
        final, committed = (word.maybe(name, lambda name: word.hex(name, _HASH)) for name in ("final", "committed"))
        return cls(stream, final, committed, word.maybe("toSign", lambda name: _batch(stream, word.inner(name))))


@dataclass(frozen=True)
class BatchSignature:
    """The device's signature (64 bytes) of the batch with this head, or why there is none."""

    stream: bytes
    head: bytes
    signature: bytes | None = None
    refused: Refusal | None = None

    def encode(self) -> bytes:
        """The word."""
        return _encode(
            {
                "stream": _hex(self.stream),
                "head": _hex(self.head),
                "signature": _maybe(self.signature, _hex),
                "refused": _maybe(self.refused, Refusal.to_json),
            }
        )

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """The signature of a word. Raises WordMalformed."""
        word = _Word.of(raw, "stream", "head", "signature", "refused")
        signature = word.maybe("signature", lambda name: word.hex(name, _SIGNATURE))
        refused = word.refusal()
        if (signature is None) == (refused is None):
            raise WordMalformed("either a signature or why there is none")
        return cls(word.hex("stream", _HASH), word.hex("head", _HASH), signature, refused)


@dataclass(frozen=True)
class _Word:
    values: Json

    @classmethod
    def of(cls, raw: bytes, *names: str) -> _Word:
        if len(raw) > MOST_BYTES:
            raise WordMalformed(f"at most {MOST_BYTES} bytes")
        try:
            values = json.loads(raw)
        except (ValueError, RecursionError) as fault:
            raise WordMalformed("JSON") from fault
        return cls._with(values, names)

    @classmethod
    def _with(cls, values: Any, names: tuple[str, ...]) -> _Word:
        if not isinstance(values, dict) or set(values) != set(names):
            raise WordMalformed(f"an object of {', '.join(names)}")
        return cls(values)

    def inner(self, name: str) -> _Word:
        return self._with(self.values[name], (*_BATCH_NUMBERS, *_BATCH_HASHES))

    def hex(self, name: str, length: int) -> bytes:
        text = self.values[name]
        if not isinstance(text, str) or not _HEX.fullmatch(text) or len(text) != 2 + 2 * length:
            raise WordMalformed(f"{name} is 0x and {2 * length} lower-case hex digits")
        return bytes.fromhex(text[2:])

    def number(self, name: str, bits: int) -> int:
        value = self.values[name]
        if type(value) is not int or not 0 <= value < 1 << bits:
            raise WordMalformed(f"{name} is a number of {bits} bits")
        return int(value)

    def maybe(self, name: str, read: Callable[[str], T]) -> T | None:
        return None if self.values[name] is None else read(name)

    def refusal(self) -> Refusal | None:
        found = self.values["refused"]
        if found is None:
            return None
        values = self._with(found, ("name", "values")).values
        if not isinstance(values["name"], str) or not _NAME.fullmatch(values["name"]):
            raise WordMalformed("a refusal has a name")
        if not isinstance(values["values"], dict) or any(type(v) not in (int, str) for v in values["values"].values()):
            raise WordMalformed("a refusal's values are numbers and texts")
        return Refusal(values["name"], values["values"])


def batch_json(batch: Batch) -> Json:
    """A batch but for its stream, which is named beside it."""
    return {
        "firstIndex": batch.first_index,
        "count": batch.count,
        "firstMs": batch.first_ms,
        "lastMs": batch.last_ms,
        "epoch": batch.epoch,
        "previousHead": _hex(batch.previous_head),
        "root": _hex(batch.root),
        "bodyHash": _hex(batch.body_hash),
    }


def _batch(stream: bytes, word: _Word) -> Batch:
    first_index, count, first_ms, last_ms, epoch = (word.number(name, bits) for name, bits in _BATCH_NUMBERS.items())
    previous_head, root, body_hash = (word.hex(name, _HASH) for name in _BATCH_HASHES)
    return Batch(stream, first_index, count, first_ms, last_ms, epoch, previous_head, root, body_hash)


def _encode(values: Json) -> bytes:
    return json.dumps(values, separators=(",", ":")).encode()


def _hex(raw: bytes) -> str:
    return "0x" + raw.hex()


def _maybe(value: T | None, write: Callable[[T], Any]) -> Any:
    return None if value is None else write(value)
