"""What to send to the gateway now, and what to make of its words: the device's side of it all, without a wire.

Nothing rests on the wire: messages go out again from the first one that is not acknowledged, after a while or as soon
as the gateway says what it is missing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from gridweave.client.measuring.device import StreamDevice
from gridweave.domain.telemetry.words import BatchStanding, Refusal, SegmentAck

__all__ = ["Patience", "Pump"]

_RIGHT_AWAY = "SegmentGap"  # a message was lost: the gateway says from where on


@dataclass(frozen=True)
class Patience:
    """How many messages may be under way, and for how many seconds; pauses after refusals double up to the longest."""

    window: int = 8
    resend_s: float = 5.0
    pause_s: float = 0.5
    longest_pause_s: float = 30.0


class Pump:
    """Drives `device`; `refused` is why the gateway does not take what it sends, None while it does."""

    def __init__(
        self, device: StreamDevice, patience: Patience | None = None, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.device = device
        self.refused: Refusal | None = None
        self._patience, self._now = patience or Patience(), now
        self._next, _ = device.memory.acknowledged
        self._moved_at = self._not_before = now()
        self._pause_s = self._patience.pause_s

    def due(self) -> list[bytes]:
        """The messages to send now."""
        now, (acked, _) = self._now(), self.device.memory.acknowledged
        if now < self._not_before:
            return []
        if now - self._moved_at > self._patience.resend_s:
            self._next = acked
        self._next = max(self._next, acked)
        under_way = self.device.unacknowledged(acked, self._patience.window)
        due = [(end, message) for first, end, message in under_way if first >= self._next]
        if due:
            self._next, self._moved_at = due[-1][0], now
        return [message for _, message in due]

    def hear_segments(self, raw: bytes) -> None:
        """An acknowledgement. Raises WordMalformed, OtherHistory."""
        ack = SegmentAck.decode(raw)
        if ack.stream != self.device.stream:
            return
        before, _ = self.device.memory.acknowledged
        self.device.hear_ack(ack)
        if ack.next_index > before:
            self._moved_at, self._pause_s = self._now(), self._patience.pause_s
        self.refused = ack.refused
        if ack.refused is None:
            return
        self._next = 0  # from the first that is not acknowledged
        if ack.refused.name != _RIGHT_AWAY:
            self._not_before = self._now() + self._pause_s
            self._pause_s = min(2 * self._pause_s, self._patience.longest_pause_s)

    def hear_batches(self, raw: bytes) -> bytes | None:
        """How the stream's batches stand; the answer, if one is due. Raises WordMalformed."""
        standing = BatchStanding.decode(raw)
        if standing.stream != self.device.stream:
            return None
        answer = self.device.answer(standing)
        return answer.encode() if answer else None
