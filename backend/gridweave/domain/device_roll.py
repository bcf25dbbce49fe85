"""Every device of one DeviceRegistry, and what the registry answers about them."""

from __future__ import annotations

from gridweave.domain.acts import DeviceStatus
from gridweave.domain.addresses import ZERO_ADDRESS
from gridweave.domain.device_keys import DevicePublicKey
from gridweave.domain.devices import Device, MakersBatch, Origin, Proposal
from gridweave.domain.errors import DeviceRevoked, DeviceSignatureInvalid, DeviceSuspended, UnknownDevice
from gridweave.domain.outcomes import Reason

__all__ = ["DeviceRoll"]

_FAULTS: dict[DeviceStatus, Reason] = {
    DeviceStatus.UNKNOWN: UnknownDevice,
    DeviceStatus.SUSPENDED: DeviceSuspended,
    DeviceStatus.REVOKED: DeviceRevoked,
}


class DeviceRoll:
    """`name` is a device's id. Times are the chain's."""

    def __init__(self) -> None:
        self.devices: dict[str, Device] = {}
        self.batches: dict[bytes, MakersBatch] = {}
        self.origins: list[Origin] = []
        """The first has number 1."""
        self.origins_of_makers: dict[tuple[str, int], int] = {}
        """By maker and model: of devices that are endorsed one by one."""

    def origin_of(self, owned: Device | MakersBatch) -> Origin:
        """Maker and model."""
        return self.origins[owned.origin - 1]

    def fault_of(self, name: str, as_of: int) -> Reason | None:
        """Why the registry would not take the device's word about that time; None: it would."""
        device = self.devices.get(name)
        return _FAULTS.get(device.status_at(as_of) if device else DeviceStatus.UNKNOWN)

    def judge(self, name: str, as_of: int, digest: bytes, signature: bytes) -> Reason | None:
        """Why 64 bytes are not the signature of a device in good standing at that time; None: they are."""
        fault = self.fault_of(name, as_of)
        if fault is not None:
            return fault
        key = self.devices[name].judging_key
        return None if key is not None and key.verifies(digest, signature) else DeviceSignatureInvalid

    def is_authentic(self, name: str, digest: bytes, signature: bytes) -> bool:
        """The same of an active device now; 128 bytes bring x and y of the key with them."""
        device = self.devices.get(name)
        if device is None or device.status is not DeviceStatus.ACTIVE or len(signature) not in (64, 128):
            return False
        key = device.judging_key
        if len(signature) == 128:
            brought = DevicePublicKey(device.key.kind, signature[64:96], signature[96:])
            key = brought if brought.name == device.key.name else None
        return key is not None and key.verifies(digest, signature[:64])

    def is_trusted_at(self, name: str, block: int) -> bool:
        """Whether what was taken as the device's word in that block may be relied upon."""
        device = self.devices.get(name)
        return device is not None and device.is_trusted_at(block)

    def proposal_of(self, name: str) -> Proposal | None:
        """The key that could still take over."""
        device = self.devices.get(name)
        if device is None or device.proposal is None or device.status is DeviceStatus.REVOKED:
            return None
        return device.proposal if device.proposal.nonce == device.nonce else None

    def owner_of(self, name: str) -> str:
        """ERC-1056's owner: nobody's is a revoked device, its own whatever is none."""
        device = self.devices.get(name)
        if device is None:
            return name
        return ZERO_ADDRESS if device.status is DeviceStatus.REVOKED else device.owner
