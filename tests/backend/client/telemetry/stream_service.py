"""The service as telemetry meets it, in memory: what it tells of one stream, and the acts that it takes."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from gridweave.client.telemetry import GrantEvent
from gridweave.domain import signatures
from gridweave.domain.anchors import StreamMode
from gridweave.domain.device_keys import DevicePublicKey
from gridweave.domain.did import Told, resolve
from gridweave.domain.eip712 import Message, digest
from gridweave.domain.hashing import keccak
from gridweave.domain.stream_acts import GrantAccess, NewEpoch, OpenStream
from gridweave.domain.telemetry.schema import Schema
from tests.backend.client.simulator import CHAIN_ID, Simulator, _error
from tests.backend.client.telemetry.memory import DOMAIN, OWNER, SCHEMA, MemoryStream

PAGE = 2


@dataclass
class StreamService(Simulator):
    """`acts` are those that it took, with whom they were signed by."""

    of: MemoryStream = field(default_factory=MemoryStream)
    grants: list[GrantEvent] = field(default_factory=list)
    acts: list[tuple[Message, str]] = field(default_factory=list)

    def _deployment(self) -> dict[str, Any]:
        told = super()._deployment()
        return told | {"contracts": told["contracts"] | {"TelemetryAnchor": {"address": DOMAIN.verifying_contract}}}

    def handle(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if request.method == "GET" and path.startswith(("/v1/streams/", "/v1/bodies/", "/v1/grants", "/v1/devices/")):
            return self._told(path, dict(request.url.params))
        if request.method == "POST" and path.startswith("/v1/streams"):
            return self._act(path, json.loads(request.content))
        return super().handle(request)

    def _told(self, path: str, params: dict[str, str]) -> httpx.Response:
        stream = self.of
        if path.startswith("/v1/bodies/"):
            body = stream.bodies.get(bytes.fromhex(path.rsplit("/", 1)[1][2:]))
            return httpx.Response(200, content=body) if body else _error(404, "UnknownBody", "never seen")
        if path.startswith("/v1/devices/"):
            key = DevicePublicKey(stream.key.kind, stream.key.x, stream.key.y)
            told = [Told.owner(1, 1, OWNER), Told.key(1, 1, key, counts=True)]
            found = resolve(CHAIN_ID, stream.key.device, told, int(params["versionId"]))
            return httpx.Response(200, json={"didDocument": found.document if found else None})
        if path == "/v1/grants":
            found = [each for each in self.grants if each.to == params["to"]]
            at = int(params.get("cursor", 0))
            more = str(at + PAGE) if at + PAGE < len(found) else None
            items = [_grant_json(each) for each in found[at : at + PAGE]]
            return httpx.Response(200, json={"items": items, "nextCursor": more})
        if path.split("/")[3] != "0x" + stream.stream.hex():
            return _error(404, "UnknownStream", "never opened")
        if path.endswith("/batches"):
            after = int(params["after"])
            return httpx.Response(200, json={"items": [_batch_json(b) for b in stream.anchored[after : after + PAGE]]})
        return httpx.Response(200, json=self._state())

    def _state(self) -> dict[str, Any]:
        stream = self.of
        return {
            "stream": "0x" + stream.stream.hex(),
            "device": stream.key.device,
            "owner": OWNER,
            "epoch": stream.tip.span.epoch,
            "mode": "hash",
            "schemaHash": "0x" + SCHEMA.hash.hex(),
            "schema": "0x" + SCHEMA.encode().hex(),
            "number": len(stream.anchored),
            "nextIndex": stream.tip.span.next_index,
            "lastMs": stream.tip.span.last_ms,
            "head": "0x" + stream.tip.head.hex(),
            "tipHash": "0x" + stream.tip.hash.hex(),
        }

    def _act(self, path: str, body: dict[str, Any]) -> httpx.Response:
        act = body["owner"]
        consent = act["nonce"], act["deadline"]
        said: OpenStream | NewEpoch | GrantAccess
        if path == "/v1/streams":
            schema = Schema.decode(bytes.fromhex(body["schema"][2:]))
            said = OpenStream(body["device"], schema.hash, StreamMode[body["mode"].upper()], *consent)
        else:
            stream = bytes.fromhex(path.split("/")[3][2:])
            if path.endswith("/epochs"):
                said = NewEpoch(stream, body["epoch"], *consent)
            else:
                windows = body["epoch"], body["firstWindow"], body["lastWindow"]
                said = GrantAccess(stream, body["to"], *windows, keccak(bytes.fromhex(body["sealed"][2:])), *consent)
        hash_ = digest(DOMAIN, said)
        signature = signatures.to_compact(bytes.fromhex(act["signature"][2:]))
        self.acts.append((said, signatures.recover(hash_, signature)))
        answer = self._accept(hash_, "0x")
        self.requests[answer["id"]] |= {"status": "committed", "transaction": "0x12", "block": 3}
        return httpx.Response(202, json=answer)


@contextmanager
def serving(service: StreamService) -> Iterator[str]:
    """Its address, while it answers over HTTP."""

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer("GET", b"")

        def do_POST(self) -> None:
            self._answer("POST", self.rfile.read(int(self.headers["Content-Length"])))

        def _answer(self, method: str, content: bytes) -> None:
            answer = service.handle(httpx.Request(method, f"http://service{self.path}", content=content))
            self.send_response(answer.status_code)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _batch_json(batch: Any) -> dict[str, Any]:
    span = batch.span
    return {
        "number": span.number,
        "firstIndex": span.first_index,
        "count": span.count,
        "firstMs": span.first_ms,
        "lastMs": span.last_ms,
        "epoch": span.epoch,
        "deviceNonce": span.device_nonce,
        "head": "0x" + batch.head.hex(),
        "root": "0x" + batch.root.hex(),
        "bodyHash": "0x" + batch.body_hash.hex(),
        "block": batch.block,
        "time": batch.time,
        "transaction": batch.transaction,
        "logIndex": batch.log_index,
    }


def _grant_json(event: GrantEvent) -> dict[str, Any]:
    return {
        "stream": "0x" + event.stream.hex(),
        "to": event.to,
        "epoch": event.epoch,
        "firstWindow": event.first_window,
        "lastWindow": event.last_window,
        "sealed": "0x" + event.sealed.hex(),
    }
