"""What is known of firmware: models, releases and how far they have come, and what each device may and should run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gridweave.domain.acts import DeviceStatus
from gridweave.domain.firmware.rollout import RolloutState, ramp_position
from gridweave.services.errors import NotFound
from gridweave.services.world import World
from gridweave.store.reading import Page, Row

__all__ = [
    "DeviceFirmware",
    "Eligibility",
    "ModelView",
    "device_firmware",
    "devices_running",
    "eligibility",
    "model",
    "release",
    "view",
]

_TAKING = frozenset({RolloutState.CANARY, RolloutState.RAMP, RolloutState.FULL})


@dataclass(frozen=True)
class ModelView:
    """A model, how many devices of it there are, and how many run each release, by counter."""

    row: Row
    enrolled: int
    running: Mapping[int, int]


@dataclass(frozen=True)
class Eligibility:
    """Whether a device may install a release now; if not, `refusal` is the contract's word for the reason."""

    release: Row
    position: int
    refusal: str | None

    @property
    def is_in_ramp(self) -> bool:
        """Whether the rollout, as far as it has come, reaches the device."""
        return self.position < int(self.release["standing"]["share_bp"])


@dataclass(frozen=True)
class DeviceFirmware:
    """A device's firmware. `installation` is what it told; `choices`, newest first, are the releases not superseded.

    `should_run` is the counter of the newest release that it may install, or what it runs where nothing newer is for
    it; None for a device that has told of nothing and may install nothing.
    """

    device: Row
    installation: Row
    choices: tuple[Eligibility, ...]
    should_run: int | None
    floor: int


async def model(world: World, number: int) -> Row:
    """A model's row. Raises NotFound (UnknownModel)."""
    row = await world.reads.firmware.model(number)
    if row is None:
        raise NotFound("UnknownModel", "nobody has opened this model; its maker does", {"model": number})
    return row


async def view(world: World, number: int) -> ModelView:
    """A model with its devices. Raises NotFound (UnknownModel)."""
    row = await model(world, number)
    reads = world.reads.firmware
    return ModelView(row, await reads.enrolled(number, row["maker"]), await reads.running(number))


async def release(world: World, number: int, counter: int) -> Row:
    """A release's row, all of it. Raises NotFound (UnknownModel, UnknownRelease)."""
    await model(world, number)
    row = await world.reads.firmware.release(number, counter)
    if row is None:
        message = "the model has no release of this counter"
        raise NotFound("UnknownRelease", message, {"model": number, "counter": counter})
    return row


async def device_firmware(world: World, name: str) -> DeviceFirmware:
    """Raises NotFound (UnknownDevice, UnknownModel); UnknownModel too if another maker's is the model of its number."""
    world = world.still()
    device = await _device(world, name)
    row = await model(world, device["model"])
    installation = await world.reads.firmware.installation(name)
    if row["maker"] != device["maker"]:
        message = "its maker has not opened the model; another maker's of that number is not the device's"
        raise NotFound("UnknownModel", message, {"model": device["model"], "maker": row["maker"]})
    live = await world.reads.firmware.live(device["model"])
    choices = tuple(_eligibility(device, row, installation, each) for each in live)
    allowed = [choice.release["counter"] for choice in choices if choice.refusal is None]
    should_run = max([*allowed, installation["running"]]) or None
    return DeviceFirmware(device, installation, choices, should_run, row["floor"])


async def eligibility(world: World, number: int, counter: int, name: str) -> Eligibility:
    """Raises NotFound (UnknownModel, UnknownRelease, UnknownDevice)."""
    world = world.still()
    row, device = await release(world, number, counter), await _device(world, name)
    installation = await world.reads.firmware.installation(name)
    return _eligibility(device, await model(world, number), installation, row)


async def devices_running(world: World, number: int, counter: int | None, cursor: str | None, limit: int) -> Page:
    """What each device of a model runs. Raises NotFound (UnknownModel), CursorInvalid."""
    await model(world, number)
    return await world.reads.firmware.devices_running(number, counter, cursor, limit)


async def _device(world: World, name: str) -> Row:
    found = await world.reads.devices.devices([name])
    if name not in found:
        raise NotFound("UnknownDevice", "no such device is enrolled", {"device": name})
    return found[name]


def _eligibility(device: Row, of_model: Row, installation: Row, row: Row) -> Eligibility:
    """As `isAllowed` has it, with the reason."""
    position = ramp_position(device["device"], row["model"], row["counter"])
    return Eligibility(row, position, _refusal(device, of_model, installation, row, position))


def _refusal(device: Row, of_model: Row, installation: Row, row: Row, position: int) -> str | None:
    if (device["model"], device["maker"]) != (row["model"], of_model["maker"]):
        return "WrongModel"
    if device["status"] != DeviceStatus.ACTIVE:
        return "DeviceRevoked" if device["status"] == DeviceStatus.REVOKED else "DeviceSuspended"
    if row["standing"]["state"] not in _TAKING:
        return "WrongRolloutState"
    if row["counter"] < installation["running"]:
        return "ReceiptOutdated"
    return None if position < row["standing"]["share_bp"] else "NotInRamp"
