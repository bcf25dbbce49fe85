"""Why a device refuses a bundle, each by its name. They are the device's own: none reaches a contract."""

from __future__ import annotations

from gridweave.domain.errors import LocalRefusal

__all__ = [
    "BundleMalformed",
    "BundleRefusal",
    "BundleTooLarge",
    "CounterBelowFloor",
    "CounterNotNewer",
    "DeviceNotInRamp",
    "HeaderFromFuture",
    "HeaderMalformed",
    "HeaderOlderThanSeen",
    "HeaderTooOld",
    "HeaderUntrusted",
    "ImageHashWrong",
    "ImageSizeWrong",
    "KeySetNotCurrent",
    "KeySetOlderThanPinned",
    "ManifestContradictsRelease",
    "ManifestMalformed",
    "ManifestNotApproved",
    "ModelNotOpen",
    "ModelWrong",
    "ProofInvalid",
    "ReleaseNotInstallable",
    "ReleaseNotProved",
    "ReleaseWasRevoked",
    "WitnessUnknown",
]


class BundleRefusal(LocalRefusal):
    """A bundle that a device must not act upon."""


class BundleTooLarge(BundleRefusal):
    """More bytes than any bundle needs."""

    parameters = ("uint256 size", "uint256 most")


class BundleMalformed(BundleRefusal):
    """Not the deterministic CBOR of a bundle: `part` is what could not be read."""

    parameters = ("string part",)


class ModelWrong(BundleRefusal):
    """It is for another model than the device."""

    parameters = ("uint32 model", "uint32 expected")


class CounterNotNewer(BundleRefusal):
    """Rollback: the device runs `current`, which is as new or newer."""

    parameters = ("uint32 counter", "uint32 current")


class CounterBelowFloor(BundleRefusal):
    """Devices below `floor` are not to be trusted."""

    parameters = ("uint32 counter", "uint32 floor")


class KeySetOlderThanPinned(BundleRefusal):
    """The bundle's keys are an older version than those that the device knows."""

    parameters = ("uint32 version", "uint32 pinned")


class KeySetNotCurrent(BundleRefusal):
    """The bundle's keys are not those of the model in the proven block."""

    parameters = ("uint32 version",)


class ManifestMalformed(BundleRefusal):
    """Not the deterministic CBOR of a SUIT envelope with one component: `part` is what could not be read."""

    parameters = ("string part",)


class ManifestNotApproved(BundleRefusal):
    """The manifest is not the one whose digest the release names."""


class ManifestContradictsRelease(BundleRefusal):
    """The manifest says something else of `field` than the release."""

    parameters = ("string field",)


class ImageSizeWrong(BundleRefusal):
    """The image has another size than the release says, in bytes."""

    parameters = ("uint256 size", "uint256 expected")


class ImageHashWrong(BundleRefusal):
    """The image's SHA-256 is not the release's."""

    parameters = ("bytes32 hash", "bytes32 expected")


class HeaderMalformed(BundleRefusal):
    """Not the RLP of a block header: `part` is what could not be read."""

    parameters = ("string part",)


class WitnessUnknown(BundleRefusal):
    """A witness that the device was not told to trust."""

    parameters = ("address signer",)


class HeaderUntrusted(BundleRefusal):
    """Neither a trusted block nor enough witnesses for it."""

    parameters = ("bytes32 blockHash", "uint256 witnesses", "uint256 threshold")


class HeaderTooOld(BundleRefusal):
    """Freeze: the block's time lies further back than the device accepts. Get a fresh bundle."""

    parameters = ("uint256 timestamp", "uint256 earliest")


class HeaderFromFuture(BundleRefusal):
    """The block's time lies ahead of the device's clock. Set the clock."""

    parameters = ("uint256 timestamp", "uint256 latest")


class HeaderOlderThanSeen(BundleRefusal):
    """The device has seen a newer block than this."""

    parameters = ("uint256 number", "uint256 seen")


class ProofInvalid(BundleRefusal):
    """The nodes do not lead from the state root to `part`, or hold more than that."""

    parameters = ("string part",)


class ModelNotOpen(BundleRefusal):
    """The registry knew no such model in the proven block."""

    parameters = ("uint32 model",)


class ReleaseNotProved(BundleRefusal):
    """The registry held another release, or none, under that counter."""

    parameters = ("uint32 model", "uint32 counter")


class ReleaseWasRevoked(BundleRefusal):
    """It was revoked since that block."""

    parameters = ("uint32 model", "uint32 counter", "uint32 sinceBlock")


class ReleaseNotInstallable(BundleRefusal):
    """It was proposed, paused or superseded in the proven block."""

    parameters = ("uint32 model", "uint32 counter", "string state")


class DeviceNotInRamp(BundleRefusal):
    """Others come first: the device's position is not below the ramp's share."""

    parameters = ("uint256 position", "uint16 shareBp")
