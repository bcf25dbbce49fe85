"""A desk for each stream: what the service says of it, and how far it is taken in, on disk and on the way there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TypeVar

from gridweave.domain.eip712 import Domain
from gridweave.domain.telemetry.gateway_errors import IntakeRefusal, ServiceAway
from gridweave.domain.telemetry.segments import StreamTail
from gridweave.gateway.anchorage import Anchorage, StreamFacts
from gridweave.gateway.keyring import KeyRing
from gridweave.gateway.spool import Known, Spool

__all__ = ["Desk", "Desks", "Disk"]

T = TypeVar("T")

_MOST_REFUSED = 4_096


class Disk:
    """The spool, whose calls block, in a thread of its own; one call at a time."""

    def __init__(self, spool: Spool) -> None:
        self.spool = spool
        self._thread = ThreadPoolExecutor(1, "spool")

    async def do(self, work: Callable[[Spool], T]) -> T:
        """What `work` returns. Once begun it is done, whether anybody still waits or not."""
        return await asyncio.wrap_future(self._thread.submit(work, self.spool))

    def close(self) -> None:
        """Waits for what was begun, then closes the spool."""
        self._thread.shutdown()
        self.spool.close()


@dataclass
class Desk:
    """One stream. `tail` is on disk, `ahead` where what is verified and on its way to the disk will move it.

    A stream of which the gateway has nothing and the chain has something begins with `open_at`: the first segment at
    that index says which head it continues, under its device's signature.
    """

    facts: StreamFacts
    tail: StreamTail
    asked_at: float
    open_at: int | None = None
    ahead: StreamTail = field(init=False)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.ahead = self.tail

    @property
    def is_opening(self) -> bool:
        """Whether the gateway still waits to be told which head the stream continues."""
        return self.open_at is not None and self.ahead.next_index == self.open_at

    def opened(self, head: bytes) -> None:
        """It is this one."""
        self.tail = self.ahead = replace(self.tail, head=head)
        self.open_at = None


class Desks:
    """Every stream that was met. `changed` is told of new desks."""

    def __init__(self, disk: Disk, service: Anchorage, keys: KeyRing, refresh_s: float) -> None:
        self._disk, self._service, self._keys, self._refresh_s = disk, service, keys, refresh_s
        self._desks: dict[bytes, Desk] = {}
        self._refused: dict[bytes, tuple[float, IntakeRefusal]] = {}
        self._domain: Domain | None = None
        self.changed: Callable[[Desk], None] = lambda _: None

    async def load(self) -> list[Desk]:
        """The desks of an earlier run."""
        for stream in await self._disk.do(Spool.streams):
            known = await self._disk.do(lambda spool, stream=stream: spool.known(stream))  # type: ignore[misc]
            assert known is not None
            self._seat(_desk_of(known))
        return list(self._desks.values())

    async def domain(self) -> Domain:
        """The TelemetryAnchor's. Raises ServiceAway."""
        if self._domain is None:
            self._domain = await self._service.domain()
        return self._domain

    def find(self, stream: bytes) -> Desk | None:
        """The desk of a stream that was met."""
        return self._desks.get(stream)

    async def of(self, stream: bytes) -> Desk:
        """The desk of a stream, about which one caller at a time asks.

        Raises IntakeRefusal: StreamNotOpen, SchemaNotKnown, KeysNotGiven, ServiceAway.
        """
        desk = self._desks.get(stream)
        if desk is not None:
            return desk
        until, refused = self._refused.get(stream, (0.0, None))
        if refused is not None and time.monotonic() < until:
            raise refused
        try:
            return await self._meet(stream)
        except IntakeRefusal as fault:
            self._refuse(stream, fault)
            raise

    async def refresh(self, desk: Desk, *, at_most_every_s: float = 0.0) -> bool:
        """Asks the service again, unless it was asked so recently; whether anything is new. Raises IntakeRefusal."""
        if time.monotonic() - desk.asked_at < at_most_every_s:
            return False
        desk.asked_at = time.monotonic()
        facts = await self._service.facts(desk.facts.stream)
        if facts == desk.facts:
            return False
        await self._disk.do(lambda spool: spool.learn(facts.stream, facts.encode()))
        desk.facts = facts
        return True

    async def renew(self, desk: Desk) -> bool:
        """Asks the service again, and whether it answered; what was known stands while it is away."""
        try:
            await self.refresh(desk)
        except ServiceAway:
            return False
        return True

    async def keep_fresh(self, desk: Desk) -> None:
        """Asks again when what is known is old; what is known stands while the service is away."""
        try:
            await self.refresh(desk, at_most_every_s=self._refresh_s)
        except ServiceAway:
            return

    async def _meet(self, stream: bytes) -> Desk:
        self._keys.must_know(stream)
        facts = await self._service.facts(stream)
        start = StreamTail.start(stream)
        tail = StreamTail(stream, facts.next_index, facts.last_ms, start.head)
        await self._disk.do(lambda spool: spool.meet(tail, facts.next_index, facts.head, facts.encode()))
        known = await self._disk.do(lambda spool: spool.known(stream))
        assert known is not None
        return self._seat(_desk_of(known))

    def _seat(self, desk: Desk) -> Desk:
        self._desks[desk.facts.stream] = desk
        self.changed(desk)
        return desk

    def _refuse(self, stream: bytes, fault: IntakeRefusal) -> None:
        """Remembers it for a while: asking costs the service more than it costs whoever sends."""
        if len(self._refused) >= _MOST_REFUSED:
            self._refused.clear()
        self._refused[stream] = time.monotonic() + self._refresh_s, fault


def _desk_of(known: Known) -> Desk:
    """A desk before anything is asked anew. The chain has what is below its base, the gateway what comes after."""
    tail = known.tail
    begins_amid = tail.next_index > 0 and tail.head == StreamTail.start(tail.stream).head
    return Desk(StreamFacts.decode(known.facts), tail, float("-inf"), tail.next_index if begins_amid else None)
