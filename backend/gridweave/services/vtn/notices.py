"""Which subscribers are told of a change, and what."""

from __future__ import annotations

import json
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from gridweave.services.vtn.clients import Clients
from gridweave.services.vtn.kinds import Kind, shown
from gridweave.services.vtn.privacy import Sight, sight_of
from gridweave.store.vtn_rows import Filter, Thing, VtnRows

__all__ = ["Operation", "notices_of"]

_WITHOUT_TARGETS = frozenset({Kind.REPORT, Kind.SUBSCRIPTION})


class Operation(StrEnum):
    """As a notification names it."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"


def notices_of(
    rows: VtnRows, clients: Clients, operation: Operation, thing: Thing, now_ms: int
) -> list[dict[str, Any]]:
    """Rows to queue: one for each callback of each subscription that asks for the change and whose client may see it.

    A client that was removed is told nothing.
    """
    found: list[dict[str, Any]] = []
    subscriptions = rows.page(Kind.SUBSCRIPTION, Filter())
    program = _program_of(rows, thing) if subscriptions else None
    for subscription in subscriptions:
        if subscription.parent not in (None, program) or subscription.id == thing.id:
            continue
        callbacks = list(_callbacks(subscription, operation, thing))
        sight = _sight(rows, clients, subscription, thing) if callbacks else None
        if sight is None or not sight.sees(thing):
            continue
        body = {"objectType": thing.kind, "operation": operation, "object": shown(thing, sight.shows)}
        told: dict[str, Any] = {"subscription": subscription.id, "body": json.dumps(body)}
        told |= {"attempts": 0, "due_at_ms": now_ms, "created_at_ms": now_ms}
        found += [told | {"url": each["callbackUrl"], "bearer": each.get("bearerToken")} for each in callbacks]
    return found


def _callbacks(subscription: Thing, operation: Operation, thing: Thing) -> Iterator[dict[str, Any]]:
    for wish in subscription.content["objectOperations"]:
        if thing.kind in wish["objects"] and operation in wish["operations"]:
            yield wish


def _sight(rows: VtnRows, clients: Clients, subscription: Thing, thing: Thing) -> Sight | None:
    """What the subscription's client sees through it, as if it asked with the subscription's targets."""
    client = clients.find(subscription.owner or "")
    if client is None:
        return None
    kind = Kind(thing.kind)
    asked = subscription.targets if subscription.targets and kind not in _WITHOUT_TARGETS else None
    return sight_of(rows, client, kind, asked)


def _program_of(rows: VtnRows, thing: Thing) -> str | None:
    """The program that the object belongs to."""
    match thing.kind:
        case Kind.PROGRAM:
            return thing.id
        case Kind.EVENT:
            return thing.parent
        case Kind.REPORT:
            event = rows.find(Kind.EVENT, thing.parent or "")
            return None if event is None else event.parent
    return None
