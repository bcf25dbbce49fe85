"""Challenges and sessions as they are answered. Times are seconds of the wall clock."""

from __future__ import annotations

from gridweave.api.shapes.base import AccountId, Count, Hash, Shape

__all__ = ["ChallengeOut", "OpenedOut", "SessionOut"]


class ChallengeOut(Shape):
    """What the device signs, with the registry's domain: DeviceSession(device, service, challenge, expiresAt)."""

    device: AccountId
    service: AccountId
    challenge: Hash
    expires_at: Count


class SessionOut(Shape):
    """A device that proved its key."""

    device: AccountId
    key: AccountId
    expires_at: Count


class OpenedOut(SessionOut):
    """The same with the token that stands for it: `Authorization: Bearer <token>`."""

    token: str
