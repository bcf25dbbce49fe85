"""Programs and events that are born elsewhere, as on chain: seen here like all others, changed there alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from gridweave.services.vtn.kinds import Kind, said
from gridweave.services.vtn.objects import Objects
from gridweave.store.vtn import VtnStore
from gridweave.store.vtn_rows import Thing, VtnRows
from gridweave.timing import now_ms

__all__ = ["Born", "Elsewhere", "Mirror"]


@dataclass(frozen=True)
class Born:
    """One of them: `id` is its own for good, `body` what business logic would have posted, targets included."""

    kind: Kind
    id: str
    body: Mapping[str, Any]


class Elsewhere(Protocol):
    """Where they are born. `name` says it in a sentence: "this event stands on chain"."""

    name: str

    async def standing(self) -> Sequence[Born]:
        """All that stand now, programs before their events; what is not among them any more is gone."""


class Mirror:
    """Makes what stands elsewhere stand here. Each look is one transaction; what did not change is not written."""

    def __init__(self, store: VtnStore, objects: Objects, source: Elsewhere) -> None:
        self._store, self._objects, self._source = store, objects, source

    async def look(self) -> bool:
        """Whether anything has changed. Raises StoreUnavailable, and what the source raises."""
        born = await self._source.standing()
        name = self._source.name
        known = {thing.id: thing for thing in await self._store.look(lambda rows: rows.of_origin(name))}
        wanted = {each.id: _thing(each, name, known.get(each.id)) for each in born}
        if wanted == known:
            return False

        def write(rows: VtnRows) -> None:
            for id_ in reversed(list(known)):
                if id_ not in wanted and (gone := rows.find(known[id_].kind, id_)) is not None:
                    self._objects.drop(rows, gone)
            for id_, thing in wanted.items():
                if known.get(id_) != thing:
                    self._objects.put(rows, thing, known.get(id_))

        await self._store.change(write)
        self._objects.changed()
        return True


def _thing(born: Born, origin: str, known: Thing | None) -> Thing:
    """As it stands there; equal to what is known if nothing but the time is new."""
    now = now_ms()
    fresh = Thing(id=born.id, kind=born.kind, content={}, created_at_ms=now)
    thing = replace(said(born.kind, born.body, known or fresh, now), origin=origin)
    return known if known is not None and replace(thing, modified_at_ms=known.modified_at_ms) == known else thing
