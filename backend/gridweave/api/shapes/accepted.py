"""How the routes that take signed requests are declared: a prepared answer, which is not looked at again."""

from __future__ import annotations

from typing import Any

from gridweave.api.shapes.errors import MANY, POSTS
from gridweave.api.shapes.orders import AcceptedOut, AcceptedSomeOut

__all__ = ["ACCEPTED", "ACCEPTED_MANY"]

_KEPT = "acknowledged, and kept"
_SOME = "some items are acknowledged, others refused"

ACCEPTED: dict[str, Any] = {
    "status_code": 202,
    "response_model": None,
    "responses": {202: {"model": AcceptedOut, "description": _KEPT}} | POSTS,
}
"""One request."""

ACCEPTED_MANY: dict[str, Any] = {
    "status_code": 202,
    "response_model": None,
    "responses": {
        202: {"model": AcceptedSomeOut, "description": _KEPT},
        207: {"model": AcceptedSomeOut, "description": _SOME},
    }
    | MANY,
}
"""Up to `mostOrders` items."""
