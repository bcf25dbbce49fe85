"""Streams out of a chain's logs alone: what can be read, proved and rebuilt without a service."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from gridweave.chain import (
    DeviceRegistry,
    Event,
    FirmwareRegistry,
    Node,
    TelemetryAnchor,
    decode_logs,
    from_hex,
    topics_of,
)
from gridweave.chain.abi import abi_of
from gridweave.chain.events import (
    AccessGranted,
    BatchAnchored,
    BodyAnchored,
    DIDAttributeChanged,
    EpochBegun,
    StreamOpened,
)
from gridweave.cli.sending import recorded
from gridweave.client.telemetry import AnchoredBatch, GrantEvent, StreamFacts
from gridweave.client.telemetry.refusals import BodyUnavailable, StreamNotOpened
from gridweave.domain.addresses import address_bytes
from gridweave.domain.anchors import PAGE_SIZE, Span, StreamMode
from gridweave.domain.device_keys import DevicePublicKey
from gridweave.domain.eip712 import Domain
from gridweave.domain.telemetry.verifying import DeviceKey

__all__ = ["ChainSource"]

T = TypeVar("T")
E = TypeVar("E", bound=Event)

_AT_ONCE = 500
_ANCHORING = ("anchor", "anchorWithBody", "anchorAll")


class ChainSource:
    """A BatchSource of one node. Use as a context.

    All is read as of the newest block when it was opened. Bodies in mode hash come from `bodies`, a folder of files
    named by their SHA-256 in hex. Raises ChainError, DeploymentError, WrongUse.
    """

    def __init__(self, rpc: str, record: Path, bodies: Path | None = None) -> None:
        self.deployment = recorded(record)
        self._bodies = bodies
        self._runner = asyncio.Runner()
        self.node = Node(rpc, timeout=60.0)
        at = self.deployment.addresses
        self.anchors = TelemetryAnchor(self.node, at["TelemetryAnchor"])
        self.devices = DeviceRegistry(self.node, at["DeviceRegistry"])
        self.firmware = FirmwareRegistry(self.node, at["FirmwareRegistry"])
        self._first = self.deployment.contracts["TelemetryAnchor"][-1].block
        self.block = 0
        self._logs = cache(self._stream_logs)
        self._keys = cache(self._key_events)

    def __enter__(self) -> Self:
        self._runner.__enter__()
        try:
            self.block = self.run(self.node.block_number())
        except BaseException:
            self._close()  # whoever fails to enter is not asked to leave
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def run(self, waiting: Coroutine[Any, Any, T]) -> T:
        """The result, once it is there."""
        return self._runner.run(waiting)

    @property
    def domain(self) -> Domain:
        """The TelemetryAnchor's."""
        return Domain.of("TelemetryAnchor", self.deployment.chain_id, self.anchors.address)

    # a BatchSource

    def facts(self, stream: bytes) -> StreamFacts:
        """Raises StreamNotOpened."""
        opened = self._events(stream, StreamOpened)
        tip_hash = self.run(self.anchors.tip_hash_of(stream, self.block))
        if not opened or not any(tip_hash):
            raise StreamNotOpened("0x" + stream.hex())
        epochs = self._events(stream, EpochBegun)
        number = len(self._events(stream, BatchAnchored))
        return StreamFacts(
            stream=stream,
            schema_hash=opened[0].schema_hash,
            number=number,
            epoch=epochs[-1].epoch,
            tip_hash=tip_hash,
            epochs={event.epoch: event.owner for event in epochs},
            tip_nonce=self._tip_nonce(stream),
            page_roots=self.run(self._page_roots(stream, number // PAGE_SIZE)),
        )

    def batches(self, stream: bytes) -> Sequence[AnchoredBatch]:
        """All of them."""
        events = self._events(stream, BatchAnchored)
        times = self.run(self._times(sorted({event.block_number for event in events})))
        return [_batch(event, times[event.block_number]) for event in events]

    def body(self, batch: AnchoredBatch) -> bytes:
        """Raises BodyUnavailable."""
        if StreamMode(batch.stream[20]) is StreamMode.HASH:
            return self._stored(batch)
        number = batch.number.to_bytes(32, "big")
        for event in self.run(self._found(BodyAnchored, batch.block, batch.block, (batch.stream, number))):
            return event.body
        raise BodyUnavailable(batch.number, "0x" + batch.body_hash.hex())

    def device_keys(self, device: str, block: int) -> Sequence[DeviceKey]:
        """All that were ever told, up to a block, the newest first."""
        told = [event for event in self._keys(device) if event.block_number <= block]
        keys = [DevicePublicKey.of_attribute(event.name, event.value) for event in reversed(told) if event.valid_to]
        return [DeviceKey(key.kind, key.x, key.y) for key in keys]

    # beside it

    def grants(self, to: str, stream: bytes | None = None) -> list[GrantEvent]:
        """Grants to a party, of all streams or of one."""
        topic = address_bytes(to).rjust(32, b"\0")
        found = self.run(self._found(AccessGranted, self._first, self.block, (stream, topic)))
        return [
            GrantEvent(each.stream, each.to, each.epoch, each.first_window, each.last_window, each.sealed_)
            for each in found
        ]

    def signature_of(self, batch: AnchoredBatch) -> bytes | None:
        """The device's signature of a batch as its transaction carried it, None where a contract in between sent it."""
        transaction = self.run(self.node.transaction(from_hex(batch.transaction)))
        if transaction is None or transaction.to != self.anchors.address:
            return None
        return _signature_in(transaction.data, batch)

    # inner

    def _close(self) -> None:
        self.run(self.node.aclose())
        self._runner.close()

    def _events(self, stream: bytes, kind: type[E]) -> list[E]:
        return [event for event in self._logs(stream) if isinstance(event, kind)]

    def _tip_nonce(self, stream: bytes) -> int:
        """The device's nonce in the tip: the newest batch's or epoch's."""
        nonce = 0
        for event in self._logs(stream):
            if isinstance(event, BatchAnchored):
                nonce = _span(event.span).device_nonce
            elif isinstance(event, EpochBegun):
                nonce = _span(event.tip).device_nonce
        return nonce

    def _stream_logs(self, stream: bytes) -> list[Event]:
        async def found() -> list[Event]:
            kinds = (StreamOpened, EpochBegun, BatchAnchored)
            topics = topics_of(*kinds)
            logs = await self.node.logs(self._first, self.block, [self.anchors.address], topics, [stream])
            return list(decode_logs(logs))

        return self.run(found())

    def _key_events(self, device: str) -> list[DIDAttributeChanged]:
        first = self.deployment.contracts["DeviceRegistry"][-1].block
        topic = address_bytes(device).rjust(32, b"\0")
        return self.run(self._found(DIDAttributeChanged, first, self.block, (topic,), self.devices.address))

    async def _found(
        self, kind: type[E], first: int, last: int, indexed: Sequence[bytes | None], contract: str | None = None
    ) -> list[E]:
        logs = await self.node.logs(first, last, [contract or self.anchors.address], topics_of(kind), indexed)
        return [event for event in decode_logs(logs) if isinstance(event, kind)]

    async def _times(self, blocks: Sequence[int]) -> dict[int, int]:
        times: dict[int, int] = {}
        for start in range(0, len(blocks), _AT_ONCE):
            for block in await self.node.blocks(blocks[start : start + _AT_ONCE]):
                if block is not None:
                    times[block.number] = block.timestamp
        return times

    async def _page_roots(self, stream: bytes, pages: int) -> tuple[bytes, ...]:
        return tuple([await self.anchors.page_of(stream, page, self.block) for page in range(pages)])

    def _stored(self, batch: AnchoredBatch) -> bytes:
        name = batch.body_hash.hex()
        if self._bodies is not None and (self._bodies / name).is_file():
            return (self._bodies / name).read_bytes()
        raise BodyUnavailable(batch.number, "0x" + name)


def _span(word: int) -> Span:
    return Span.unpack(word.to_bytes(32, "big"))


def _batch(event: BatchAnchored, time: int) -> AnchoredBatch:
    return AnchoredBatch(
        stream=event.stream,
        span=_span(event.span),
        head=event.head,
        root=event.root,
        body_hash=event.body_hash,
        block=event.block_number,
        time=time,
        transaction="0x" + event.transaction_hash.hex(),
        log_index=event.log_index,
    )


def _signature_in(data: bytes, batch: AnchoredBatch) -> bytes | None:
    functions = {abi_of("TelemetryAnchor").functions[name].selector: name for name in _ANCHORING}
    name = functions.get(data[:4])
    if name is None:
        return None
    try:
        sent = decode(abi_of("TelemetryAnchor").functions[name].inputs, data[4:])[0]
    except (DecodingError, ValueError):
        return None
    for struct in sent if name == "anchorAll" else [sent]:
        stream, _, span, _, root, body_hash, _, signature = struct
        same = stream == batch.stream and root == batch.root and body_hash == batch.body_hash
        if same and _span(span).first_index == batch.span.first_index:
            return bytes(signature)
    return None
