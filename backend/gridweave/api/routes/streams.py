"""Telemetry: streams, what is anchored of them, what was sealed, who was granted what."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse, Response

from gridweave.api.answers import one, page, place_of
from gridweave.api.depends import CursorQuery, DigestPath, InWorld, LimitQuery
from gridweave.api.fields import Address, Digest, Id
from gridweave.api.posted.devices import device_word
from gridweave.api.posted.streams import BatchIn, EpochIn, GrantIn, ReadingProofIn, StreamIn
from gridweave.api.shapes.accepted import ACCEPTED
from gridweave.api.shapes.errors import FINDS, POSTS, READS, Responses
from gridweave.api.shapes.streams import (
    BatchPlaceOut,
    GrantsOut,
    ReadingFoundOut,
    StreamBatchesOut,
    StreamOut,
    StreamsOut,
)
from gridweave.chain.hexes import from_hex, to_hex
from gridweave.domain.anchors import NO_HEAD, StreamMode
from gridweave.domain.names import camel
from gridweave.services import streams
from gridweave.store.reading import Row
from gridweave.store.streams import span_of

__all__ = ["router"]

router = APIRouter(tags=["telemetry"])

_CONTENT: Responses = {200: {"content": {"application/octet-stream": {"schema": {"type": "string"}}}}}


@router.post("/streams", **ACCEPTED)
async def post_stream(request: Request, world: InWorld, body: StreamIn) -> JSONResponse:
    """Opens a stream of a device, as the device's owner, and with it epoch 1."""
    said, schema = body.opened()
    return one(request, await streams.open_stream(world, said, schema, body.owner.act()))


@router.get("/streams", response_model=StreamsOut, responses=READS)
async def get_streams(
    world: InWorld,
    device: Address | None = None,
    owner: Address | None = None,
    cursor: CursorQuery = None,
    limit: LimitQuery = 100,
) -> dict[str, Any]:
    """Streams of a device, of who began their present epoch, or all."""
    found = await world.reads.streams.page(device=device, owner=owner, cursor=cursor, limit=limit)
    return page(world, found, _stream)


@router.get("/streams/{stream}", response_model=StreamOut, responses=FINDS)
async def get_stream(world: InWorld, stream: DigestPath) -> dict[str, Any]:
    """A stream as it stands."""
    world = world.still()
    row = await streams.stream(world, stream)
    schema, tip = await streams.schema_of(world, row), await streams.tip_of(world, stream)
    told = {"schema": to_hex(schema.encode()) if schema else None, "tipHash": to_hex(tip.hash)}
    return _stream(row) | told | place_of(world, row)


@router.post("/streams/{stream}/epochs", **ACCEPTED)
async def post_epoch(request: Request, world: InWorld, stream: DigestPath, body: EpochIn) -> JSONResponse:
    """Begins a stream's epoch: batches must be sealed under its keys from now on."""
    return one(request, await streams.begin_epoch(world, body.act(from_hex(stream)), body.owner.act()))


@router.post("/streams/{stream}/batches", **ACCEPTED)
async def post_batch(request: Request, world: InWorld, stream: DigestPath, body: BatchIn) -> JSONResponse:
    """Anchors a batch that the stream's device signed, with what was sealed."""
    batch = body.batch(from_hex(stream))
    return one(request, await streams.anchor(world, batch, device_word(body.signature), body.body))


@router.get("/streams/{stream}/batches", response_model=StreamBatchesOut, responses=FINDS)
async def get_batches(world: InWorld, stream: DigestPath, after: Id = 0, limit: LimitQuery = 100) -> dict[str, Any]:
    """A stream's batches by their numbers, those behind `after`."""
    return {"items": [_batch(row) | place_of(world, row) for row in await streams.batches(world, stream, after, limit)]}


@router.get("/streams/{stream}/batches/{number}/proof", response_model=BatchPlaceOut, responses=FINDS)
async def get_place(world: InWorld, stream: DigestPath, number: Annotated[Id, Path()]) -> dict[str, Any]:
    """That a batch is anchored, for whoever proves a reading of it. What an open page says fails once it moves."""
    placed = await streams.place(world, stream, number)
    return {
        "stream": stream,
        "span": to_hex(placed.span.pack()),
        "root": to_hex(placed.root),
        "blockNumber": placed.block_number,
        "anchoredAt": placed.anchored_at,
        "path": [to_hex(word) for word in placed.path],
        "tip": [to_hex(word) for word in placed.tip.words] if placed.tip else [],
    }


@router.get("/bodies/{body_hash}", response_class=Response, responses=_CONTENT | FINDS)
async def get_body(world: InWorld, body_hash: DigestPath) -> Response:
    """What was sealed, by its SHA-256. It opens with its stream's keys alone."""
    return Response(await streams.body_of(world, from_hex(body_hash)), media_type="application/octet-stream")


@router.post("/streams/{stream}/grants", **ACCEPTED)
async def post_grant(request: Request, world: InWorld, stream: DigestPath, body: GrantIn) -> JSONResponse:
    """Opens windows of a stream to a party, as the device's owner."""
    return one(request, await streams.grant(world, body.act(from_hex(stream)), body.sealed, body.owner.act()))


@router.get("/grants", response_model=GrantsOut, responses=READS)
async def get_grants(
    world: InWorld,
    to: Address | None = None,
    stream: Annotated[Digest | None, Query()] = None,
    cursor: CursorQuery = None,
    limit: LimitQuery = 100,
) -> dict[str, Any]:
    """Grants to a party, of a stream, or all, in chain order."""
    return page(world, await streams.grants(world, to=to, name=stream, cursor=cursor, limit=limit), _grant)


@router.post("/readings/verify", response_model=ReadingFoundOut, responses=POSTS)
async def post_verify(world: InWorld, body: ReadingProofIn) -> dict[str, Any]:
    """Asks the contract whether a reading stands in its stream."""
    found = await streams.verify(world, body.proof())
    return {camel(name): value for name, value in asdict(found).items()}


def _stream(row: Row) -> dict[str, Any]:
    span = span_of(row)
    return {
        "stream": row["stream"],
        "device": row["device"],
        "mode": StreamMode(row["mode"]).name.lower(),
        "schemaHash": row["schema_hash"],
        "owner": row["owner"],
        "epoch": row["epoch"],
        "number": span.number,
        "nextIndex": span.next_index,
        "lastMs": span.last_ms,
        "head": row["head"] or to_hex(NO_HEAD),
        "openedBlock": row["block_number"],
    }


def _batch(row: Row) -> dict[str, Any]:
    span = {camel(name): value for name, value in asdict(span_of(row)).items()}
    hashes = {camel(name): row[name] for name in ("head", "root", "body_hash")}
    return span | hashes | {"time": row["timestamp"], "logIndex": row["log_index"]}


def _grant(row: Row) -> dict[str, Any]:
    return {camel(name): row[name] for name in ("stream", "to", "epoch", "first_window", "last_window", "sealed")}
