"""Who sees which objects: business logic all, a VEN its own, and programs and events as its targets allow."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from gridweave.services.vtn.clients import Client
from gridweave.services.vtn.kinds import TARGETED, Kind
from gridweave.store.vtn_rows import Thing, VtnRows

__all__ = ["Sight", "sight_of"]


@dataclass(frozen=True)
class Sight:
    """What a client sees of one kind of objects.

    `owner`: only this client's, if it is set. `granted`: those without targets and those with one of these, if it is
    set. `asked`: those with at least one of these, if it is set. What is hidden of an object's targets follows.
    """

    owner: str | None = None
    granted: frozenset[str] | None = None
    asked: frozenset[str] | None = None

    @property
    def shows(self) -> frozenset[str] | None:
        """The targets that may be told; None: all of them."""
        if self.granted is None:
            return None
        return self.granted if self.asked is None else self.asked

    def sees(self, thing: Thing) -> bool:
        """Whether the object is among what it sees."""
        if self.owner is not None and thing.owner != self.owner:
            return False
        if self.asked is not None:
            return not self.asked.isdisjoint(thing.targets)
        return self.granted is None or not thing.targets or not self.granted.isdisjoint(thing.targets)


def sight_of(rows: VtnRows, client: Client, kind: Kind, asked: Collection[str] | None = None) -> Sight:
    """What the client sees of that kind, if it asks for these targets.

    A VEN that asks for targets which nobody granted it asks for nothing: the targets in the query are cut down to those
    of its vens and resources. One that names none sees all that it is granted.
    """
    wanted = frozenset(asked) if asked is not None else None
    if client.is_bl:
        return Sight(asked=wanted)
    if kind not in TARGETED:
        return Sight(owner=client.id, asked=wanted)
    granted = rows.granted(client.id)
    return Sight(granted=granted, asked=None if wanted is None else wanted & granted)
