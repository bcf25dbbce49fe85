"""How a device answers a challenge: what it signs, and what it sends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gridweave.domain.device_acts import DeviceSession
from gridweave.domain.eip712 import Domain, digest

__all__ = ["answer_to"]

Json = dict[str, Any]


def answer_to(given: Json, domain: Domain, sign: Callable[[bytes], bytes], changes: Json | None = None) -> Json:
    """The body for `device-sessions`; `sign` makes 64 bytes of a digest, `changes` are to what is signed."""
    said: Json = {
        "device": given["device"],
        "service": given["service"],
        "challenge": bytes.fromhex(given["challenge"][2:]),
        "expires_at": given["expiresAt"],
        **(changes or {}),
    }
    sent = {name: given[name] for name in ("device", "challenge", "expiresAt")}
    return sent | {"signature": "0x" + sign(digest(domain, DeviceSession(**said))).hex()}
