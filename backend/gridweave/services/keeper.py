"""The keeper: clears slots past their gate and settles silent meters past their deadline, through the same outbox.

Anyone may do both; the keeper only sees to it that somebody does.
"""

from __future__ import annotations

from collections import Counter

from gridweave.chain.hexes import to_hex
from gridweave.domain.hashing import keccak
from gridweave.domain.slots import HORIZON, RING
from gridweave.domain.terms import MarketTerms
from gridweave.outbox.kinds import Kind
from gridweave.services.terms import in_force
from gridweave.services.world import World
from gridweave.store.records import REJECTED, NewItem

__all__ = ["Keeper"]

_LOOK_BACK = RING - HORIZON
_MOST_TRIES = 8  # times that a thing is asked for, a block each, before it rests
_REST = 64  # blocks after which what rests is asked for again
_PATIENCE = 7 * 86_400  # seconds of chain time that an item of the keeper stays worth sending


class Keeper:
    """Looks at the index after it moved and queues what is due."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._done: set[tuple[int, int]] = set()
        self._tries: Counter[str] = Counter()
        self._tried_since = 0
        self.given_up = 0

    def forget(self) -> None:
        """A reorganisation may have undone what was done."""
        self._done.clear()
        self._tries.clear()

    async def look(self) -> int:
        """Queues what is due and not under way; how many things are due, save those that rest. Raises StoreUnavailable.

        What was refused and is still due is asked for again, until it was tried _MOST_TRIES times: who would pay for a
        refusal in every block? Then it rests; `given_up` says how many do.
        """
        if self._world.heads.number >= self._tried_since + _REST:
            self._tries.clear()
            self._tried_since = self._world.heads.number
        due = await self._due()
        hopeful = [item for id_, item in due.items() if self._tries[id_] < _MOST_TRIES]
        known = await self._world.outbox.items([item.id for item in hopeful])
        fresh = [item for item in hopeful if item.id not in known or known[item.id].status == REJECTED]
        await self._world.queue.accept(fresh)
        self._tries.update(item.id for item in fresh)
        self.given_up = len(due) - len(hopeful)
        return len(hopeful)

    async def _due(self) -> dict[str, NewItem]:
        due: list[NewItem] = []
        for market, versions in (await self._world.terms.versions()).items():
            due += await self._clearings(market, versions)
            due += await self._silent(market, versions)
        return {item.id: item for item in due}

    async def _clearings(self, market: int, versions: list[MarketTerms]) -> list[NewItem]:
        now, clock = self._world.heads.time, self._world.clock
        gated = clock.slot_at(now + max(terms.gate_lead for terms in versions)) + 1
        found = await self._world.reads.orders.uncleared(max(0, gated - RING), gated + 1)
        slots = [slot for place, slot in found if place == market and self._gate(versions, slot) <= now]
        return [self._clear(market, slot) for slot in slots]

    async def _silent(self, market: int, versions: list[MarketTerms]) -> list[NewItem]:
        """Per slot past its reading deadline: its meters that nobody has settled."""
        now = self._world.heads.time
        current = self._world.clock.slot_at(now)
        due: list[NewItem] = []
        for slot in range(max(0, current - _LOOK_BACK), current):
            if (market, slot) not in self._done and self._deadline(versions, slot) <= now:
                due += await self._silent_in(market, slot)
        return due

    async def _silent_in(self, market: int, slot: int) -> list[NewItem]:
        reads = self._world.reads
        settled = await reads.meters.settled(market, slot)
        traded = {row["meter"] for row in await reads.orders.live(market, slot)}
        wanted = (traded | await self._registered(market, slot)) - settled
        if not wanted:
            self._done.add((market, slot))
            return []
        if await reads.markets.clearing(market, slot) is None:
            return [self._clear(market, slot)]
        idle = sorted(meter for meter in wanted if not self._world.lanes.busy([f"meter:{meter}"]))
        return [self._settle(market, slot, meter) for meter in idle]

    async def _registered(self, market: int, slot: int) -> set[int]:
        """Meters that stood when the slot began, if silence of those that did not trade is the keeper's business."""
        if not self._world.settings.keeper_silent_meters:
            return set()
        return await self._world.reads.meters.standing(market, slot, self._world.clock.start(slot))

    def _clear(self, market: int, slot: int) -> NewItem:
        return self._item(Kind.CLEAR, market, slot, None)

    def _settle(self, market: int, slot: int, meter: int) -> NewItem:
        return self._item(Kind.DEFAULT, market, slot, meter)

    def _item(self, kind: Kind, market: int, slot: int, meter: int | None) -> NewItem:
        hash_ = keccak(f"gridweave keeper {kind} {market} {slot} {meter}".encode())
        closes = self._world.heads.time + _PATIENCE
        call = self._world.contracts.auction.clear(market, slot)
        payload = {"to": call.to, "data": to_hex(call.data)} if kind is Kind.CLEAR else {}
        return NewItem(
            id=to_hex(hash_),
            kind=kind,
            nonce_key=None,
            lanes=(f"slot:{market}:{slot}",),
            payload=payload | {"late": "SlotForgotten"},
            commit_before=closes,
            market=market,
            slot=slot,
            meter=meter,
        )

    def _gate(self, versions: list[MarketTerms], slot: int) -> int:
        return in_force(versions, slot).gate(slot, self._world.clock)

    def _deadline(self, versions: list[MarketTerms], slot: int) -> int:
        return in_force(versions, slot).reading_deadline(slot, self._world.clock)
