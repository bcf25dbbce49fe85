"""The program of an asset that answers: it takes setpoints, commits what it can keep, obeys, and reports. No wire.

A link (`MqttLink`) brings it words, and takes its answers again and again, whereby time goes on. Slots are counted
since the Unix epoch, as in the ledger. A setpoint holds from a slot's start: one that is late leaves out those begun.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Generic, TypeVar

from gridweave.client.answering.asset import Asset, Moved, Span
from gridweave.client.answering.body import Body
from gridweave.client.answering.orders import Order, Orders
from gridweave.domain.setpoints import OperatingState, Setpoint, SetpointAnswer
from gridweave.timing import now_ms

__all__ = ["AnsweringAgent"]

B = TypeVar("B", bound=Body)

_S = 1_000
_EXPIRED, _TAKEN = "expired", "taken"
_REFUSED = (_EXPIRED, _TAKEN)


class AnsweringAgent(Generic[B]):
    """Answers for `asset`, whose plan begins with `first_slot`. `moved` has what the meter counted in each slot so far.

    Orders that an earlier run took are taken up again from `orders`.
    """

    def __init__(self, asset: Asset[B], first_slot: int, orders: Orders, clock: Callable[[], int] = now_ms) -> None:
        self.moved: list[Moved] = []
        self._first, self._orders, self._clock = first_slot, orders, clock
        self._asset = asset
        self._out: deque[bytes] = deque()
        self._announced: set[tuple[str, int]] = set()
        for order in orders.all():
            self._asset = self._asset.with_setpoint(self._span(order.setpoint), order.committed_w)
        self._look_ahead()

    @property
    def asset(self) -> Asset[B]:
        """As it is at the start of the slot that is under way."""
        return self._asset

    def due(self) -> Iterator[bytes]:
        """Answers to send now. One counts as sent when the next is asked for."""
        self.tick()
        while self._out:
            yield self._out[0]
            self._out.popleft()

    def hear(self, raw: bytes) -> None:
        """A setpoint, maybe not for the first time. Raises WordMalformed, OSError."""
        setpoint = Setpoint.decode(raw)
        self.tick()
        known = self._orders.of(setpoint.event)
        if known is not None and setpoint.sequence < known.setpoint.sequence:
            self._say(Order(setpoint, 0, "superseded"))
            return
        if known is None or setpoint.sequence > known.setpoint.sequence:
            known, asset = self._judge(setpoint, known)
            self._orders.keep(known)
            self._asset = asset
        self._say(known)

    def tick(self) -> None:
        """Lets pass the slots that have ended, and answers for each that was called; says when a setpoint begins."""
        while self._asset.slot < min(self._slot(), len(self._asset.plan)):
            order = self._called(self._asset.slot)
            self._asset, moved = self._asset.step()
            self.moved.append(moved)
            if order is not None:
                if moved.limit is not None:
                    order = self._opt_out(order, moved.limit.value, self._asset.slot)
                self._say(order, moved)
        order = self._called(self._slot())
        if order is not None and (place := (order.setpoint.event, order.setpoint.sequence)) not in self._announced:
            self._announced.add(place)
            self._say(order)

    def told(self, body: B) -> None:
        """The asset is not as expected: warmer, colder, or about to drive. It opts out of what it cannot keep."""
        self.tick()
        self._asset = replace(self._asset, body=body)
        self._look_ahead()

    def opt_out(self, event: str) -> None:
        """Its owner wants it back."""
        self.tick()
        order = self._orders.of(event)
        if order is not None and order.committed_w:
            self._say(self._opt_out(order, "owner", self._next()))

    def available(self, first_slot: int, slots: int, *, up: bool) -> int:
        """LOAD_SHED_DELTA_AVAILABLE: the most W that it can shed (take, if `up`) in each of these slots."""
        self.tick()
        return self._asset.available(self._to_come(Span(first_slot - self._first, slots)), up=up)

    def _judge(self, setpoint: Setpoint, known: Order | None) -> tuple[Order, Asset[B]]:
        """What of it is kept, and the asset that has this in its agenda, in place of what it knew of the event."""
        asset = self._asset
        if known is not None and known.committed_w:
            asset = asset.with_setpoint(self._to_come(self._span(known.setpoint)), 0)
        span = self._to_come(self._span(setpoint))
        if self._clock() > setpoint.expires_ms or span.slots <= 0:
            return Order(setpoint, 0, _EXPIRED), asset
        if any(asset.setpoint(slot) for slot in range(span.first, span.end)):
            return Order(setpoint, 0, _TAKEN), asset
        most = asset.available(span, up=setpoint.watts > 0)
        committed = max(-most, min(most, setpoint.watts))
        limit = asset.hindered(span, setpoint.watts) if setpoint.watts else None
        return Order(setpoint, committed, limit.value if limit else None), asset.with_setpoint(span, committed)

    def _look_ahead(self) -> None:
        for order in self._orders.all():
            span = self._to_come(self._span(order.setpoint))
            limit = self._asset.hindered(span, order.committed_w) if order.committed_w and span.slots > 0 else None
            if limit is not None:
                self._say(self._opt_out(order, limit.value, self._next()))

    def _opt_out(self, order: Order, reason: str, first: int) -> Order:
        """From slot `first` on."""
        span = self._span(order.setpoint)
        first = max(span.first, first)
        self._asset = self._asset.with_setpoint(Span(first, max(0, span.end - first)), 0)
        after = Order(order.setpoint, 0, reason)
        self._orders.keep(after)
        return after

    def _called(self, slot: int) -> Order | None:
        """The order under which a slot has a setpoint. One that was ended keeps the slot that had begun."""
        if not self._asset.setpoint(slot):
            return None
        orders = [order for order in self._orders.all() if slot in self._span(order.setpoint)]
        return next((order for order in orders if order.reason not in _REFUSED), None)

    def _say(self, order: Order, moved: Moved | None = None) -> None:
        setpoint = order.setpoint
        answer = SetpointAnswer(setpoint.event, setpoint.sequence, self._state(order), order.committed_w)
        if moved is not None:
            counted = moved.metered_wh, moved.planned_wh
            answer = replace(answer, slot=moved.slot + self._first, metered_wh=counted[0], planned_wh=counted[1])
        self._out.append(replace(answer, reason=order.reason).encode())

    def _state(self, order: Order) -> OperatingState:
        if order.setpoint.watts and not order.committed_w:
            return OperatingState.RUNNING_OPTED_OUT
        watts = self._asset.setpoint(self._slot())
        if watts:
            return OperatingState.RUNNING_HEIGHTENED if watts > 0 else OperatingState.RUNNING_CURTAILED
        return OperatingState.RUNNING_NORMAL

    def _slot(self) -> int:
        """The slot of the plan that is under way."""
        return self._clock() // (self._asset.body.seconds * _S) - self._first

    def _next(self) -> int:
        """The first slot of the plan that has not begun, or begins this millisecond."""
        return -(-self._clock() // (self._asset.body.seconds * _S)) - self._first

    def _span(self, setpoint: Setpoint) -> Span:
        return Span(setpoint.first_slot - self._first, setpoint.slots)

    def _to_come(self, span: Span) -> Span:
        """What of a span has not begun; of no slots if all has."""
        first = max(span.first, self._next())
        return Span(first, max(0, span.end - first))
