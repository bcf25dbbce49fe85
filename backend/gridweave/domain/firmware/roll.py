"""Every model of one FirmwareRegistry, and what the registry answers about them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gridweave.domain.acts import DeviceStatus
from gridweave.domain.firmware.keys import Approval, KeySet
from gridweave.domain.firmware.rollout import Installation, Line, Rollout, RolloutState, ramp_position

__all__ = ["FirmwareRoll", "KnownDevice", "ModelRecord", "Moment", "Quorum"]

_S = RolloutState


@dataclass(frozen=True)
class Moment:
    """A block: its number and its time."""

    block: int
    time: int


@dataclass(frozen=True)
class KnownDevice:
    """What the DeviceRegistry says of a device."""

    maker: str
    model: int
    status: DeviceStatus


@dataclass(frozen=True)
class Quorum:
    """The key set that is brought along, and who of it approved."""

    keys: KeySet
    approvals: tuple[Approval, ...]


@dataclass
class ModelRecord:
    """A model's firmware: hash of its key set, commitments and begun rollouts by counter, floors by block."""

    line: Line
    keys: bytes
    releases: dict[int, bytes] = field(default_factory=dict)
    rollouts: dict[int, Rollout] = field(default_factory=dict)
    floors: list[tuple[int, int]] = field(default_factory=list)  # block, floor


class FirmwareRoll:
    """Every model's firmware. `devices` is the DeviceRegistry's word, by address in lower case; it may change."""

    def __init__(self, devices: Mapping[str, KnownDevice]) -> None:
        self.devices = devices
        self.models: dict[int, ModelRecord] = {}
        self.installations: dict[str, Installation] = {}

    def state_of(self, model: int, counter: int) -> RolloutState:
        return self.rollout_of(model, counter).state

    def rollout_of(self, number: int, counter: int) -> Rollout:
        """As it stands: a superseded release says so."""
        model = self.models.get(number)
        if model is None:
            return Rollout()
        rollout = model.rollouts.get(counter, Rollout())
        if rollout.state == _S.REVOKED:
            return rollout
        if rollout.state == _S.UNKNOWN:
            if counter not in model.releases:
                return rollout
            rollout = replace(rollout, state=_S.PROPOSED)
        return replace(rollout, state=_S.SUPERSEDED) if counter < model.line.full else rollout

    def is_allowed(self, device: str, counter: int) -> bool:
        """Whether the device may install that release of its model now."""
        known = self.devices.get(device.lower())
        model = None if known is None else self.models.get(known.model)
        if known is None or model is None or known.status != DeviceStatus.ACTIVE or known.maker != model.line.maker:
            return False
        rollout = self.rollout_of(known.model, counter)
        in_ramp = ramp_position(device, known.model, counter) < rollout.share_bp
        return rollout.is_taking and in_ramp and counter >= self.installation_of(device).running

    def is_reliable_at(self, model: int, counter: int, block: int) -> bool:
        """Whether what a device of the model recorded in that block, running that release, may be relied upon."""
        known = self.models.get(model)
        rollout = known.rollouts.get(counter, Rollout()) if known else Rollout()
        if not rollout.begun_at or block < rollout.begun_at:
            return False
        if rollout.revoked_since and block >= rollout.revoked_since:
            return False
        return counter >= self.floor_at(model, block)

    def floor_at(self, model: int, block: int) -> int:
        """The floor as it was at the end of that block."""
        floors = self.models[model].floors if model in self.models else []
        index = bisect_right(floors, block, key=lambda entry: entry[0])
        return floors[index - 1][1] if index else 0

    def installation_of(self, device: str) -> Installation:
        return self.installations.get(device.lower(), Installation())
