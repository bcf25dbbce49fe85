"""Streams of telemetry: opened and rekeyed by their owners, carried on by what their devices sign, granted to parties.

The contract keeps a hash of a stream's tip, and whoever anchors brings the tip. It moves with every block in which a
batch is anchored, so a stream has one batch or epoch under way at a time; the next one waits a moment for it here.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gridweave.chain.contracts import Act, ReadingProof, SignedBatch, StreamReading
from gridweave.chain.errors import Reverted
from gridweave.chain.events import BodyAnchored, decode_logs, topics_of
from gridweave.chain.hexes import from_hex, to_hex
from gridweave.chain.types import Call
from gridweave.domain.acts import KeyKind
from gridweave.domain.anchors import (
    MOST_BODY,
    NO_HEAD,
    PAGE_SIZE,
    Batch,
    Span,
    StreamMode,
    Tip,
    batch_leaf,
    page_path,
    page_peaks,
    stream_id,
)
from gridweave.domain.eip712 import digest
from gridweave.domain.stream_acts import GrantAccess, NewEpoch, OpenStream
from gridweave.domain.telemetry.schema import SCHEMA_TAG, Schema
from gridweave.outbox.kinds import Kind
from gridweave.services.acts import Consent, Plan, rehearse, submit_act
from gridweave.services.device_rows import key_of
from gridweave.services.errors import NotFound, Refused, RequestInvalid, ServiceError, StreamBusy
from gridweave.services.intake import MOST_TIME, Answer
from gridweave.services.world import World
from gridweave.store.reading import Page, Row
from gridweave.store.records import REJECTED
from gridweave.store.streams import span_of

__all__ = ["PlacedBatch", "anchor", "begin_epoch", "body_of", "grant", "open_stream", "place", "stream", "tip_of"]

_CONTRACT = "TelemetryAnchor"
_BODY = topics_of(BodyAnchored)
_WAITS_S = 3.0
_LOOK_S = 0.05
_MOVING = frozenset({"TipDiffers", "BatchLeavesGap"})
"""What the contract says of a tip that the index has not seen move."""


@dataclass(frozen=True)
class PlacedBatch:
    """That a batch is anchored: what a proof of one of its readings needs beside leaf and siblings."""

    span: Span
    root: bytes
    block_number: int
    anchored_at: int
    path: tuple[bytes, ...]
    tip: Tip | None


# what owners sign


async def open_stream(world: World, said: OpenStream, schema: Schema, owner: Act) -> Answer:
    """Opens a stream of a device, whose `schema` is kept here. Raises ServiceError."""
    if schema.hash != said.schema_hash:
        raise RequestInvalid("SchemaDiffers", "the owner signed the hash of another schema")
    name = to_hex(stream_id(said.device, said.mode, said.schema_hash))
    call = world.contracts.anchors.open(said.device, said.schema_hash, said.mode, owner)
    request = {"stream": name, "device": said.device}
    answer = await submit_act(world, _act(said, owner, call, name, request))
    await world.bodies.keep(SCHEMA_TAG + schema.encode())
    return answer


async def begin_epoch(world: World, said: NewEpoch, owner: Act) -> Answer:
    """Begins a stream's epoch. Raises ServiceError."""
    name = to_hex(said.stream)
    request = {"stream": name, "epoch": said.epoch}

    def planned(tip: Tip) -> Plan:
        return _act(said, owner, world.contracts.anchors.new_epoch(said.stream, said.epoch, tip, owner), name, request)

    known = await world.outbox.item(to_hex(digest(world.domain(_CONTRACT), said)))
    plan = planned(await tip_of(world, name)) if known else await _on_the_tip(world, name, planned)
    return await submit_act(world, plan)


async def grant(world: World, said: GrantAccess, sealed: bytes, owner: Act) -> Answer:
    """Puts a grant on chain. Raises ServiceError."""
    name, windows = to_hex(said.stream), (said.first_window, said.last_window)
    call = world.contracts.anchors.grant(said.stream, said.to, said.epoch, windows, sealed, owner)
    return await submit_act(world, _act(said, owner, call, name, {"stream": name, "to": said.to}, lanes=()))


# what devices sign


async def anchor(world: World, batch: Batch, signature: bytes, body: bytes) -> Answer:
    """Takes a batch with what was sealed; `signature` is its device's, 64 bytes.

    The same batch gets the same answer, once its body is on disk again if the disk has lost it; one that was refused
    may be brought again. Raises ServiceError.
    """
    name = to_hex(batch.stream)
    row = await stream(world, name)
    is_full = row["mode"] == StreamMode.FULL
    _check_body(StreamMode(row["mode"]), batch, body)
    id_ = digest(world.domain(_CONTRACT), batch)
    known = await world.outbox.item(to_hex(id_))
    if known is not None and known.status != REJECTED:
        if not is_full:
            await world.bodies.keep(body)
        return Answer(known.id, known)
    brought = await _brought(world, row["device"], id_, signature)

    def planned(tip: Tip) -> Plan:
        call = world.contracts.anchors.anchor_with_body(SignedBatch(batch, tip, brought), body if is_full else b"")
        return Plan(
            kind=Kind.ANCHOR,
            call=call,
            consents=(),
            lanes=(_lane(name),),
            depends_on=(f"device:{row['device']}",),
            deadline=MOST_TIME,
            request={"stream": name, "firstIndex": batch.first_index, "count": batch.count},
            account=row["owner"],
            id=id_,
        )

    plan = await _on_the_tip(world, name, planned)
    if not is_full:
        await world.bodies.keep(body)
    return await submit_act(world, plan)


def _check_body(mode: StreamMode, batch: Batch, body: bytes) -> None:
    if not body:
        raise Refused("BodyMissing", {"stream": to_hex(batch.stream)})
    if len(body) > MOST_BODY[mode]:
        raise Refused("BodyTooLong", {"length": len(body), "most": MOST_BODY[mode]})
    computed = hashlib.sha256(body).digest()
    if computed != batch.body_hash:
        raise Refused("BodyDiffers", {"said": batch.body_hash, "computed": computed})


async def _brought(world: World, device: str, hash_: bytes, signature: bytes) -> bytes:
    """The signature, a P-256 key behind it: the chain may not keep that, and bringing it costs less than reading."""
    key = key_of((await world.reads.devices.devices([device]))[device])
    if not key.verifies(hash_, signature):
        raise Refused("BatchNotAuthentic", {"device": device})
    return signature + key.x + key.y if key.kind == KeyKind.P256 else signature


# the tip


async def _on_the_tip(world: World, name: str, planned: Callable[[Tip], Plan]) -> Plan:
    """A plan that the contract takes upon the stream's tip, once nothing is under way that will move it.

    Raises StreamBusy if that lasts, Refused.
    """
    until = time.monotonic() + _WAITS_S
    while True:
        refused: ServiceError = StreamBusy(name)
        plan = planned(await tip_of(world, name))
        busy = world.lanes.busy((_lane(name),))
        try:
            await rehearse(world, plan.call)
            if not busy:
                return plan
        except Refused as error:
            if error.name not in _MOVING:
                raise
            refused = refused if busy else error
        if time.monotonic() >= until:
            raise refused
        await asyncio.sleep(_LOOK_S)


async def tip_of(world: World, name: str) -> Tip:
    """How far a stream has come, as the contract keeps the hash of. Raises NotFound."""
    row = await stream(world, name)
    span = span_of(row)
    leaves = _leaves(await world.reads.streams.page_of(name, span.number // PAGE_SIZE))
    return Tip(span, from_hex(row["head"]) if row["head"] else NO_HEAD, page_peaks(leaves))


def _leaves(page: Sequence[Row]) -> list[bytes]:
    return [batch_leaf(span_of(row), from_hex(row["root"]), row["block_number"], row["timestamp"]) for row in page]


def _lane(name: str) -> str:
    return f"stream:{name}"


def _act(
    said: OpenStream | NewEpoch | GrantAccess,
    owner: Act,
    call: Call,
    name: str,
    request: dict[str, Any],
    lanes: tuple[str, ...] | None = None,
) -> Plan:
    device = "0x" + name[2:42]
    return Plan(
        kind=Kind.STREAM,
        call=call,
        consents=(Consent(_CONTRACT, said, owner),),
        lanes=(_lane(name),) if lanes is None else lanes,
        depends_on=(_lane(name), f"device:{device}"),
        deadline=owner.deadline,
        request=request,
        account=owner.signer,
    )


# questions


async def stream(world: World, name: str) -> Row:
    """A stream as it stands. Raises NotFound."""
    row = await world.reads.streams.stream(name)
    if row is None:
        raise NotFound("StreamUnknown", "no such stream; its device's owner opens it first", {"stream": name})
    return row


async def schema_of(world: World, row: Row) -> Schema | None:
    """The stream's schema, if it was ever given to this service."""
    kept = await world.bodies.find(from_hex(row["schema_hash"]))
    return Schema.decode(kept.removeprefix(SCHEMA_TAG)) if kept else None


async def batches(world: World, name: str, after: int, limit: int) -> list[Row]:
    """Batches of a stream behind number `after`. Raises NotFound."""
    await stream(world, name)
    return await world.reads.streams.batches(name, after, limit)


async def place(world: World, name: str, number: int) -> PlacedBatch:
    """Where a batch stands. Raises NotFound."""
    await stream(world, name)
    page = (number - 1) // PAGE_SIZE
    rows = await world.reads.streams.page_of(name, page) if number > 0 else []
    row = next((found for found in rows if found["number"] == number), None)
    if row is None:
        raise NotFound("BatchNotAnchored", "no such batch stands in the stream", {"stream": name, "number": number})
    path = page_path(_leaves(rows), (number - 1) % PAGE_SIZE)
    tip = await tip_of(world, name) if len(rows) < PAGE_SIZE else None
    return PlacedBatch(span_of(row), from_hex(row["root"]), row["block_number"], row["timestamp"], path, tip)


async def body_of(world: World, hash_: bytes) -> bytes:
    """What was sealed, or a schema behind its tag: kept here, or read from the chain anew. Raises NotFound."""
    kept = await world.bodies.find(hash_)
    if kept is not None:
        return kept
    row = await world.reads.streams.batch_of_body(to_hex(hash_))
    found = await _on_chain(world, row, hash_) if row and row["mode"] == StreamMode.FULL else None
    if found is None:
        raise NotFound("UnknownBody", "nothing of this hash is kept here or on chain", {"hash": to_hex(hash_)})
    return found


async def _on_chain(world: World, row: Row, hash_: bytes) -> bytes | None:
    block, anchors = row["block_number"], world.contracts.anchors.address
    indexed = from_hex(row["stream"]), row["number"].to_bytes(32, "big")
    logs = await world.node.logs(block, block, [anchors], _BODY, indexed)
    bodies = [event.body for event in decode_logs(logs) if isinstance(event, BodyAnchored)]
    return next((body for body in bodies if hashlib.sha256(body).digest() == hash_), None)


async def verify(world: World, proof: ReadingProof) -> StreamReading:
    """What the contract finds of a reading that is proved. Raises Refused with the contract's error."""
    try:
        return await world.contracts.anchors.verify_reading(proof)
    except Reverted as reverted:
        raise Refused(reverted.name or "TransactionReverted", reverted.arguments) from reverted


async def grants(world: World, *, to: str | None, name: str | None, cursor: str | None, limit: int) -> Page:
    """Grants to a party, of a stream, or all."""
    return await world.reads.streams.grants(to=to, stream=name, cursor=cursor, limit=limit)
