"""A device that measures: chains and signs its readings, keeps them until a gateway has them, countersigns batches.

What it signs it can be held to, so it signs each reading once, and of batches only those that are its own readings in
its own order, one after the other.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gridweave.client.device_key import DeviceKey
from gridweave.client.measuring.memory import SignedPlace, StreamMemory
from gridweave.domain.anchors import Batch, StreamMode, stream_id
from gridweave.domain.eip712 import Domain
from gridweave.domain.telemetry.gateway_errors import (
    BatchEquivocates,
    BatchFollowsOther,
    BatchNotOwn,
    BatchOfOtherStream,
    ClockRanBack,
    DeviceMemoryFull,
    OtherHistory,
    SigningRefusal,
)
from gridweave.domain.telemetry.merkle import HASH_LENGTH, MerkleTree
from gridweave.domain.telemetry.messages import decode_message, encode_message
from gridweave.domain.telemetry.readings import MOST_READINGS, Reading, ReadingRun, layout
from gridweave.domain.telemetry.salts import SEED_LENGTH, SaltedRun
from gridweave.domain.telemetry.schema import Schema
from gridweave.domain.telemetry.segments import SignedRun
from gridweave.domain.telemetry.windows import window_at
from gridweave.domain.telemetry.words import BatchSignature, BatchStanding, Refusal, SegmentAck

__all__ = ["SigningPace", "StreamDevice"]

_MOST_SEGMENT_BYTES = 1 << 16


@dataclass(frozen=True)
class SigningPace:
    """When a device signs: after `readings` of them or `ms`, whichever is first, and at the end of every window.

    What is not signed is not kept: that much is lost with the power. `most_bytes` is how much may wait for a gateway.
    """

    readings: int = 100
    ms: int = 60_000
    most_bytes: int = 64 << 20


class StreamDevice:
    """One stream of a device: `key` is its present key, `device` its id, by default that of the key.

    `domain` is the TelemetryAnchor's, `folder` keeps the stream's memory. Raises MemoryOfOtherStream.
    """

    def __init__(
        self,
        key: DeviceKey,
        domain: Domain,
        schema: Schema,
        mode: StreamMode,
        folder: Path,
        *,
        device: str | None = None,
        pace: SigningPace | None = None,
    ) -> None:
        self.key, self.domain, self.schema = key, domain, schema
        self.device = device or key.device
        self.stream = stream_id(self.device, mode, schema.hash)
        self._pace = pace or SigningPace()
        self._most = min(self._pace.readings, MOST_READINGS, _MOST_SEGMENT_BYTES // layout(len(schema.channels)).size)
        self.memory = StreamMemory(folder / f"{self.stream.hex()}.db", self.stream, domain.separator, key.device)
        self._tail = self.memory.tail
        self._open: list[Reading] = []
        self._sign_anew()

    def close(self) -> None:
        """Closes the memory. What is not signed is lost."""
        self.memory.close()

    # measuring

    def record(self, at_ms: int, firmware: int, values: Sequence[int]) -> int:
        """Takes a reading; its index. `firmware` is the counter of the release, `values` one number for each channel.

        Raises ClockRanBack, DeviceMemoryFull, FieldOutOfRange, ChannelCountWrong, ValueOutsideChannel.
        """
        last_ms = self._open[-1].at_ms if self._open else self._tail.last_ms
        if at_ms < last_ms:
            raise ClockRanBack(at_ms, last_ms)
        if self._open and window_at(self._open[0].at_ms) != window_at(at_ms):
            self.sign()
        if not self._open and (kept := self.memory.waiting_bytes) >= self._pace.most_bytes:
            raise DeviceMemoryFull(kept, self._pace.most_bytes)
        reading = Reading(self._tail.next_index + len(self._open), at_ms, firmware, tuple(values))
        ReadingRun.of([reading]).must_fit(self.schema)
        self._open.append(reading)
        if len(self._open) >= self._most:
            self.sign()
        return reading.index

    def tick(self, now_ms: int) -> None:
        """Signs what has waited long enough, by the device's clock."""
        if not self._open:
            return
        first_ms = self._open[0].at_ms
        if now_ms - first_ms >= self._pace.ms or window_at(now_ms) != window_at(first_ms):
            self.sign()

    def sign(self) -> None:
        """Signs and keeps what was measured since the last segment."""
        if not self._open:
            return
        salted = SaltedRun(ReadingRun.of(self._open), secrets.token_bytes(SEED_LENGTH))
        segment = self._tail.segment(salted)
        sent = SignedRun(salted, segment, self.key.sign(self.domain, segment))
        self.memory.add(segment, salted.leaf_hashes, encode_message(sent))
        self._tail, self._open = self._tail.after(segment), []

    # sending

    def unacknowledged(self, after: int = 0, most: int = 16) -> list[tuple[int, int, bytes]]:
        """First and end index and message of segments that no gateway has, from index `after` on."""
        return self.memory.unacknowledged(after, most)

    def hear_ack(self, ack: SegmentAck) -> None:
        """Forgets what the gateway has. Raises OtherHistory when it has what the device does not know."""
        known, _ = self.memory.acknowledged
        if ack.stream != self.stream or not ack.head or ack.next_index < known:
            return  # of another stream, or an old one
        own = self.memory.head_at(ack.next_index)
        if own != ack.head:
            raise OtherHistory(ack.next_index, _hex(ack.head), _hex(own or b""))
        if ack.next_index > known:
            self.memory.acknowledge(ack.next_index, ack.head)

    # countersigning

    def answer(self, standing: BatchStanding) -> BatchSignature | None:
        """Remembers what is anchored, and signs the batch that is to be, or says why not."""
        if standing.stream != self.stream:
            return self._refuse(standing, BatchOfOtherStream(_hex(standing.stream)))
        self._learn(standing)
        batch = standing.to_sign
        if batch is None:
            return None
        try:
            self._must_be_signable(batch)
        except SigningRefusal as refused:
            return self._refuse(standing, refused)
        self.memory.add_batch(batch)
        return BatchSignature(self.stream, batch.head, self.key.sign(self.domain, batch))

    def _refuse(self, standing: BatchStanding, refused: SigningRefusal) -> BatchSignature | None:
        batch = standing.to_sign
        return BatchSignature(standing.stream, batch.head, None, Refusal.of(refused)) if batch else None

    def _learn(self, standing: BatchStanding) -> None:
        places = {place.head: place for place in self.memory.signed()}
        if standing.committed in places:
            self.memory.commit(standing.committed)
        if standing.final in places:
            self.memory.finalise(places[standing.final])

    def _must_be_signable(self, batch: Batch) -> None:
        signed = self.memory.signed()
        if any(place.head == batch.head for place in signed):
            return  # as before
        self._must_follow(batch, signed)
        for place in signed:
            if place.first_index == batch.first_index and batch.epoch <= place.epoch:
                raise BatchEquivocates(batch.first_index, batch.epoch, _hex(place.head))
        self._must_be_own(batch)

    def _must_follow(self, batch: Batch, signed: Sequence[SignedPlace]) -> None:
        """Its place is behind the last batch that is final, or behind one up to the last that is anchored."""
        by_head = {place.head: place for place in signed}
        final_index, final_head = self.memory.final
        places, at = {final_head: final_index}, by_head.get(self.memory.committed_head)
        while at is not None:
            places[at.head] = at.end_index
            at = by_head.get(at.previous_head)
        if places.get(batch.previous_head) != batch.first_index:
            raise BatchFollowsOther(_hex(batch.previous_head), batch.first_index)

    def _must_be_own(self, batch: Batch) -> None:
        end = batch.first_index + batch.count
        kept = self.memory.within(batch.first_index, end)
        own_end = kept[-1].end_index if kept else batch.first_index
        if not kept or own_end != end:
            raise BatchNotOwn("endIndex", str(end), str(own_end))
        hashes = b"".join(each.leaf_hashes for each in kept)
        root = MerkleTree.over([hashes[at : at + HASH_LENGTH] for at in range(0, len(hashes), HASH_LENGTH)]).root
        for name, said, own in (
            ("firstIndex", batch.first_index, kept[0].first_index),
            ("firstMs", batch.first_ms, kept[0].first_ms),
            ("lastMs", batch.last_ms, kept[-1].last_ms),
            ("root", _hex(batch.root), _hex(root)),
        ):
            if said != own:
                raise BatchNotOwn(name, str(said), str(own))

    def _sign_anew(self) -> None:
        """What another key of the device signed and no gateway has taken is signed by the present one."""
        if self.memory.key_name == self.key.device:
            return
        signed = []
        for first_index, _, message in self.memory.unacknowledged(0, 1 << 31):
            sent = decode_message(message)
            anew = SignedRun(sent.salted, sent.segment, self.key.sign(self.domain, sent.segment))
            signed.append((first_index, encode_message(anew)))
        self.memory.resign(self.key.device, signed)


def _hex(raw: bytes) -> str:
    return "0x" + raw.hex()
