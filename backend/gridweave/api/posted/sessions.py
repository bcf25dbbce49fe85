"""What a device posts to be let in."""

from __future__ import annotations

from gridweave.api.fields import Address, Body, Compact, Hex32, Uint64
from gridweave.services.sessions import Challenge

__all__ = ["AnswerIn", "KnockIn"]


class KnockIn(Body):
    """Who asks for a challenge."""

    device: Address


class AnswerIn(Body):
    """The challenge as it was given, and the device's signature over DeviceSession."""

    device: Address
    challenge: Hex32
    expires_at: Uint64
    signature: Compact

    def answered(self) -> Challenge:
        return Challenge(self.device, self.challenge, self.expires_at)
