"""The VTN's rows within one transaction, which its caller holds: each rule reads and writes one consistent state."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Select, and_, delete, exists, func, insert, or_, select, update

from gridweave.store.vtn_tables import vtn_notices, vtn_objects, vtn_targets

__all__ = ["Filter", "NameTaken", "Thing", "VtnRows"]


class NameTaken(Exception):
    """Another object has the name that only one may have."""


@dataclass(frozen=True)
class Thing:
    """One object: `content` is what its client said, without `targets`; times in milliseconds since 1970."""

    id: str
    kind: str
    content: dict[str, Any]
    targets: tuple[str, ...] = ()
    owner: str | None = None
    parent: str | None = None
    name: str | None = None
    unique_name: str | None = None
    ends_at_ms: int | None = None
    origin: str | None = None
    created_at_ms: int = 0
    modified_at_ms: int = 0
    seq: int = 0


@dataclass(frozen=True)
class Filter:
    """Which objects of a kind; every condition that is not None must hold.

    `targets`: at least one of these. `granted`: no targets at all, or one of these. `program`: of reports, their
    event's. `after_ms`: of events, they end later. `objects`: of subscriptions, to any of these kinds.
    """

    owner: str | None = None
    parent: str | None = None
    program: str | None = None
    name: str | None = None
    targets: Collection[str] | None = None
    granted: Collection[str] | None = None
    after_ms: int | None = None
    objects: tuple[str, ...] | None = None


class VtnRows:
    """Objects, targets and notices as one transaction sees them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, kind: str, id_: str) -> Thing | None:
        """The object of that kind and id."""
        query = select(vtn_objects).where(vtn_objects.c.id == id_, vtn_objects.c.kind == kind)
        row = self._connection.execute(query).mappings().first()
        return None if row is None else _thing(row)

    def page(self, kind: str, wanted: Filter, skip: int = 0, limit: int | None = None) -> list[Thing]:
        """In the order in which they came."""
        query = _matching(kind, wanted).order_by(vtn_objects.c.seq)
        if wanted.objects is not None:
            things = [_thing(row) for row in self._connection.execute(query).mappings()]
            chosen = [thing for thing in things if _asks_for(thing, wanted.objects)]
            return chosen[skip:] if limit is None else chosen[skip : skip + limit]
        return [_thing(row) for row in self._connection.execute(query.offset(skip).limit(limit)).mappings()]

    def of_origin(self, origin: str) -> list[Thing]:
        """All that was born there."""
        query = select(vtn_objects).where(vtn_objects.c.origin == origin).order_by(vtn_objects.c.seq)
        return [_thing(row) for row in self._connection.execute(query).mappings()]

    def children(self, id_: str) -> list[Thing]:
        """What belongs to the object, whatever kind it is."""
        query = select(vtn_objects).where(vtn_objects.c.parent == id_).order_by(vtn_objects.c.seq)
        return [_thing(row) for row in self._connection.execute(query).mappings()]

    def count(self, owner: str) -> int:
        """How many objects a client has."""
        query = select(func.count()).select_from(vtn_objects).where(vtn_objects.c.owner == owner)
        return int(self._connection.execute(query).scalar_one())

    def granted(self, owner: str) -> frozenset[str]:
        """The targets of the client's vens and of their resources."""
        query = (
            select(vtn_targets.c.target)
            .join(vtn_objects, vtn_objects.c.seq == vtn_targets.c.object)
            .where(vtn_objects.c.owner == owner, vtn_objects.c.kind.in_(("VEN", "RESOURCE")))
        )
        return frozenset(self._connection.execute(query).scalars())

    def add(self, thing: Thing) -> Thing:
        """A new object. Raises NameTaken."""
        self._check_name(thing)
        result = self._connection.execute(insert(vtn_objects).values(_row(thing)))
        added = replace(thing, seq=int((result.inserted_primary_key or (0,))[0]))
        self._target(added)
        return added

    def change(self, thing: Thing) -> None:
        """The object as it is from now on. Raises NameTaken."""
        self._check_name(thing)
        self._connection.execute(update(vtn_objects).where(vtn_objects.c.seq == thing.seq).values(_row(thing)))
        self._connection.execute(delete(vtn_targets).where(vtn_targets.c.object == thing.seq))
        self._target(thing)

    def give(self, parent: str, owner: str | None) -> None:
        """The resources of a ven go to that client."""
        resources = and_(vtn_objects.c.parent == parent, vtn_objects.c.kind == "RESOURCE")
        self._connection.execute(update(vtn_objects).where(resources).values(owner=owner))

    def drop(self, thing: Thing) -> None:
        """Takes the object away, and what was still to be told to it."""
        self._connection.execute(delete(vtn_targets).where(vtn_targets.c.object == thing.seq))
        self._connection.execute(delete(vtn_objects).where(vtn_objects.c.seq == thing.seq))
        self._connection.execute(delete(vtn_notices).where(vtn_notices.c.subscription == thing.id))

    def tell(self, notices: Sequence[dict[str, Any]]) -> None:
        """Queues notices: {subscription, url, bearer, body, attempts, due_at_ms, created_at_ms} each."""
        if notices:
            self._connection.execute(insert(vtn_notices), list(notices))

    def _target(self, thing: Thing) -> None:
        rows = [{"object": thing.seq, "target": target} for target in dict.fromkeys(thing.targets)]
        if rows:
            self._connection.execute(insert(vtn_targets), rows)

    def _check_name(self, thing: Thing) -> None:
        if thing.unique_name is None:
            return
        others = and_(vtn_objects.c.unique_name == thing.unique_name, vtn_objects.c.seq != thing.seq)
        if self._connection.execute(select(vtn_objects.c.id).where(others)).first() is not None:
            raise NameTaken(thing.name)


def _matching(kind: str, wanted: Filter) -> Select[Any]:
    column = vtn_objects.c
    query = select(vtn_objects).where(column.kind == kind)
    for name in ("owner", "parent", "name"):
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(column[name] == value)
    if wanted.program is not None:
        events = select(column.id).where(column.kind == "EVENT", column.parent == wanted.program)
        query = query.where(column.parent.in_(events))
    if wanted.targets is not None:
        query = query.where(_has_one_of(wanted.targets))
    if wanted.granted is not None:
        query = query.where(or_(column.targets == "[]", _has_one_of(wanted.granted)))
    if wanted.after_ms is not None:
        query = query.where(or_(column.ends_at_ms.is_(None), column.ends_at_ms > wanted.after_ms))
    return query


def _asks_for(subscription: Thing, kinds: Collection[str]) -> bool:
    return any(kind in wish["objects"] for wish in subscription.content["objectOperations"] for kind in kinds)


def _has_one_of(targets: Collection[str]) -> Any:
    named = and_(vtn_targets.c.object == vtn_objects.c.seq, vtn_targets.c.target.in_(sorted(targets)))
    return exists(select(vtn_targets.c.object).where(named))


def _thing(row: Any) -> Thing:
    return Thing(**(dict(row) | {"content": json.loads(row["content"]), "targets": tuple(json.loads(row["targets"]))}))


def _row(thing: Thing) -> dict[str, Any]:
    row = {name: value for name, value in vars(thing).items() if name != "seq"}
    return row | {"content": json.dumps(thing.content), "targets": json.dumps(list(thing.targets))}
