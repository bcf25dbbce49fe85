"""The harbour behind the REST that a gateway speaks, on a port of this machine."""

from __future__ import annotations

import asyncio
import contextlib
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gridweave.domain.acknowledgements import Acknowledgement
from gridweave.domain.anchors import Batch
from gridweave.domain.eip712 import digest
from gridweave.domain.signatures import sign_compact
from gridweave.domain.telemetry.gateway_errors import ServiceAway, StreamNotOpen
from gridweave.gateway.anchorage import FateKind, SubmissionRefused
from gridweave.localnet import free_port
from tests.support.gateway.harbour import Anchored, Harbour

Json = dict[str, Any]
FAR = 2**40 - 1


class Counter:
    """Answers a gateway's questions."""

    def __init__(self, harbour: Harbour) -> None:
        self.harbour = harbour

    def application(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/deployment", self.deployment),
                Route("/v1/devices/{device}", self.device),
                Route("/v1/streams/{stream}", self.stream),
                Route("/v1/streams/{stream}/batches", self.batches),
                Route("/v1/streams/{stream}/batches", self.submit, methods=["POST"]),
                Route("/v1/requests/{id}", self.request),
            ],
            exception_handlers={ServiceAway: _away},
        )

    async def deployment(self, _: Request) -> Response:
        town = self.harbour.town
        head = await town.chain.node.head()
        contracts = {name: {"address": address} for name, address in town.deployment.addresses.items()}
        return JSONResponse(
            {
                "chainId": town.deployment.chain_id,
                "genesisHash": "0x" + bytes(32).hex(),
                "slotLength": 900,
                "horizon": 0,
                "contracts": contracts,
                "finalityDepth": self.harbour.depth,
                "commitMargin": 0,
                "relayer": town.keys["relayer"].address,
                "chainTime": head.timestamp,
                "blockNumber": head.number,
            }
        )

    async def device(self, request: Request) -> Response:
        named = request.path_params["device"].lower()
        for berth in self.harbour.berths.values():
            if berth.key.device.lower() == named:
                x, y = berth.key.point
                key = {"keyKind": berth.key.kind.label, "x": "0x" + x.hex(), "y": "0x" + y.hex()}
                return JSONResponse({"device": berth.key.device, "status": self.harbour.status, **key})
        return _refusal("UnknownDevice", 404)

    async def stream(self, request: Request) -> Response:
        try:
            facts = await self.harbour.facts(_stream(request))
        except StreamNotOpen:
            return _refusal("StreamUnknown", 404)
        return JSONResponse(
            {
                "stream": "0x" + facts.stream.hex(),
                "device": facts.device,
                "mode": facts.mode.name.lower(),
                "schema": "0x" + facts.schema.encode().hex(),
                "schemaHash": "0x" + facts.schema.hash.hex(),
                "epoch": facts.epoch,
                "number": facts.number,
                "nextIndex": facts.next_index,
                "lastMs": facts.last_ms,
                "head": "0x" + facts.head.hex(),
            }
        )

    async def batches(self, request: Request) -> Response:
        head = await self.harbour.town.chain.node.head()
        after = int(request.query_params.get("after", 0))
        anchored = self.harbour.berths[_stream(request)].anchored
        found = [each for each in anchored if each.span.number > after]
        return JSONResponse({"items": [self._placed(each, head.number) for each in found]})

    def _placed(self, each: Anchored, newest: int) -> Json:
        return {"head": "0x" + each.batch.head.hex(), "final": newest >= each.block + self.harbour.depth}

    async def submit(self, request: Request) -> Response:
        said = await request.json()
        hashes = (bytes.fromhex(said[name][2:]) for name in ("previousHead", "root", "bodyHash"))
        numbers = (said[name] for name in ("firstIndex", "count", "firstMs", "lastMs", "epoch"))
        batch = Batch(_stream(request), *numbers, *hashes)
        async with self.harbour.turn:
            try:
                signature = bytes.fromhex(said["signature"][2:])
                id_ = await self.harbour.submit(batch, b64decode(said["body"]), signature)
            except SubmissionRefused as refused:
                return _refusal(refused.reason, 409)
        return JSONResponse({"items": [self._acknowledged(bytes.fromhex(id_))]}, 202)

    async def request(self, request: Request) -> Response:
        fate = await self.harbour.fate(request.path_params["id"].removeprefix("0x"))
        if fate.kind is FateKind.UNKNOWN:
            return _refusal("UnknownRequest", 404)
        status = "accepted" if fate.kind is FateKind.WAITING else "committed"
        return JSONResponse({"status": status, "final": fate.kind is FateKind.FINAL})

    def _acknowledged(self, id_: bytes) -> Json:
        town = self.harbour.town
        promise = digest(town.domain("RelayerBond"), Acknowledgement.of(id_, b"", None, FAR))
        signature = sign_compact(town.keys["relayer"].secret, promise)
        said = {"id": "0x" + id_.hex(), "status": "accepted", "commitBefore": FAR}
        return said | {"acknowledgement": "0x" + signature.hex()}


@asynccontextmanager
async def served(harbour: Harbour) -> AsyncIterator[str]:
    """The harbour's address, for the length of a block."""
    port = free_port()
    config = uvicorn.Config(Counter(harbour).application(), port=port, log_config=None, access_log=False, ws="none")
    server = _Quiet(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - nobody tells us
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await serving


class _Quiet(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self):
        yield


async def _away(_: Request, __: Exception) -> Response:
    return _refusal("NodeUnavailable", 503)


def _refusal(name: str, status: int) -> Response:
    return JSONResponse({"error": {"name": name, "message": name, "args": {}}, "requestId": "1"}, status)


def _stream(request: Request) -> bytes:
    return bytes.fromhex(request.path_params["stream"].removeprefix("0x"))
