"""Which queued items share a transaction, and in which order the transactions go: pure.

Items of one kind (and slot, for readings) are gathered as far as their lanes allow: two items that share a lane keep
their order, because a group's place in the list is its place among the relayer's nonces.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from gridweave.outbox.gas_model import GasModel
from gridweave.outbox.kinds import ACTS, ORDERS, asks_wallet, group_key, place_of
from gridweave.store.records import Item

__all__ = ["Group", "leave_room", "plan"]

_LOOKED_AT = 32


@dataclass
class Group:
    """Items of one transaction."""

    kind: str
    capacity: int
    items: list[Item] = field(default_factory=list)
    places: set[Hashable] = field(default_factory=set)

    @property
    def is_full(self) -> bool:
        """Whether there is no room for another item."""
        return len(self.items) >= self.capacity

    def takes(self, item: Item) -> bool:
        """Whether there is room, and no other item for the same meter and slot, or device."""
        return not self.is_full and place_of(item) not in self.places

    def add(self, item: Item) -> None:
        """Takes the item in."""
        self.items.append(item)
        self.places.add(place_of(item))


def plan(items: Iterable[Item], gas: GasModel) -> list[Group]:
    """Groups in the order in which they must be executed, from items in the order in which they were accepted.

    What a gate or a window closes over goes before acts that have a transaction each, unless it shares a lane with one
    that was accepted earlier: nobody's money moves can make everybody's orders late.
    """
    urgent: list[Item] = []
    others: list[Item] = []
    held: set[str] = set()
    for item in items:
        if item.kind not in ACTS and held.isdisjoint(item.lanes):
            urgent.append(item)
        else:
            others.append(item)
            held.update(item.lanes)
    return _gather(urgent, gas) + _gather(others, gas)


def leave_room(groups: Iterable[Group], room: int, others: int) -> list[Group]:
    """The first groups, up to `room`, of which `others` at most carry other than single orders and cancels.

    Proofs, schedules and readings of many slots have a transaction each: nobody's can make everybody's orders late.
    What shares a lane with an item that stays behind stays behind as well.
    """
    chosen: list[Group] = []
    held: set[str] = set()
    for group in groups:
        if len(chosen) >= room:
            break
        free = group.kind in ORDERS or others > 0
        going = [item for item in group.items if free and held.isdisjoint(item.lanes)]
        if len(going) < len(group.items):
            gone = {item.seq for item in going}
            held.update(lane for item in group.items if item.seq not in gone for lane in item.lanes)
        if going:
            chosen.append(replace(group, items=going))
            others -= group.kind not in ORDERS
    return chosen


def _gather(items: Iterable[Item], gas: GasModel) -> list[Group]:
    """Each item in the first group that takes it and stands behind what shares a lane with it."""
    groups: list[Group] = []
    roomy: dict[Hashable, list[int]] = {}
    touched: dict[str, int] = {}
    for item in items:
        key = (group_key(item), gas.capacity(item.kind, item.attempts, wallets=asks_wallet(item)))
        earliest = max((touched.get(lane, -1) for lane in item.lanes), default=-1)
        alike = roomy.setdefault(key, [])
        at = _first_fit(groups, alike, earliest, item)
        if at is None:
            at = len(groups)
            groups.append(Group(item.kind, key[1]))
            alike.append(at)
        groups[at].add(item)
        if key[0] is None or groups[at].is_full:
            alike.remove(at)
        touched.update(dict.fromkeys(item.lanes, at))
    return groups


def _first_fit(groups: Sequence[Group], alike: Sequence[int], earliest: int, item: Item) -> int | None:
    """The first of these groups, from `earliest` on, that takes the item; only so many are looked at."""
    start = bisect_left(alike, earliest)
    return next((at for at in alike[start : start + _LOOKED_AT] if groups[at].takes(item)), None)
