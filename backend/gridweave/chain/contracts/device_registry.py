"""Identity of every device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from gridweave.chain.contracts.acts import Act
from gridweave.chain.contracts.base import Contract
from gridweave.chain.types import Call
from gridweave.domain.acts import DeviceStatus, Endorsement, KeyKind
from gridweave.domain.addresses import checksum_address

__all__ = ["Device", "DeviceCheck", "DeviceRegistry"]


@dataclass(frozen=True)
class Device:
    """A device as registered. `status_since` is the chain time of its last change of status."""

    device: str
    owner: str
    maker: str
    status: DeviceStatus
    key_kind: KeyKind
    key_version: int
    status_since: int
    x: bytes
    y: bytes


@dataclass(frozen=True)
class DeviceCheck:
    """Is `signature` (64 bytes) the device's over `digest`, the device having been in good standing at `as_of`?"""

    device: str
    as_of: int
    digest: bytes
    signature: bytes


class DeviceRegistry(Contract):
    """Enrolment, status and the one door to device signatures."""

    NAME: ClassVar[str] = "DeviceRegistry"

    async def device_of(self, device: str, block: int | None = None) -> Device | None:
        """The device, None if it was never enrolled."""
        owner, maker, status, kind, version, since, x, y = await self._result("deviceOf", device, block=block)
        if status == DeviceStatus.UNKNOWN:
            return None
        return Device(
            device=checksum_address(device),
            owner=checksum_address(owner),
            maker=checksum_address(maker),
            status=DeviceStatus(status),
            key_kind=KeyKind(kind),
            key_version=version,
            status_since=since,
            x=x,
            y=y,
        )

    async def is_authentic(self, device: str, digest: bytes, signature: bytes, block: int | None = None) -> bool:
        return bool(await self._result("isAuthentic", device, digest, signature, block=block))

    async def are_authentic(self, checks: Sequence[DeviceCheck], block: int | None = None) -> list[bytes]:
        """Per check four zero bytes, or the selector of what is wrong."""
        items = [(c.device, c.as_of, c.digest, c.signature[:32], c.signature[32:]) for c in checks]
        return list(await self._result("areAuthentic", items, block=block))

    async def is_nonce_used(self, signer: str, nonce: int, block: int | None = None) -> bool:
        return bool(await self._result("isNonceUsed", signer, nonce, block=block))

    def enrol(self, endorsement: Endorsement, maker_signature: bytes, possession: bytes) -> Call:
        """The maker's signature over `endorsement`, the device's 64 bytes over Possession. Anyone may send it."""
        maker = Act.of(endorsement, endorsement.maker, maker_signature)
        enrolment = (
            endorsement.device,
            endorsement.owner,
            endorsement.key_kind,
            endorsement.x,
            endorsement.y,
        )
        return self.call("enrol", enrolment, maker.abi(), (possession[:32], possession[32:]))

    def set_status(self, device: str, status: DeviceStatus, act: Act) -> Call:
        """`act` is the owner's or an operator's over StatusChange. Anyone may send it."""
        return self.call("setStatus", device, status, act.abi())
