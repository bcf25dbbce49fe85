"""Readings that rest on a key in doubt: the rules settled them, and whoever relies on them must know."""

from __future__ import annotations

from collections.abc import Iterator

from gridweave.audit.addresses import AddressBook
from gridweave.audit.identity import Identities
from gridweave.audit.report import Doubted
from gridweave.audit.stream import place_of
from gridweave.chain.abi import abi_of
from gridweave.chain.events import ReadingRecorded, decode_logs
from gridweave.chain.node import Node
from gridweave.domain.devices import Device
from gridweave.domain.readings import Reading

__all__ = ["doubted_readings"]


async def doubted_readings(
    node: Node, book: AddressBook, identities: Identities, first: int, last: int
) -> list[Doubted]:
    """Of blocks `first` to `last`, by device. They are asked of the node again: the replay keeps no old readings.

    Raises NodeUnavailable, NodeError.
    """
    found: list[Doubted] = []
    topic = abi_of("MeterLedger").events["ReadingRecorded"].topic
    for name, device in identities.devices.book.devices.items():
        for since, until in _spans(device, last + 1):
            for meter in _meters(identities, name):
                indexed = [meter.to_bytes(32, "big")]
                reach = max(first, since), min(last, until - 1)
                logs = await node.logs(*reach, [book.addresses["MeterLedger"]], [topic], indexed)
                events = (event for event in decode_logs(logs) if isinstance(event, ReadingRecorded))
                found += [_doubted(event, name, since) for event in events]
    return found


def _spans(device: Device, end: int) -> Iterator[tuple[int, int]]:
    """Blocks [from, until) in which the device's key is in doubt, each block once."""
    open_doubt = [(device.compromised_since, end)] if device.compromised_since else []
    reached = 0
    for since, until in sorted([*device.doubts, *open_doubt]):
        if max(since, reached) < until:
            yield max(since, reached), until
        reached = max(reached, until)


def _meters(identities: Identities, device: str) -> list[int]:
    return [meter for meter, registration in identities.meters.items() if registration.device == device]


def _doubted(event: ReadingRecorded, device: str, since: int) -> Doubted:
    reading = Reading.unpack(event.reading)
    return Doubted(reading.meter, reading.slot, reading.version, device, since, place_of(event))
