"""For which orders a bond answers: those that no more of their own account can make late, or too many to prove.

An order waits for the acts that its account sent before it, and a refused one costs a transaction of its own. So who
sends many of either could have the relayer's promises broken, and be paid for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from gridweave.outbox.kinds import PROVABLE
from gridweave.services.world import World
from gridweave.store.records import NewItem

__all__ = ["acts_lanes", "backed", "proofs_lane"]


def acts_lanes(lanes: Iterable[str]) -> tuple[str, ...]:
    """Lanes of an act by which orders know that they wait for it."""
    return tuple(f"acts:{lane}" for lane in lanes)


def proofs_lane(account: str | None) -> str:
    """The lane of whatever proves that an account's orders are refused; no order is in it."""
    return f"proofs:{account}"


def backed(world: World, items: Sequence[tuple[NewItem, bytes]]) -> list[NewItem]:
    """The items, each with its signature, in order; who promises nothing for one says so in its acknowledgement.

    Nothing may be awaited between this and the queue.
    """
    taken: Counter[str] = Counter()
    found: list[NewItem] = []
    for item, signature in items:
        account = item.account or ""
        if item.sponsor is None or item.kind not in PROVABLE:
            found.append(item)
        elif _is_safe(world, item, taken[account]):
            taken[account] += 1
            found.append(item)
        else:
            found.append(world.acknowledge(item, signature, backed=False))
    return found


def _is_safe(world: World, item: NewItem, taken: int) -> bool:
    """Whether it waits for no act, and few enough of its account are on their way or to be proved; `taken` more are."""
    lanes = world.lanes
    under_way = lanes.count(f"account:{item.account}") + lanes.count(proofs_lane(item.account)) + taken
    return under_way < world.settings.most_backed and not lanes.busy(acts_lanes(item.lanes))
