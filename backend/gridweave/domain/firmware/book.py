"""The FirmwareRegistry as a pure state machine: the same acts give the same releases, rollouts, tallies, events and
refusals.

Signatures come as judged (Approval, `is_authentic`), devices as the DeviceRegistry has them. A call that raises has
changed nothing. `Moment` is when an act is executed.
"""

from __future__ import annotations

from dataclasses import replace

from gridweave.domain.acts import DeviceStatus
from gridweave.domain.addresses import ZERO_ADDRESS
from gridweave.domain.errors import DomainError
from gridweave.domain.firmware.errors import (
    ActExpired,
    CanaryOutOfRange,
    CounterNotIncreasing,
    DeviceRevoked,
    DeviceSignatureInvalid,
    DeviceSuspended,
    FailureLimitOutOfRange,
    FloorAboveCounter,
    FloorLowered,
    ModelAlreadyOpen,
    NotInRamp,
    ReceiptFromFuture,
    ReceiptOutdated,
    ReceiptTold,
    ReleaseIncomplete,
    RevocationNotEarlier,
    RevocationOutOfRange,
    ShareNotRaised,
    TooManyReceipts,
    UnknownDevice,
    UnknownModel,
    UnknownRelease,
    WrongKeySet,
    WrongModel,
    WrongRelease,
    WrongRolloutState,
)
from gridweave.domain.firmware.keys import KeySet, require_approved, require_handed_over
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
from gridweave.domain.firmware.outcomes import (
    FirmwareOutcome,
    FirmwareReleased,
    FloorRaised,
    InstallTold,
    ModelOpened,
    ReceiptRefused,
    ReleaseKeysChanged,
    ReleaseRevoked,
    RolloutPaused,
    RolloutStepped,
)
from gridweave.domain.firmware.roll import FirmwareRoll, ModelRecord, Moment, Quorum
from gridweave.domain.firmware.rollout import (
    CANARY_BP,
    CLOCK_TOLERANCE,
    WHOLE_BP,
    Installation,
    Line,
    Rollout,
    RolloutState,
    ramp_position,
)

__all__ = ["MOST_RECEIPTS", "FirmwareBook", "require_count"]

MOST_RECEIPTS = 256
"""That one call can tell."""

_S = RolloutState


class FirmwareBook(FirmwareRoll):
    """What may be done about firmware, and what comes of it."""

    # keys

    def open_model(self, model: int, maker: str, first: Quorum) -> list[FirmwareOutcome]:
        """A maker, known as one, opens a model. Raises ModelAlreadyOpen and what `keys` raises."""
        if model in self.models:
            raise ModelAlreadyOpen(model, self.models[model].line.maker)
        first.keys.require_sound(1)
        require_approved(first.keys, first.approvals, first.keys.threshold)
        self.models[model] = ModelRecord(Line(maker), first.keys.hash)
        return [ModelOpened(model, maker, first.keys.threshold, first.keys.members)]

    def change_keys(self, change: ReleaseKeyChange, present: Quorum, now: Moment) -> list[FirmwareOutcome]:
        """Raises UnknownModel, WrongKeySet, ActExpired and what `keys` raises."""
        model = self._model(change.model)
        _require_present(change.model, model, present.keys)
        following = KeySet(change.version, change.threshold, change.keys)
        following.require_sound(present.keys.version + 1)
        _require_in_time(change.deadline, now)
        require_handed_over(present.keys, following, present.approvals)
        model.keys = following.hash
        return [ReleaseKeysChanged(change.model, following.version, following.threshold, following.members)]

    # releases

    def release(self, release: Release, quorum: Quorum, now: Moment) -> list[FirmwareOutcome]:
        """Raises CounterNotIncreasing, FloorLowered, FloorAboveCounter, ReleaseIncomplete, ..."""
        model = self._model(release.model)
        if release.counter <= model.line.latest:
            raise CounterNotIncreasing(release.counter, model.line.latest)
        if release.floor < model.line.floor:
            raise FloorLowered(release.floor, model.line.floor)
        _require_complete(release)
        _require_threshold(release.model, model, quorum, release.deadline, now)
        model.line = replace(model.line, latest=release.counter)
        model.releases[release.counter] = release.commitment
        return [FirmwareReleased(release.model, release.counter, release.commitment, release)]

    def begin(self, release: Release, start: RolloutStart, quorum: Quorum, now: Moment) -> list[FirmwareOutcome]:
        """Raises WrongRelease, CanaryOutOfRange, WrongRolloutState, ..."""
        model, rollout = self._standing(release.model, release.counter, {_S.PROPOSED})
        commitment = model.releases[release.counter]
        if release.commitment != commitment:
            raise WrongRelease(release.model, release.counter, "0x" + commitment.hex())
        if not 0 < start.share_bp <= CANARY_BP:
            raise CanaryOutOfRange(start.share_bp, CANARY_BP)
        _require_threshold(release.model, model, quorum, start.deadline, now)
        rollout = replace(
            rollout.stepped(_S.CANARY),
            share_bp=start.share_bp,
            least_receipts=release.least_receipts,
            failure_limit_bp=release.failure_limit_bp,
            floor=release.floor,
            begun_at=now.block,
        )
        return [_step(model, release.model, release.counter, rollout)]

    def raise_share(self, step: RolloutRaise, quorum: Quorum, now: Moment) -> list[FirmwareOutcome]:
        """Raises ShareNotRaised, WrongRolloutState, ..."""
        model, rollout = self._standing(step.model, step.counter, {_S.CANARY, _S.RAMP})
        if not rollout.share_bp < step.share_bp <= WHOLE_BP:
            raise ShareNotRaised(step.share_bp, rollout.share_bp)
        _require_threshold(step.model, model, quorum, step.deadline, now)
        state = _S.FULL if step.share_bp == WHOLE_BP else _S.RAMP
        raised = replace(rollout.stepped(state), share_bp=step.share_bp)
        outcomes = _complete(step.model, model, step.counter, rollout.floor, now) if state == _S.FULL else []
        return [*outcomes, _step(model, step.model, step.counter, raised)]

    def pause(self, step: RolloutPause, one: Quorum, now: Moment) -> list[FirmwareOutcome]:
        """By any one key. Raises WrongRolloutState, ..."""
        model, rollout = self._standing(step.model, step.counter, {_S.CANARY, _S.RAMP, _S.FULL})
        _require_present(step.model, model, one.keys)
        _require_in_time(step.deadline, now)
        require_approved(one.keys, one.approvals, 1)
        return [_pause(model, step.model, step.counter, rollout, one.approvals[0].signer)]

    def resume(self, step: RolloutResume, quorum: Quorum, now: Moment) -> list[FirmwareOutcome]:
        """Raises WrongRolloutState, ..."""
        model, rollout = self._standing(step.model, step.counter, {_S.PAUSED})
        _require_threshold(step.model, model, quorum, step.deadline, now)
        resumed = replace(rollout.stepped(rollout.resumes_to), resumes_to=_S.UNKNOWN)
        return [_step(model, step.model, step.counter, resumed)]

    def revoke(self, revocation: ReleaseRevocation, quorum: Quorum, now: Moment) -> list[FirmwareOutcome]:
        """Raises RevocationOutOfRange, RevocationNotEarlier, ..."""
        (number, counter, since) = (revocation.model, revocation.counter, revocation.since_block)
        model, rollout = self._standing(number, counter, set(_S) - {_S.UNKNOWN})
        if not 0 < since <= now.block:
            raise RevocationOutOfRange(since)
        if rollout.revoked_since and since >= rollout.revoked_since:
            raise RevocationNotEarlier(number, counter, rollout.revoked_since)
        _require_threshold(number, model, quorum, revocation.deadline, now)
        model.rollouts[counter] = replace(rollout, state=_S.REVOKED, revoked_since=since)
        return [ReleaseRevoked(number, counter, since)]

    # receipts

    def tell(self, receipt: InstallReceipt, *, is_authentic: bool, now: Moment) -> list[FirmwareOutcome]:
        """`is_authentic`: the device's key made the signature. Raises WrongModel, NotInRamp, ReceiptTold, ..."""
        device, number, counter = receipt.device, receipt.model, receipt.counter
        line = self._model(number).line
        last = self.installation_of(device)
        if not last.told or last.model != number:
            self._require_model(device, number, line.maker)
        model, rollout = self._standing(number, counter, {_S.CANARY, _S.RAMP, _S.FULL})
        position = ramp_position(device, number, counter)
        if position >= rollout.share_bp:
            raise NotInRamp(device, position, rollout.share_bp)
        if receipt.time > now.time + CLOCK_TOLERANCE:
            raise ReceiptFromFuture(device, receipt.time)
        noted = _noted(receipt, last, now)
        self._require_authentic(device, is_authentic)
        self.installations[device.lower()] = noted
        told = InstallTold(device, number, counter, receipt.failure_code, receipt.time)
        if counter <= last.told:
            return [told]
        failures = rollout.failures + (receipt.failure_code != 0)
        rollout = replace(rollout, told=rollout.told + 1, failures=failures)
        model.rollouts[counter] = rollout
        return [told, *([_pause(model, number, counter, rollout, ZERO_ADDRESS)] if rollout.is_over_limit else [])]

    @staticmethod
    def refused(receipt: InstallReceipt, refusal: DomainError) -> ReceiptRefused:
        """What is said of one of many that was not taken."""
        return ReceiptRefused(receipt.device, receipt.model, receipt.counter, refusal.selector())

    def _require_model(self, device: str, model: int, maker: str) -> None:
        known = self.devices.get(device.lower())
        if known is None:
            raise UnknownDevice(device)
        if (known.model, known.maker) != (model, maker):
            raise WrongModel(device, known.maker, known.model)

    def _require_authentic(self, device: str, is_authentic: bool) -> None:
        status = self.devices[device.lower()].status
        if status == DeviceStatus.REVOKED:
            raise DeviceRevoked(device)
        if status == DeviceStatus.SUSPENDED:
            raise DeviceSuspended(device)
        if not is_authentic:
            raise DeviceSignatureInvalid(device)

    # requirements

    def _model(self, number: int) -> ModelRecord:
        if number not in self.models:
            raise UnknownModel(number)
        return self.models[number]

    def _standing(self, number: int, counter: int, wanted: set[RolloutState]) -> tuple[ModelRecord, Rollout]:
        model, rollout = self._model(number), self.rollout_of(number, counter)
        if rollout.state == _S.UNKNOWN:
            raise UnknownRelease(number, counter)
        if rollout.state not in wanted:
            raise WrongRolloutState(number, counter, rollout.state)
        return model, rollout


def require_count(receipts: int) -> None:
    """What many receipts in one call must meet. Raises TooManyReceipts."""
    if receipts > MOST_RECEIPTS:
        raise TooManyReceipts(receipts, MOST_RECEIPTS)


def _step(model: ModelRecord, number: int, counter: int, rollout: Rollout) -> RolloutStepped:
    model.rollouts[counter] = rollout
    return RolloutStepped(number, counter, rollout.state, rollout.share_bp, rollout.step)


def _pause(model: ModelRecord, number: int, counter: int, rollout: Rollout, by: str) -> RolloutPaused:
    paused = model.rollouts[counter] = rollout.paused()
    return RolloutPaused(number, counter, by, rollout.told, rollout.failures, paused.step)


def _complete(number: int, model: ModelRecord, counter: int, floor: int, now: Moment) -> list[FirmwareOutcome]:
    model.line = replace(model.line, full=counter)
    if floor <= model.line.floor:
        return []
    model.line = replace(model.line, floor=floor)
    model.floors = [entry for entry in model.floors if entry[0] != now.block] + [(now.block, floor)]
    return [FloorRaised(number, floor)]


def _noted(receipt: InstallReceipt, last: Installation, now: Moment) -> Installation:
    counter, runs = receipt.counter, receipt.failure_code == 0
    if counter == last.told and (last.failure_code == 0 or not runs):
        raise ReceiptTold(receipt.device, counter)
    if counter < last.told and (counter <= last.running or not runs):
        raise ReceiptOutdated(receipt.device, counter, last.told)
    noted = replace(last, model=receipt.model)
    if counter >= last.told:
        noted = replace(noted, told=counter, failure_code=receipt.failure_code)
    return replace(noted, running=counter, running_since=now.block) if runs else noted


def _require_complete(release: Release) -> None:
    if release.floor > release.counter:
        raise FloorAboveCounter(release.floor, release.counter)
    if not release.image_size or not any(release.image_hash) or not any(release.manifest_hash):
        raise ReleaseIncomplete
    if not release.least_receipts or release.failure_limit_bp > WHOLE_BP:
        raise FailureLimitOutOfRange(release.least_receipts, release.failure_limit_bp)


def _require_threshold(number: int, model: ModelRecord, quorum: Quorum, deadline: int, now: Moment) -> None:
    _require_in_time(deadline, now)
    _require_present(number, model, quorum.keys)
    require_approved(quorum.keys, quorum.approvals, quorum.keys.threshold)


def _require_in_time(deadline: int, now: Moment) -> None:
    if now.time > deadline:
        raise ActExpired(deadline)


def _require_present(number: int, model: ModelRecord, keys: KeySet) -> None:
    if keys.hash != model.keys:
        raise WrongKeySet(number, "0x" + model.keys.hex())
