"""The six kinds of objects: what each belongs to, what it is called, who may write it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from gridweave.services.vtn.clients import Role
from gridweave.services.vtn.spans import ends_at_ms
from gridweave.store.vtn_rows import Thing

__all__ = ["OWNED", "TARGETED", "WRITERS", "Kind", "said", "shown"]


class Kind(StrEnum):
    """As `objectType` names them."""

    PROGRAM = "PROGRAM"
    EVENT = "EVENT"
    REPORT = "REPORT"
    SUBSCRIPTION = "SUBSCRIPTION"
    VEN = "VEN"
    RESOURCE = "RESOURCE"


_BOTH = frozenset(Role)
WRITERS: Mapping[Kind, frozenset[Role]] = {
    Kind.PROGRAM: frozenset({Role.BL}),
    Kind.EVENT: frozenset({Role.BL}),
    Kind.REPORT: frozenset({Role.VEN}),
    Kind.SUBSCRIPTION: _BOTH,
    Kind.VEN: _BOTH,
    Kind.RESOURCE: _BOTH,
}
TARGETED = frozenset({Kind.PROGRAM, Kind.EVENT})
"""Whoever is granted a target may see what bears it."""

OWNED = frozenset({Kind.REPORT, Kind.SUBSCRIPTION, Kind.VEN, Kind.RESOURCE})
"""A VEN sees its own."""

_PARENT = {Kind.EVENT: "programID", Kind.REPORT: "eventID", Kind.SUBSCRIPTION: "programID", Kind.RESOURCE: "venID"}
_NAME = {
    Kind.PROGRAM: "programName",
    Kind.REPORT: "clientName",
    Kind.SUBSCRIPTION: "clientName",
    Kind.VEN: "venName",
    Kind.RESOURCE: "resourceName",
}
_KEPT_APART = frozenset({"id", "createdDateTime", "modificationDateTime", "objectType", "clientID", "targets"})


def said(kind: Kind, body: Mapping[str, Any], thing: Thing, now_ms: int) -> Thing:
    """The object with what a client says of it, but for whom it belongs to."""
    content = {name: value for name, value in body.items() if name not in _KEPT_APART}
    parent, name = body.get(_PARENT.get(kind, "")), body.get(_NAME.get(kind, ""))
    unique = {
        Kind.PROGRAM: f"PROGRAM {name}",
        Kind.VEN: f"VEN {name}",
        Kind.RESOURCE: f"RESOURCE {parent} {name}",
    }
    return replace(
        thing,
        content=content,
        targets=tuple(dict.fromkeys(body.get("targets") or ())),
        parent=parent,
        name=name,
        unique_name=unique.get(kind),
        ends_at_ms=ends_at_ms(body, thing.created_at_ms or now_ms) if kind is Kind.EVENT else None,
        modified_at_ms=now_ms,
    )


def shown(thing: Thing, targets: frozenset[str] | None = None) -> dict[str, Any]:
    """The object as the specification shows it; of its targets only those in `targets`, if that is given."""
    body = {
        "id": thing.id,
        "createdDateTime": _instant(thing.created_at_ms),
        "modificationDateTime": _instant(thing.modified_at_ms),
        "objectType": thing.kind,
        **thing.content,
    }
    if thing.kind in OWNED:
        body["clientID"] = thing.owner
    told = [target for target in thing.targets if targets is None or target in targets]
    return body | {"targets": told} if told else body


def _instant(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1_000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
