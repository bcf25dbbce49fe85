"""A service that tells of streams. It is believed in nothing but that its tip is the chain's: ask a node to be sure."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import Sequence

from gridweave.client.errors import ServiceError
from gridweave.client.service import GridweaveClient
from gridweave.client.telemetry.anchored import AnchoredBatch, StreamFacts
from gridweave.client.telemetry.handover import GrantEvent
from gridweave.client.telemetry.refusals import BodyUnavailable, StreamNotOpened
from gridweave.client.wire import Json, bytes_of, hex_of
from gridweave.domain.acts import KeyKind
from gridweave.domain.addresses import checksum_address
from gridweave.domain.anchors import Span
from gridweave.domain.telemetry.schema import Schema
from gridweave.domain.telemetry.verifying import DeviceKey

__all__ = ["ServiceSource"]

_PAGE = 1_000
_CURVES = {kind.curve: kind for kind in KeyKind}


class ServiceSource:
    """A BatchSource over REST."""

    def __init__(self, client: GridweaveClient) -> None:
        self.client = client
        self._keys: dict[tuple[str, int], tuple[DeviceKey, ...]] = {}

    def state(self, stream: bytes) -> Json:
        """What the service says of a stream. Raises StreamNotOpened."""
        try:
            return dict(self.client.get(f"/v1/streams/{hex_of(stream)}"))
        except ServiceError as fault:
            if fault.status == 404:
                raise StreamNotOpened(hex_of(stream)) from fault
            raise

    def schema(self, stream: bytes) -> Schema | None:
        """The stream's schema, if the service was given it. Raises as `state` and Schema.decode."""
        told = self.state(stream).get("schema")
        return Schema.decode(bytes_of(told)) if told else None

    def facts(self, stream: bytes) -> StreamFacts:
        """Raises StreamNotOpened."""
        body = self.state(stream)
        return StreamFacts(
            stream=stream,
            schema_hash=bytes_of(body["schemaHash"]),
            number=int(body["number"]),
            epoch=int(body["epoch"]),
            tip_hash=bytes_of(body["tipHash"]),
            epochs={int(body["epoch"]): checksum_address(str(body["owner"]))},
        )

    def batches(self, stream: bytes) -> Sequence[AnchoredBatch]:
        """All of them, page by page."""
        found: list[AnchoredBatch] = []
        while True:
            path = f"/v1/streams/{hex_of(stream)}/batches"
            items = self.client.get(path, after=len(found), limit=_PAGE)["items"]
            found += [_batch(stream, item) for item in items]
            if not items:
                return found

    def body(self, batch: AnchoredBatch) -> bytes:
        """Raises BodyUnavailable."""
        try:
            return self.client.content(f"/v1/bodies/{hex_of(batch.body_hash)}")
        except ServiceError as fault:
            if fault.status == 404:
                raise BodyUnavailable(batch.number, hex_of(batch.body_hash)) from fault
            raise

    def device_keys(self, device: str, block: int) -> Sequence[DeviceKey]:
        """Those that counted in the block."""
        asked = device, block
        if asked not in self._keys:
            document = self.client.device_document(device, block)["didDocument"]
            self._keys[asked] = tuple(_keys(document))
        return self._keys[asked]

    def grants(self, to: str, stream: bytes | None = None) -> list[GrantEvent]:
        """Grants to a party."""
        found: list[GrantEvent] = []
        cursor: str | None = None
        while True:
            page = self.client.get("/v1/grants", to=to, stream=hex_of(stream) if stream else None, cursor=cursor)
            found += [_grant(item) for item in page["items"]]
            cursor = page.get("nextCursor")
            if not cursor:
                return found


def _batch(stream: bytes, item: Json) -> AnchoredBatch:
    names = ("firstIndex", "count", "firstMs", "lastMs", "epoch", "number", "deviceNonce")
    return AnchoredBatch(
        stream,
        Span(*(int(item[name]) for name in names)),
        bytes_of(item["head"]),
        bytes_of(item["root"]),
        bytes_of(item["bodyHash"]),
        int(item["block"]),
        int(item["time"]),
        str(item["transaction"]),
        int(item["logIndex"]),
    )


def _grant(item: Json) -> GrantEvent:
    return GrantEvent(
        stream=bytes_of(item["stream"]),
        to=str(item["to"]),
        epoch=int(item["epoch"]),
        first_window=int(item["firstWindow"]),
        last_window=int(item["lastWindow"]),
        sealed=bytes_of(item["sealed"]),
    )


def _keys(document: Json) -> list[DeviceKey]:
    words = (method["publicKeyJwk"] for method in document["verificationMethod"] if "publicKeyJwk" in method)
    return [DeviceKey(_CURVES[word["crv"]], _coordinate(word["x"]), _coordinate(word["y"])) for word in words]


def _coordinate(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
