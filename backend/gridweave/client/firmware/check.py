"""Whether a device may install what a bundle and an image say. Nothing is read but what is given; nothing is written.

What is trusted, and what each stolen key could do, stands in docs/firmware.md. In short: the release keys say what may
run, the chain says what still may, witnesses say which chain, the device itself says what it runs now.
"""

from __future__ import annotations

from dataclasses import dataclass

from gridweave.client.firmware.bundle import Bundle, KeyChange, Signatures
from gridweave.client.firmware.manifest import Manifest, class_id, vendor_id
from gridweave.client.firmware.refusals import (
    CounterBelowFloor,
    CounterNotNewer,
    DeviceNotInRamp,
    HeaderFromFuture,
    HeaderOlderThanSeen,
    HeaderTooOld,
    HeaderUntrusted,
    ImageHashWrong,
    ImageSizeWrong,
    KeySetNotCurrent,
    KeySetOlderThanPinned,
    ManifestContradictsRelease,
    ManifestNotApproved,
    ModelNotOpen,
    ModelWrong,
    ProofInvalid,
    ReleaseNotInstallable,
    ReleaseNotProved,
    ReleaseWasRevoked,
    WitnessUnknown,
)
from gridweave.client.firmware.state import Header, proven_account, proven_word
from gridweave.client.firmware.witness import BlockWitness
from gridweave.domain.eip712 import Domain, Message, digest
from gridweave.domain.errors import SignatureMalformed
from gridweave.domain.firmware.errors import SignersNotAscending, WrongSignature
from gridweave.domain.firmware.keys import Approval, KeySet, require_approved, require_handed_over, require_signed
from gridweave.domain.firmware.messages import Release, ReleaseKeyChange
from gridweave.domain.firmware.rollout import Line, Rollout, RolloutState, ramp_position
from gridweave.domain.firmware.slots import line_of, rollout_of, slots_of
from gridweave.domain.signatures import recover, to_compact

__all__ = ["DeviceState", "ImageFile", "Trust", "Verdict", "check_bundle", "require_manifest"]

_CLOCK_TOLERANCE = 300


@dataclass(frozen=True)
class ImageFile:
    """The image at hand: its size in bytes and its SHA-256."""

    size: int
    sha256: bytes


@dataclass(frozen=True)
class DeviceState:
    """What the device knows of itself: its id, its model, the counter it runs, the newest block it has ever seen."""

    device: str
    model: int
    counter: int
    seen_block: int = 0


@dataclass(frozen=True)
class Trust:
    """What was put into the device before: the registry, and the newest key set of its model that it knows.

    Blocks are trusted by their hashes, or if `threshold` of the witnesses vouch for them. A block older than `max_age`
    seconds says nothing.
    """

    chain_id: int
    registry: str
    keys: KeySet
    witnesses: frozenset[str] = frozenset()
    threshold: int = 0
    blocks: frozenset[bytes] = frozenset()
    max_age: int = 86_400

    @property
    def domain(self) -> Domain:
        """The registry's EIP-712 domain."""
        return Domain.of("FirmwareRegistry", self.chain_id, self.registry)


@dataclass(frozen=True)
class Verdict:
    """The bundle holds. `keys` and `seen_block` are what the device should keep for the next one."""

    release: Release
    line: Line
    rollout: Rollout
    keys: KeySet
    seen_block: int


def check_bundle(bundle: Bundle, *, image: ImageFile, device: DeviceState, trust: Trust, now: int) -> Verdict:
    """That the device may install the image now; `now` is the device's clock in seconds.

    Raises a BundleRefusal, or SignersNotAscending, WrongSignature, UnknownReleaseKey, BelowThreshold,
    WrongKeySetVersion, ThresholdOutOfRange, KeysNotAscending of the release keys.
    """
    trust.keys.require_sound(trust.keys.version)
    release = bundle.release
    if release.model != device.model:
        raise ModelWrong(release.model, device.model)
    if release.counter <= device.counter:
        raise CounterNotNewer(release.counter, device.counter)
    _require_approved(bundle, trust)
    _require_image(release, image)
    header = _trusted_header(bundle, device, trust, now)
    line, rollout = _proven(bundle, trust, header)
    require_manifest(bundle.envelope, bundle.release, trust.chain_id, line.maker)
    _require_installable(release, line, rollout)
    position = ramp_position(device.device, release.model, release.counter)
    if position >= rollout.share_bp:
        raise DeviceNotInRamp(position, rollout.share_bp)
    return Verdict(release, line, rollout, bundle.keys, header.number)


def _require_approved(bundle: Bundle, trust: Trust) -> None:
    """From the keys that the device knows, change by change, to the bundle's, and those approved the release."""
    keys = trust.keys
    if bundle.keys.version < keys.version:
        raise KeySetOlderThanPinned(bundle.keys.version, keys.version)
    for change in bundle.changes:
        keys = _changed(keys, change, bundle.release.model, trust)
    if keys != bundle.keys:
        raise KeySetNotCurrent(bundle.keys.version)
    require_approved(keys, _judged(bundle.release, bundle.signatures, trust), keys.threshold)


def _changed(keys: KeySet, change: KeyChange, model: int, trust: Trust) -> KeySet:
    """The key set after a change. One that leads to no newer set is for devices that know less: it is only read."""
    following = change.keys
    said = ReleaseKeyChange(model, following.version, following.threshold, following.members, change.deadline)
    approvals = _judged(said, change.signatures, trust)
    if following.version <= trust.keys.version:
        require_signed(approvals)
        return keys
    following.require_sound(keys.version + 1)
    require_handed_over(keys, following, approvals)
    return following


def _judged(message: Message, signatures: Signatures, trust: Trust) -> list[Approval]:
    hash_ = digest(trust.domain, message)
    return [Approval(signer, _has_signed(signer, hash_, signature)) for signer, signature in signatures]


def _has_signed(signer: str, hash_: bytes, signature: bytes) -> bool:
    """In the one spelling of a signature: a low s, and 27 or 28 behind."""
    if signature[64] not in (27, 28):
        return False
    try:
        return recover(hash_, to_compact(signature)) == signer
    except SignatureMalformed:
        return False


def _require_image(release: Release, image: ImageFile) -> None:
    if image.size != release.image_size:
        raise ImageSizeWrong(image.size, release.image_size)
    if image.sha256 != release.image_hash:
        raise ImageHashWrong("0x" + image.sha256.hex(), "0x" + release.image_hash.hex())


def _trusted_header(bundle: Bundle, device: DeviceState, trust: Trust, now: int) -> Header:
    header = Header.read(bundle.header)
    count = _count_witnesses(bundle, trust, header)
    is_vouched_for = 0 < trust.threshold <= count
    if header.hash not in trust.blocks and not is_vouched_for:
        raise HeaderUntrusted("0x" + header.hash.hex(), count, trust.threshold)
    if header.timestamp > now + _CLOCK_TOLERANCE:
        raise HeaderFromFuture(header.timestamp, now + _CLOCK_TOLERANCE)
    if header.timestamp < now - trust.max_age:
        raise HeaderTooOld(header.timestamp, now - trust.max_age)
    if header.number < device.seen_block:
        raise HeaderOlderThanSeen(header.number, device.seen_block)
    return header


def _count_witnesses(bundle: Bundle, trust: Trust, header: Header) -> int:
    hash_, last = digest(trust.domain, BlockWitness(header.hash)), 0
    for signer, signature in bundle.witnesses:
        if int(signer, 16) <= last:
            raise SignersNotAscending(signer)
        last = int(signer, 16)
        if signer not in trust.witnesses:
            raise WitnessUnknown(signer)
        if not _has_signed(signer, hash_, signature):
            raise WrongSignature(signer)
    return len(bundle.witnesses)


def _proven(bundle: Bundle, trust: Trust, header: Header) -> tuple[Line, Rollout]:
    model, counter = bundle.release.model, bundle.release.counter
    root = proven_account(header.state_root, trust.registry, bundle.account)
    names = ("line", "keys", "release", "rollout")
    line_word, keys_word, release_word, rollout_word = (
        proven_word(root, slot, proof, name)
        for slot, proof, name in zip(slots_of(model, counter), bundle.slots, names, strict=True)
    )
    line = line_of(line_word)
    if line is None:
        raise ModelNotOpen(model)
    if keys_word != int.from_bytes(bundle.keys.hash, "big"):
        raise KeySetNotCurrent(bundle.keys.version)
    if release_word != int.from_bytes(bundle.release.commitment, "big"):
        raise ReleaseNotProved(model, counter)
    rollout = rollout_of(rollout_word)
    if rollout is None:
        raise ProofInvalid("rollout")
    return line, rollout


def require_manifest(envelope: bytes, release: Release, chain_id: int, maker: str) -> None:
    """Raises ManifestMalformed, ManifestNotApproved, ManifestContradictsRelease."""
    manifest, hash_ = Manifest.read(envelope)
    if hash_ != release.manifest_hash:
        raise ManifestNotApproved
    expected = Manifest(
        sequence=release.counter,
        vendor=vendor_id(chain_id, maker),
        model_class=class_id(chain_id, maker, release.model),
        image_size=release.image_size,
        image_hash=release.image_hash,
    )
    for name, value in vars(expected).items():
        if getattr(manifest, name) != value:
            raise ManifestContradictsRelease(name)


def _require_installable(release: Release, line: Line, rollout: Rollout) -> None:
    if rollout.revoked_since:
        raise ReleaseWasRevoked(release.model, release.counter, rollout.revoked_since)
    if release.counter < line.floor:
        raise CounterBelowFloor(release.counter, line.floor)
    state = RolloutState.SUPERSEDED if release.counter < line.full else rollout.state
    if state == RolloutState.UNKNOWN:
        state = RolloutState.PROPOSED
    if state != rollout.state or not rollout.is_taking:
        raise ReleaseNotInstallable(release.model, release.counter, state.name.lower())
