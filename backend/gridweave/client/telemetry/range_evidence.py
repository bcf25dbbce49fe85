"""A proof of a range of readings, none left out, as a file.

calls    one after the other what TelemetryAnchor.verifyRange takes at a time, as lists of its parts
times    {"fromMs", "endMs"}: the readings are all of this span of time, shown with the one before it, unless there
         is none, and the first behind it; null for a range of indexes
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gridweave.client.telemetry.canonical_json import Fields, encode_json, hex_text, read_json
from gridweave.client.telemetry.evidence import TipWords, read_head, read_placed
from gridweave.client.telemetry.placed import PlacedBatch, decode_tip
from gridweave.client.telemetry.refusals import ProofFileMalformed, RangeBrokenInside, TimesNotShown
from gridweave.client.telemetry.stream_keys import must_be_schema_of
from gridweave.domain.anchors import PAGE_BITS
from gridweave.domain.eip712 import Domain
from gridweave.domain.telemetry.proofs import RangeProof
from gridweave.domain.telemetry.readings import ReadingRun, layout
from gridweave.domain.telemetry.salts import SALT_LENGTH
from gridweave.domain.telemetry.schema import Schema
from gridweave.domain.telemetry.windows import END_MS

__all__ = ["MOST_PARTS", "MOST_READINGS", "RangeEvidence", "RangePiece", "Times"]

MOST_READINGS, MOST_PARTS = 1 << 10, 100
"""Of one call of the contract."""

_PURPOSE = "range proof"
_FIELDS = ("gridweave", "version", "chainId", "anchor", "schema", "stream", "times", "tip", "calls")
_TIMES = ("fromMs", "endMs")
_PART = ("span", "root", "blockNumber", "anchoredAt", "path", "count", "leaves", "hashes")
_MOST_TIP, _MOST_CALLS, _MOST_HASHES = 2 + PAGE_BITS, 1 << 12, 128
Json = dict[str, Any]


@dataclass(frozen=True)
class Times:
    """[from_ms, end_ms), milliseconds UTC."""

    from_ms: int
    end_ms: int


@dataclass(frozen=True)
class RangePiece:
    """The readings of a range that one batch has."""

    placed: PlacedBatch
    proof: RangeProof

    def to_json(self) -> Json:
        """The struct RangePart by its fields, in hex."""
        placed, proof = self.placed, self.proof
        return {
            "span": hex_text(placed.span.pack()),
            "root": hex_text(placed.root),
            "blockNumber": placed.block,
            "anchoredAt": placed.anchored_at,
            "path": [hex_text(word) for word in placed.path],
            "count": len(proof.leaves),
            "leaves": hex_text(b"".join(proof.leaves)),
            "hashes": [hex_text(word) for word in proof.hashes],
        }

    @classmethod
    def from_json(cls, body: Any, leaf_size: int) -> RangePiece:
        """Raises ProofFileMalformed."""
        fields = Fields(body, _PART, ProofFileMalformed)
        count = fields.number("count", 32)
        if not 1 <= count <= MOST_READINGS:
            raise ProofFileMalformed(f"a part has 1 to {MOST_READINGS} readings")
        raw = fields.raw("leaves", count * leaf_size)
        leaves = tuple(raw[at : at + leaf_size] for at in range(0, len(raw), leaf_size))
        first = int.from_bytes(raw[SALT_LENGTH : SALT_LENGTH + 8], "big")
        return cls(read_placed(fields), RangeProof(first, leaves, fields.words("hashes", _MOST_HASHES)))


@dataclass(frozen=True)
class RangeEvidence:
    """`domain` is the TelemetryAnchor's. Each of `calls` has at most MOST_PARTS pieces, of MOST_READINGS in all."""

    domain: Domain
    stream: bytes
    schema: Schema
    times: Times | None
    tip: TipWords
    calls: tuple[tuple[RangePiece, ...], ...]

    def check(self) -> list[ReadingRun]:
        """The readings, in one run for each batch, if all that can be checked without a chain holds.

        Raises a ProofRefusal, SchemaNotOfStream, PathWrong, RangeBrokenInside, TimesNotShown.
        """
        must_be_schema_of(self.stream, self.schema)
        tip = decode_tip(self.tip)
        runs: list[ReadingRun] = []
        for piece in self._pieces():
            piece.placed.must_reach(tip)
            run = piece.proof.readings(piece.placed.header(self.stream, self.schema.hash), self.schema)
            if runs and run.first_index != runs[-1].end_index:
                raise RangeBrokenInside(run.first_index, runs[-1].end_index)
            runs.append(run)
        if self.times is not None:
            _must_show(self.times, runs)
        return runs

    def _pieces(self) -> Iterator[RangePiece]:
        for call in self.calls:
            yield from call

    def encode(self) -> bytes:
        """The file's content. Nothing in it is secret but the readings."""
        times = self.times and dict(zip(_TIMES, (self.times.from_ms, self.times.end_ms), strict=True))
        values = (
            *(_PURPOSE, 1, self.domain.chain_id, self.domain.verifying_contract),
            *(hex_text(self.schema.encode()), hex_text(self.stream), times, [hex_text(word) for word in self.tip]),
            [[piece.to_json() for piece in call] for call in self.calls],
        )
        return encode_json(dict(zip(_FIELDS, values, strict=True)))

    @classmethod
    def decode(cls, raw: bytes) -> RangeEvidence:
        """Raises ProofFileMalformed, SchemaMalformed, ChannelMalformed."""
        fields = Fields(read_json(raw, ProofFileMalformed), _FIELDS, ProofFileMalformed)
        domain = read_head(fields, _PURPOSE)
        schema = Schema.decode(fields.raw("schema"))
        size = SALT_LENGTH + layout(len(schema.channels)).size
        return cls(
            domain=domain,
            stream=fields.raw("stream", 32),
            schema=schema,
            times=_read_times(fields.member("times")),
            tip=fields.words("tip", _MOST_TIP),
            calls=tuple(_read_call(call, size) for call in fields.items("calls", _MOST_CALLS)),
        )


def _read_times(body: Any) -> Times | None:
    if body is None:
        return None
    fields = Fields(body, _TIMES, ProofFileMalformed)
    times = Times(fields.number("fromMs", 64), fields.number("endMs", 64))
    if not times.from_ms < times.end_ms <= END_MS:
        raise ProofFileMalformed("a span of time ends after it begins")
    return times


def _read_call(body: Any, leaf_size: int) -> tuple[RangePiece, ...]:
    if not isinstance(body, list) or not 1 <= len(body) <= MOST_PARTS:
        raise ProofFileMalformed(f"a call has 1 to {MOST_PARTS} parts")
    pieces = tuple(RangePiece.from_json(part, leaf_size) for part in body)
    if sum(len(piece.proof.leaves) for piece in pieces) > MOST_READINGS:
        raise ProofFileMalformed(f"a call has at most {MOST_READINGS} readings")
    return pieces


def _must_show(times: Times, runs: list[ReadingRun]) -> None:
    """The reading before the span and the one behind it are there: nothing in between can be left out."""
    first, last = runs[0], runs[-1]
    if first.first_index > 0 and first.first_ms >= times.from_ms:
        raise TimesNotShown("before", times.from_ms)
    if last.last_ms < times.end_ms:
        raise TimesNotShown("behind", times.end_ms)
