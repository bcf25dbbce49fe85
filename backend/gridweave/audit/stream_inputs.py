"""Inputs of calls to the TelemetryAnchor, decoded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import chain, repeat
from typing import Any

from gridweave.audit.decoding import ACT, act_of, plain
from gridweave.audit.stream_calls import (
    AnchoringBatches,
    BeginningEpoch,
    GrantingAccess,
    OpeningStream,
    SeenBatch,
    StreamCall,
)
from gridweave.domain.addresses import checksum_address
from gridweave.domain.anchors import Span, StreamMode, Tip

__all__ = ["STREAM_SIGNATURES"]

Values = tuple[Any, ...]

_BATCH = "(bytes32,uint256,uint256,bytes32,bytes32,bytes32,bytes32[],bytes)"
_TIP = "(uint256,bytes32,bytes32[])"


def _span(word: int) -> Span:
    return Span.unpack(word.to_bytes(32, "big"))


def _open(device: str, schema_hash: bytes, mode: int, owner: Values) -> StreamCall:
    return OpeningStream(checksum_address(device), schema_hash, StreamMode(mode), act_of(owner))


def _new_epoch(stream: bytes, epoch: int, tip: Values, owner: Values) -> StreamCall:
    span, head, peaks = tip
    return BeginningEpoch(stream, epoch, Tip(_span(span), head, tuple(peaks)), act_of(owner))


def _batch(values: Values, body: bytes | None) -> SeenBatch:
    stream, tip, span, head, root, body_hash, peaks, signature = values
    return SeenBatch(stream, _span(span), Tip(_span(tip), head, tuple(peaks)), root, body_hash, body, signature)


def _anchor(batch: Values) -> StreamCall:
    return AnchoringBatches((_batch(batch, None),), in_batch=False, bodies=1)


def _anchor_with_body(batch: Values, body: bytes) -> StreamCall:
    return AnchoringBatches((_batch(batch, body),), in_batch=False, bodies=1)


def _anchor_all(batches: tuple[Values, ...], bodies: tuple[bytes, ...]) -> StreamCall:
    pairs = zip(batches, chain(bodies, repeat(b"")), strict=False)
    return AnchoringBatches(tuple(_batch(*pair) for pair in pairs), in_batch=True, bodies=len(bodies))


def _grant(
    stream: bytes, to: str, epoch: int, first_window: int, last_window: int, sealed: bytes, owner: Values
) -> StreamCall:
    return GrantingAccess(stream, checksum_address(to), epoch, first_window, last_window, sealed, act_of(owner))


_FUNCTIONS: tuple[tuple[str, tuple[str, ...], Callable[..., StreamCall]], ...] = (
    ("open", ("address", "bytes32", "uint8", ACT), _open),
    ("newEpoch", ("bytes32", "uint32", _TIP, ACT), _new_epoch),
    ("anchor", (_BATCH,), _anchor),
    ("anchorWithBody", (_BATCH, "bytes"), _anchor_with_body),
    ("anchorAll", (f"{_BATCH}[]", "bytes[]"), _anchor_all),
    ("grant", ("bytes32", "address", "uint32", "uint32", "uint32", "bytes", ACT), _grant),
)

STREAM_SIGNATURES: Mapping[str, Callable[[bytes], StreamCall]] = {
    f"{name}({','.join(types)})": plain(types, make) for name, types, make in _FUNCTIONS
}
"""Every call that changes something, by canonical signature, with its reader."""
