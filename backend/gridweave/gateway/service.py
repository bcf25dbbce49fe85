"""The service as the gateway reaches it: over REST, in threads, so that no device waits while it does not answer."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Callable
from typing import TypeVar

from gridweave.client.errors import AcknowledgementInvalid, ServiceError, ServiceUnavailable
from gridweave.client.service import GridweaveClient
from gridweave.client.wire import Json, Signed, bytes_of, hex_of
from gridweave.domain.acts import KeyKind
from gridweave.domain.anchors import Batch, StreamMode
from gridweave.domain.eip712 import Domain, digest
from gridweave.domain.telemetry.gateway_errors import SchemaNotKnown, ServiceAway, StreamNotOpen
from gridweave.domain.telemetry.schema import Schema
from gridweave.domain.telemetry.verifying import DeviceKey
from gridweave.domain.telemetry.words import batch_json
from gridweave.gateway.anchorage import Fate, FateKind, StreamFacts, SubmissionRefused

__all__ = ["RestService"]

T = TypeVar("T")

_NOT_FOUND = 404
_TOO_MANY = 429
_FAULT = 500
_AT_ONCE = 8
_LOOK_BACK = 100
"""Batches among which one is looked for that the service says it refused."""

_LATER = frozenset({"StreamBusy"})
_UNDER_WAY = frozenset({"accepted"})


class RestService:
    """`client` is asked a few things at a time, as a service is shared with others."""

    def __init__(self, client: GridweaveClient) -> None:
        self._client = client
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def domain(self) -> Domain:
        return await self._ask(lambda: self._client.deployment.domain("TelemetryAnchor"))

    async def facts(self, stream: bytes) -> StreamFacts:
        name = hex_of(stream)
        try:
            found = await self._ask(lambda: self._client.get(f"/v1/streams/{name}"))
        except ServiceError as refused:
            if refused.status == _NOT_FOUND:
                raise StreamNotOpen(name) from refused
            raise ServiceAway(str(refused)) from refused
        if found["schema"] is None:
            raise SchemaNotKnown(name, str(found["schemaHash"]))
        return _facts(found, await self._ask(lambda: self._client.device(found["device"])))

    async def submit(self, batch: Batch, body: bytes, signature: bytes) -> str:
        domain = await self.domain()
        path = f"/v1/streams/{hex_of(batch.stream)}/batches"
        posted = {**batch_json(batch), "signature": hex_of(signature), "body": b64encode(body).decode()}
        try:
            return (await self._ask(lambda: self._client.post(path, Signed(posted, digest(domain, batch))))).id
        except ServiceError as refused:
            if refused.name in _LATER:
                raise ServiceAway(refused.name) from refused
            raise SubmissionRefused(refused.name, refused.message) from refused

    async def fate(self, request: str) -> Fate:
        try:
            state = await self._ask(lambda: self._client.request(request))
        except ServiceError as refused:
            if refused.status == _NOT_FOUND:
                return Fate(FateKind.UNKNOWN)
            raise ServiceAway(str(refused)) from refused
        if state["status"] == "rejected":
            return Fate(FateKind.REFUSED, str(state.get("reason")))
        if state["status"] in _UNDER_WAY:
            return Fate(FateKind.WAITING)
        return Fate(FateKind.FINAL if state.get("final") else FateKind.COMMITTED)

    async def found(self, batch: Batch) -> Fate:
        name = hex_of(batch.stream)
        try:
            number = int((await self._ask(lambda: self._client.get(f"/v1/streams/{name}")))["number"])
            after = max(0, number - _LOOK_BACK)
            path = f"/v1/streams/{name}/batches"
            items = (await self._ask(lambda: self._client.get(path, after=after, limit=_LOOK_BACK)))["items"]
        except ServiceError as refused:
            raise ServiceAway(str(refused)) from refused
        for item in items:
            if item["head"] == hex_of(batch.head):
                return Fate(FateKind.FINAL if item["final"] else FateKind.COMMITTED)
        return Fate(FateKind.UNKNOWN)

    async def _ask(self, work: Callable[[], T]) -> T:
        async with self._places:
            try:
                return await asyncio.shield(asyncio.to_thread(work))
            except ServiceUnavailable as away:
                raise ServiceAway(away.reason) from away
            except AcknowledgementInvalid as invalid:
                raise ServiceAway(str(invalid)) from invalid
            except ServiceError as refused:
                if refused.status == _TOO_MANY or refused.status >= _FAULT:
                    raise ServiceAway(str(refused)) from refused
                raise


def _facts(stream: Json, device: Json) -> StreamFacts:
    return StreamFacts(
        stream=bytes_of(stream["stream"]),
        device=str(stream["device"]),
        mode=StreamMode[str(stream["mode"]).upper()],
        schema=Schema.decode(bytes_of(stream["schema"])),
        key=DeviceKey(KeyKind[str(device["keyKind"]).upper()], bytes_of(device["x"]), bytes_of(device["y"])),
        status=str(device["status"]),
        epoch=int(stream["epoch"]),
        number=int(stream["number"]),
        next_index=int(stream["nextIndex"]),
        last_ms=int(stream["lastMs"]),
        head=bytes_of(stream["head"]),
    )
