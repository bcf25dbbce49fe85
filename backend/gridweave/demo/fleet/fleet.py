"""A hundred meters of the fleet go live: their owners open streams, hand the gateway its keys, and the day begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from gridweave.client import DeviceKey, GridweaveClient, OwnDevice, Wallet
from gridweave.client.measuring.device import SigningPace, StreamDevice
from gridweave.client.telemetry import Openings, StreamKeys, StreamOwner, opening_act
from gridweave.client.wire import Item
from gridweave.demo.fleet.air import Air, Meter
from gridweave.demo.fleet.measures import QUICK_S, SCHEMA, Measures
from gridweave.demo.waiter import Waiter
from gridweave.domain.anchors import StreamMode, stream_id

__all__ = ["Live", "go_live"]

_EVERY_OTHER = 2
_AT_ONCE = 40
_PACE = SigningPace(readings=1_000, ms=900_000)


@dataclass
class Live:
    """A live meter of an owner, the keys of its stream, and what it measured; `bought` are the next owner's keys."""

    name: str
    owner: Wallet
    meter: Meter
    measures: Measures
    keys: StreamKeys = field(repr=False)
    bought: StreamKeys | None = field(default=None, repr=False)
    measured: int = 0
    seen: list[bytes] = field(default_factory=list, repr=False)

    @property
    def stream(self) -> bytes:
        """Its stream's id."""
        return self.meter.device.stream

    @property
    def device(self) -> str:
        """Its id."""
        return self.meter.own.device

    @property
    def openings(self) -> Openings:
        """All that its owners, together, can open."""
        mine, theirs = Openings.of_owner(self.keys), Openings.of_owner(self.bought).keys if self.bought else ()
        return replace(mine, keys=(*mine.keys, *theirs))

    @property
    def digest(self) -> bytes:
        """SHA-256 of the canonical bytes of everything that it measured."""
        return sha256(b"".join(self.seen)).digest()


def go_live(
    client: GridweaveClient,
    waiter: Waiter,
    air: Air,
    owners: Sequence[Wallet],
    keys: Sequence[DeviceKey],
    measures: Sequence[Measures],
    folder: Path,
    deadline: int,
) -> list[Live]:
    """Opens a stream for each device, in full for quick ones and for every other, and connects the devices.

    Raises ServiceError, RequestRejected, TimeoutError.
    """
    domain = client.deployment.domain("TelemetryAnchor")
    live: list[Live] = []
    under_way: list[Item] = []
    for place, (owner, key, measured) in enumerate(zip(owners, keys, measures, strict=True)):
        in_full = measured.every_s == QUICK_S or place % _EVERY_OTHER == 0
        mode = StreamMode.FULL if in_full else StreamMode.HASH
        stream = stream_id(key.device, mode, SCHEMA.hash)
        stream_keys = StreamKeys(stream, SCHEMA, ()).with_epoch(owner.address, 1)
        air.give(stream, stream_keys.of(1).keys)
        under_way.append(
            StreamOwner(client, owner).open_stream(opening_act(key.device, SCHEMA, mode, deadline), SCHEMA)
        )
        device = StreamDevice(key, domain, SCHEMA, mode, folder, pace=_PACE)
        live.append(Live(measured.home.name, owner, Meter(OwnDevice(client, key), device), measured, stream_keys))
        if len(under_way) == _AT_ONCE:
            waiter.require(under_way)
            under_way = []
    waiter.require(under_way)
    air.bring_up([each.meter for each in live])
    return live
