"""A device's own program: signs each reading once, keeps it until it is final, sends it as often as it takes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gridweave.client import wire
from gridweave.client.device_key import DeviceKey
from gridweave.client.errors import ConflictingReading, ServiceError
from gridweave.client.queue import QueuedReading, ReadingQueue
from gridweave.client.service import GridweaveClient
from gridweave.client.wire import Item, Signed, hex_of
from gridweave.domain.eip712 import digest
from gridweave.domain.readings import LAST_VERSION, Reading

__all__ = ["DeviceAgent", "send_together"]

_TAKEN = "ReadingNotNewer"  # the ledger holds this version already: it came through before
_ASK_TOGETHER = 4


class DeviceAgent:
    """Speaks for `key`'s `meter`; `folder` keeps its memory, one file per device.

    A reading is signed once per slot and version and is on disk before it leaves; after a crash the same bytes go out
    again. `send` may be called at any time and any number of times.
    """

    def __init__(self, client: GridweaveClient, key: DeviceKey, meter: int, folder: Path) -> None:
        self.client = client
        self.key = key
        self.meter = meter
        self._domain = client.deployment.domain("MeterLedger")
        self._queue = ReadingQueue(folder / f"{key.device.lower()}.db", self._domain.separator)

    def close(self) -> None:
        self._queue.close()

    def record(self, slot: int, import_wh: int, export_wh: int) -> QueuedReading:
        """The first reading of a slot, signed and stored. The same figures again give the same reading.

        Raises ConflictingReading for other figures: those are a correction.
        """
        return self._record(Reading(self.meter, slot, 1, import_wh, export_wh))

    def correct(self, slot: int, import_wh: int, export_wh: int) -> QueuedReading:
        """The next version of a slot's reading. Raises ConflictingReading once LAST_VERSION is signed."""
        version = self._queue.latest_version(self.meter, slot) + 1
        if version > LAST_VERSION:
            raise ConflictingReading(self.meter, slot, LAST_VERSION)
        return self._record(Reading(self.meter, slot, version, import_wh, export_wh))

    def send(self) -> list[QueuedReading]:
        """Sends what the service has not acknowledged yet; returns what it took. Raises ServiceUnavailable.

        A refusal for good marks the reading rejected with its reason; one for now (too early) leaves it for later.
        """
        return send_together(self.client, [self])

    def take(self, reading: QueuedReading, item: Item) -> bool:
        """Remembers the service's answer to `reading`; whether it was taken."""
        if item.error is None or item.error.name == _TAKEN:
            self._queue.mark(reading.digest, "sent")
        elif item.error.name != "ReadingTooEarly":
            self._queue.mark(reading.digest, "rejected", item.error.name)
        return item.error is None

    def follow(self) -> int:
        """Asks what became of sent readings; returns how many are not final yet. What it forgot is sent again."""
        self._mark_recorded(list(self._queue.in_state("sent")))
        for reading in self._queue.in_state("sent"):
            try:
                state = self.client.request(reading.digest)
            except ServiceError as refusal:
                if refusal.status != 404:
                    raise
                self._queue.mark(reading.digest, "signed")
                continue
            if state["status"] == "rejected" and state.get("final", True):
                self._queue.mark(reading.digest, "rejected", str(state.get("reason")))
            elif state.get("final"):
                self._queue.mark(reading.digest, "final")
        return sum(1 for _ in self._queue.in_state("signed", "sent"))

    def _mark_recorded(self, sent: Sequence[QueuedReading]) -> None:
        """Many at once: what the ledger holds for good needs no question of its own."""
        if len(sent) < _ASK_TOGETHER:
            return
        rows = self.client.readings(self.meter, sent[0].slot, sent[-1].slot)
        final = {(int(row["slot"]), int(row["version"])) for row in rows if row["final"]}
        self._queue.mark_final(reading.digest for reading in sent if (reading.slot, reading.version) in final)

    def unsent(self) -> list[QueuedReading]:
        """Readings that the service has not acknowledged."""
        return list(self._queue.in_state("signed"))

    def find(self, slot: int, version: int) -> QueuedReading | None:
        """What the device signed for a slot under that version."""
        return self._queue.find(self.meter, slot, version)

    def rejected(self) -> list[QueuedReading]:
        return list(self._queue.in_state("rejected"))

    def _record(self, reading: Reading) -> QueuedReading:
        stored = self._queue.find(reading.meter, reading.slot, reading.version) or self._queue.add(self._sign(reading))
        if (stored.import_wh, stored.export_wh) != (reading.import_wh, reading.export_wh):
            raise ConflictingReading(reading.meter, reading.slot, reading.version)
        return stored

    def _sign(self, reading: Reading) -> QueuedReading:
        return QueuedReading(
            reading.meter,
            reading.slot,
            reading.version,
            reading.import_wh,
            reading.export_wh,
            self.key.sign(self._domain, reading),
            hex_of(digest(self._domain, reading)),
        )


def send_together(client: GridweaveClient, agents: Sequence[DeviceAgent]) -> list[QueuedReading]:
    """Sends what several devices of one gateway have waiting, in one request; returns what the service took.

    Raises ServiceUnavailable; then everything waits on.
    """
    waiting = [(agent, reading) for agent in agents for reading in agent.unsent()]
    if not waiting:
        return []
    items = client.post_readings([as_request(reading) for _, reading in waiting])
    return [reading for (agent, reading), item in zip(waiting, items, strict=True) if agent.take(reading, item)]


def as_request(queued: QueuedReading) -> Signed:
    """A signed reading as the API takes it."""
    reading = Reading(queued.meter, queued.slot, queued.version, queued.import_wh, queued.export_wh)
    return Signed(wire.reading_json(reading, queued.signature), wire.bytes_of(queued.digest), queued.signature)
