"""What rests on a key in doubt: the rules took it, and whoever relies on it must know."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TypeVar

from gridweave.audit.addresses import AddressBook
from gridweave.audit.identity import Identities
from gridweave.audit.report import Doubted, DoubtedBatch, DoubtedReceipt, DoubtedState, Doubts
from gridweave.audit.stream import place_of
from gridweave.audit.streams import Streams
from gridweave.chain.abi import abi_of
from gridweave.chain.events import (
    AssetStateChanged,
    BatchAnchored,
    Event,
    InstallTold,
    ReadingRecorded,
    decode_logs,
)
from gridweave.chain.hexes import to_hex
from gridweave.chain.node import Node
from gridweave.domain.addresses import address_bytes
from gridweave.domain.anchors import Span
from gridweave.domain.devices import Device
from gridweave.domain.readings import Reading

__all__ = ["Doubter"]

Found = TypeVar("Found", bound=Event)


class Doubter:
    """Looks for it in blocks `first` to `last`, by device.

    The node is asked again: the replay keeps no old readings. Raises NodeUnavailable, NodeError.
    """

    def __init__(
        self, node: Node, book: AddressBook, identities: Identities, streams: Streams, first: int, last: int
    ) -> None:
        self._node, self._book = node, book
        self._identities, self._streams = identities, streams
        self._first, self._last = first, last

    async def find(self) -> Doubts:
        """All of it, in the order of devices and blocks."""
        found = Doubts()
        for device, since, until in self._doubts():
            reach = max(self._first, since), min(self._last, until - 1)
            for meter in self._meters(device):
                async for reading in self._said(ReadingRecorded, "MeterLedger", meter, *reach):
                    found.readings.append(_reading(reading, device, since))
            for asset in self._assets(device):
                async for state in self._said(AssetStateChanged, "DERRegistry", asset, *reach):
                    where = place_of(state)
                    found.states.append(DoubtedState(state.asset, state.state, state.since, device, since, where))
            for stream in self._streams_of(device):
                async for batch in self._said(BatchAnchored, "TelemetryAnchor", stream, *reach):
                    found.batches.append(_batch(batch, device, since))
            async for receipt in self._said(InstallTold, "FirmwareRegistry", device, *reach):
                said = receipt.model, receipt.counter, receipt.failure_code
                found.receipts.append(DoubtedReceipt(device, *said, since, place_of(receipt)))
        return found

    def _doubts(self) -> Iterator[tuple[str, int, int]]:
        """Devices with blocks [from, until) in which their key is in doubt."""
        for name, device in self._identities.devices.book.devices.items():
            for since, until in _spans(device, self._last + 1):
                yield name, since, until

    def _meters(self, device: str) -> list[int]:
        return [meter for meter, registration in self._identities.meters.items() if registration.device == device]

    def _assets(self, device: str) -> list[int]:
        meters = set(self._meters(device))
        return [asset for asset, kept in self._identities.assets.items() if kept[0] in meters]

    def _streams_of(self, device: str) -> list[bytes]:
        return [stream for stream, record in self._streams.book.streams.items() if record.device == device]

    async def _said(
        self, kind: type[Found], contract: str, about: int | str | bytes, first: int, last: int
    ) -> AsyncIterator[Found]:
        """Events whose first indexed parameter says whom they are about."""
        topic = abi_of(contract).events[kind.__name__].topic
        address = self._book.addresses[contract]
        for event in decode_logs(await self._node.logs(first, last, [address], [topic], [_word(about)])):
            if isinstance(event, kind):
                yield event


def _spans(device: Device, end: int) -> Iterator[tuple[int, int]]:
    """Blocks [from, until) in which the device's key is in doubt, each block once."""
    open_doubt = [(device.compromised_since, end)] if device.compromised_since else []
    reached = 0
    for since, until in sorted([*device.doubts, *open_doubt]):
        if max(since, reached) < until:
            yield max(since, reached), until
        reached = max(reached, until)


def _word(about: int | str | bytes) -> bytes:
    if isinstance(about, int):
        return about.to_bytes(32, "big")
    return address_bytes(about).rjust(32, b"\0") if isinstance(about, str) else about


def _reading(event: ReadingRecorded, device: str, since: int) -> Doubted:
    reading = Reading.unpack(event.reading)
    return Doubted(reading.meter, reading.slot, reading.version, device, since, place_of(event))


def _batch(event: BatchAnchored, device: str, since: int) -> DoubtedBatch:
    span = Span.unpack(event.span.to_bytes(32, "big"))
    reached = span.first_index, span.next_index
    return DoubtedBatch(to_hex(event.stream), span.number, *reached, device, since, place_of(event))
