"""Firmware: releases, rollouts, install receipts. Every call may be sent by anyone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any, ClassVar

from gridweave.chain.contracts.acts import Act
from gridweave.chain.contracts.base import Contract
from gridweave.chain.errors import error_name
from gridweave.chain.types import Call
from gridweave.domain.addresses import checksum_address
from gridweave.domain.firmware.keys import KeySet
from gridweave.domain.firmware.messages import (
    InstallReceipt,
    Release,
    ReleaseKeyChange,
    ReleaseRevocation,
    RolloutPause,
    RolloutRaise,
    RolloutResume,
    RolloutStart,
)
from gridweave.domain.firmware.rollout import Installation, Line, Rollout, RolloutState

__all__ = ["FirmwareRegistry", "SignedQuorum", "SignedReceipt"]


@dataclass(frozen=True)
class SignedQuorum:
    """A model's present keys and signatures by signer, which are sent ascending: the struct Quorum."""

    keys: KeySet
    signatures: tuple[tuple[str, bytes], ...]

    def abi(self) -> tuple[tuple[int, int, list[str]], list[tuple[str, bytes]]]:
        """The struct's values in order."""
        return _keys(self.keys), sorted(self.signatures, key=lambda entry: int(entry[0], 16))


@dataclass(frozen=True)
class SignedReceipt:
    """A receipt with its device's signature: 64 bytes, or 128 with the key's x and y behind."""

    receipt: InstallReceipt
    signature: bytes

    def abi(self) -> tuple[Any, ...]:
        """The struct's values in order."""
        return *astuple(self.receipt), self.signature


class FirmwareRegistry(Contract):
    """Releases per model, approved by its release keys, and how far each has come."""

    NAME: ClassVar[str] = "FirmwareRegistry"

    async def line_of(self, model: int, block: int | None = None) -> tuple[Line, bytes] | None:
        """The model as it stands and its key set's hash, None if it is not open."""
        (maker, *rest), keys = await self._results("lineOf", model, block=block)
        return (Line(checksum_address(maker), *rest), bytes(keys)) if int(maker, 16) else None

    async def rollout_of(self, model: int, counter: int, block: int | None = None) -> Rollout:
        state, resumes_to, *rest = await self._result("rolloutOf", model, counter, block=block)
        return Rollout(RolloutState(state), RolloutState(resumes_to), *rest)

    async def state_of(self, model: int, counter: int, block: int | None = None) -> RolloutState:
        return RolloutState(await self._result("stateOf", model, counter, block=block))

    async def commitment_of(self, model: int, counter: int, block: int | None = None) -> bytes:
        """The release's struct hash, zeros if there is none."""
        return bytes(await self._result("commitmentOf", model, counter, block=block))

    async def floor_at(self, model: int, block_number: int, block: int | None = None) -> int:
        return int(await self._result("floorAt", model, block_number, block=block))

    async def installation_of(self, device: str, block: int | None = None) -> Installation:
        return Installation(*await self._result("installationOf", device, block=block))

    async def position_of(self, device: str, model: int, counter: int, block: int | None = None) -> int:
        return int(await self._result("positionOf", device, model, counter, block=block))

    async def is_allowed(self, device: str, counter: int, block: int | None = None) -> bool:
        """Whether the device may install that release of its model."""
        return bool(await self._result("isAllowed", device, counter, block=block))

    async def is_reliable_at(self, model: int, counter: int, block_number: int, block: int | None = None) -> bool:
        """Whether what was recorded in `block_number` under that release may be relied upon."""
        return bool(await self._result("isReliableAt", model, counter, block_number, block=block))

    async def is_device_reliable_at(
        self, device: str, counter: int, block_number: int, block: int | None = None
    ) -> bool:
        """The same of one device."""
        return bool(await self._result("isDeviceReliableAt", device, counter, block_number, block=block))

    async def is_nonce_used(self, signer: str, nonce: int, block: int | None = None) -> bool:
        return bool(await self._result("isNonceUsed", signer, nonce, block=block))

    def open_model(self, model: int, first: SignedQuorum, maker: Act) -> Call:
        """The maker and the first keys sign ModelOpening."""
        return self.call("openModel", model, first.abi(), maker.abi())

    def change_keys(self, change: ReleaseKeyChange, present: SignedQuorum) -> Call:
        """Present and next keys sign `change`."""
        following = KeySet(change.version, change.threshold, change.keys)
        return self.call("changeKeys", change.model, _keys(following), change.deadline, present.abi())

    def release(self, release: Release, quorum: SignedQuorum) -> Call:
        """The threshold signs `release`."""
        return self.call("release", astuple(release), quorum.abi())

    def begin(self, release: Release, start: RolloutStart, quorum: SignedQuorum) -> Call:
        """The threshold signs `start`; `release` is what was released."""
        return self.call("begin", astuple(release), start.share_bp, start.deadline, quorum.abi())

    def raise_share(self, step: RolloutRaise, quorum: SignedQuorum) -> Call:
        """The threshold signs `step`."""
        return self.call("raiseShare", step.model, step.counter, step.share_bp, step.deadline, quorum.abi())

    def pause(self, step: RolloutPause, one: SignedQuorum) -> Call:
        """Any one key signs `step`."""
        return self.call("pause", step.model, step.counter, step.deadline, one.abi())

    def resume(self, step: RolloutResume, quorum: SignedQuorum) -> Call:
        """The threshold signs `step`."""
        return self.call("resume", step.model, step.counter, step.deadline, quorum.abi())

    def revoke(self, said: ReleaseRevocation, quorum: SignedQuorum) -> Call:
        """The threshold signs `said`."""
        return self.call("revoke", said.model, said.counter, said.since_block, said.deadline, quorum.abi())

    async def refusals_of(self, receipts: Sequence[SignedReceipt], block: int | None = None) -> list[str]:
        """What each of up to 256 receipts would be refused for if they came now in that order, by name; "" if taken."""
        reasons = await self._result("tellMany", [receipt.abi() for receipt in receipts], block=block)
        return [error_name(bytes(reason)) if any(reason) else "" for reason in reasons]

    def tell(self, receipt: SignedReceipt) -> Call:
        """A device's receipt."""
        return self.call("tell", receipt.abi())

    def tell_many(self, receipts: Sequence[SignedReceipt]) -> Call:
        """Up to 256 receipts; those that are refused are told as ReceiptRefused."""
        return self.call("tellMany", [receipt.abi() for receipt in receipts])


def _keys(keys: KeySet) -> tuple[int, int, list[str]]:
    return keys.version, keys.threshold, list(keys.members)
