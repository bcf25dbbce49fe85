"""What clients do to objects. Each call is one transaction, in which subscribers' notices are queued as well."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from gridweave.services.vtn.clients import Client, Clients
from gridweave.services.vtn.errors import Forbidden, InConflict, Malformed, NoSuchObject
from gridweave.services.vtn.kinds import WRITERS, Kind, said, shown
from gridweave.services.vtn.notices import Operation, notices_of
from gridweave.services.vtn.privacy import sight_of
from gridweave.services.vtn.shelf import Shelf
from gridweave.store.vtn import VtnStore
from gridweave.store.vtn_rows import Filter, NameTaken, Thing, VtnRows
from gridweave.timing import now_ms

__all__ = ["MOST_PAGE", "Objects"]

MOST_PAGE = 50

Json = dict[str, Any]
_PARENTS = {
    Kind.EVENT: Kind.PROGRAM,
    Kind.REPORT: Kind.EVENT,
    Kind.SUBSCRIPTION: Kind.PROGRAM,
    Kind.RESOURCE: Kind.VEN,
}
_BY_BL = {Kind.VEN: "BL_VEN_REQUEST", Kind.RESOURCE: "BL_RESOURCE_REQUEST"}


class Objects:
    """Reads and writes in the name of a client, of which a VEN may have `most`. `changed` is called after each write.

    Raises Malformed, Forbidden, NoSuchObject, InConflict; StoreUnavailable, StoreBusy.
    """

    def __init__(self, store: VtnStore, clients: Clients, most: int, changed: Callable[[], None]) -> None:
        self._store, self._clients, self._most, self._changed = store, clients, most, changed
        self._shelf = Shelf()

    async def find(self, kind: Kind, client: Client, id_: str) -> bytes:
        """The object as the client may see it, as JSON."""

        def look(rows: VtnRows) -> bytes:
            sight = sight_of(rows, client, kind)
            return _json(shown(_seen(rows, client, kind, id_), sight.shows))

        return await self._shelf.get((client, kind, id_), lambda: self._store.look(look))

    async def page(
        self, kind: Kind, client: Client, wanted: Filter, targets: Collection[str] | None, skip: int, limit: int
    ) -> bytes:
        """At most `limit` objects, in the order in which they came, after `skip` of them, as JSON."""

        def look(rows: VtnRows) -> bytes:
            sight = sight_of(rows, client, kind, targets)
            if sight.asked is not None and not sight.asked:
                return b"[]"
            visible = replace(wanted, owner=sight.owner, granted=sight.granted, targets=sight.asked)
            return _json([shown(thing, sight.shows) for thing in rows.page(kind, visible, skip, limit)])

        key = (client, kind, wanted, None if targets is None else tuple(targets), skip, limit)
        return await self._shelf.get(key, lambda: self._store.look(look))

    async def create(self, kind: Kind, client: Client, body: Mapping[str, Any]) -> Json:
        """A new object, of an id of our own."""
        _check_role(kind, client)

        def write(rows: VtnRows) -> Json:
            if not client.is_bl and rows.count(client.id) >= self._most:
                raise Forbidden(f"a VEN may have {self._most} objects here: delete some")
            now = now_ms()
            fresh = Thing(id=str(uuid.uuid4()), kind=kind, content={}, created_at_ms=now)
            thing = _owned(rows, kind, client, said(kind, body, fresh, now), body, None)
            try:
                thing = rows.add(thing)
            except NameTaken as taken:
                raise _taken(kind, taken) from taken
            self._tell(rows, Operation.CREATE, thing, now)
            return shown(thing, sight_of(rows, client, kind).shows)

        return await self._write(write)

    async def update(self, kind: Kind, client: Client, id_: str, body: Mapping[str, Any]) -> Json:
        """The object as the client says that it is now."""
        _check_role(kind, client)

        def write(rows: VtnRows) -> Json:
            before = _ours(_seen(rows, client, kind, id_))
            now = max(now_ms(), before.modified_at_ms)
            thing = _owned(rows, kind, client, said(kind, body, before, now), body, before)
            try:
                rows.change(thing)
            except NameTaken as taken:
                raise _taken(kind, taken) from taken
            if kind is Kind.VEN and thing.owner != before.owner:
                rows.give(thing.id, thing.owner)
            self._tell(rows, Operation.UPDATE, thing, now)
            return shown(thing, sight_of(rows, client, kind).shows)

        return await self._write(write)

    async def delete(self, kind: Kind, client: Client, id_: str) -> Json:
        """The object that is gone, and with it all that belonged to it."""
        _check_role(kind, client)

        def write(rows: VtnRows) -> Json:
            thing = _ours(_seen(rows, client, kind, id_))
            answer = shown(thing, sight_of(rows, client, kind).shows)
            self.drop(rows, thing)
            return answer

        return await self._write(write)

    def drop(self, rows: VtnRows, thing: Thing) -> None:
        """Within a transaction: takes the object and all that belongs to it away, the innermost first."""
        for child in rows.children(thing.id):
            self.drop(rows, child)
        self._tell(rows, Operation.DELETE, thing, now_ms())
        rows.drop(thing)

    def put(self, rows: VtnRows, thing: Thing, before: Thing | None) -> None:
        """Within a transaction: an object that was born elsewhere stands as it is there."""
        now = now_ms()
        if before is None:
            thing = rows.add(thing)
        else:
            rows.change(thing)
        self._tell(rows, Operation.CREATE if before is None else Operation.UPDATE, thing, now)

    async def _write(self, work: Callable[[VtnRows], Json]) -> Json:
        done = await self._store.change(work)
        self.changed()
        return done

    def changed(self) -> None:
        """Something was written: nobody is answered from before, and subscribers are told."""
        self._shelf.forget()
        self._changed()

    def _tell(self, rows: VtnRows, operation: Operation, thing: Thing, now: int) -> None:
        rows.tell(notices_of(rows, self._clients, operation, thing, now))


def _json(body: Any) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def _check_role(kind: Kind, client: Client) -> None:
    """Raises Forbidden."""
    if client.role not in WRITERS[kind]:
        only = "business logic" if client.role not in WRITERS[Kind.EVENT] else "a VEN"
        raise Forbidden(f"only {only} writes {kind.lower()}s")


def _seen(rows: VtnRows, client: Client, kind: Kind, id_: str) -> Thing:
    """Raises NoSuchObject."""
    thing = rows.find(kind, id_)
    if thing is None or not sight_of(rows, client, kind).sees(thing):
        raise NoSuchObject(kind, id_)
    return thing


def _ours(thing: Thing) -> Thing:
    """Raises Forbidden for what was born elsewhere."""
    if thing.origin is not None:
        raise Forbidden(f"this {thing.kind.lower()} stands {thing.origin}: it changes there")
    return thing


def _owned(
    rows: VtnRows, kind: Kind, client: Client, thing: Thing, body: Mapping[str, Any], before: Thing | None
) -> Thing:
    """The object with whom it belongs to, and its targets where a VEN has no say in them."""
    parent = _parent(rows, kind, client, thing)
    match kind:
        case Kind.PROGRAM | Kind.EVENT:
            return thing
        case Kind.REPORT | Kind.SUBSCRIPTION:
            return replace(thing, owner=client.id if before is None else before.owner)
    _check_form(kind, client, body)
    if client.is_bl:
        owner = str(body["clientID"])
        if parent is not None and parent.owner != owner:
            raise Malformed(f"clientID is that of the ven: {parent.owner}")
        return replace(thing, owner=owner)
    if kind is Kind.VEN and client.ven_name not in (None, thing.name):
        raise Forbidden(f"your venName is {client.ven_name}")
    return replace(thing, owner=client.id, targets=() if before is None else before.targets)


def _parent(rows: VtnRows, kind: Kind, client: Client, thing: Thing) -> Thing | None:
    """What the object belongs to, as far as the client may see it. Raises InConflict, NoSuchObject, Forbidden."""
    above = _PARENTS.get(kind)
    if above is None or thing.parent is None:
        return None
    found = rows.find(above, thing.parent)
    if found is None or not sight_of(rows, client, above).sees(found):
        if kind is Kind.RESOURCE:
            raise NoSuchObject(above, thing.parent)
        raise InConflict(f"there is no {above.lower()} {thing.parent}")
    return _ours(found) if kind is Kind.EVENT else found


def _check_form(kind: Kind, client: Client, body: Mapping[str, Any]) -> None:
    """Raises Malformed, Forbidden: each role has a form of its own."""
    is_bls = body["objectType"] == _BY_BL[kind]
    if client.is_bl and not (is_bls and body.get("clientID")):
        raise Malformed(f"business logic sends a {_BY_BL[kind]}, with a clientID")
    if is_bls and not client.is_bl:
        raise Forbidden(f"a {_BY_BL[kind]} is business logic's: targets and clientID are not yours to say")


def _taken(kind: Kind, taken: NameTaken) -> InConflict:
    return InConflict(f"another {kind.lower()} is called {taken}")
