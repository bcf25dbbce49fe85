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


class MqttOut(Shape):
    """The broker, where user and client are both the device's id and the password is the token.

    The device may publish below `publish` and is told below `subscribe`.
    """

    host: str
    port: Count
    publish: str
    subscribe: str


class OpenedOut(SessionOut):
    """The same with the token that stands for it: `Authorization: Bearer <token>`.

    `mqtt` is null where there is no broker, or it is away.
    """

    token: str
    mqtt: MqttOut | None
