"""Refusals of the TelemetryAnchor, named as it names them; see ITelemetryAnchor for what each means.

Those of consent and of roles stand in `device_errors`; those of proofs are the proof's reader's.
"""

# ruff: noqa: D101 (one class per custom error of the interface, which is the manual)

from __future__ import annotations

from gridweave.domain.errors import CallRefusal

__all__ = [
    "BatchEmpty",
    "BatchFromFuture",
    "BatchLeavesGap",
    "BatchNotAuthentic",
    "BatchOverlaps",
    "BatchTimeRunsBack",
    "BodyCountDiffers",
    "BodyDiffers",
    "BodyMissing",
    "BodyTooLong",
    "BodyUnwanted",
    "EpochNotBegun",
    "EpochNotNewer",
    "EpochOfFormerOwner",
    "EpochRunsBack",
    "EpochTooFar",
    "GrantIsEmpty",
    "GrantToNobody",
    "GrantTooLong",
    "StreamAlreadyOpen",
    "StreamUnknown",
    "TipDiffers",
    "TooManyBatches",
]


class StreamAlreadyOpen(CallRefusal):
    parameters = ("bytes32 stream",)


class StreamUnknown(CallRefusal):
    parameters = ("bytes32 stream",)


class TipDiffers(CallRefusal):
    parameters = ("bytes32 stream", "bytes32 tipHash", "bytes32 kept")


class BatchEmpty(CallRefusal):
    parameters = ("bytes32 stream",)


class BatchLeavesGap(CallRefusal):
    parameters = ("bytes32 stream", "uint64 firstIndex", "uint64 expected")


class BatchOverlaps(CallRefusal):
    parameters = ("bytes32 stream", "uint64 firstIndex", "uint64 expected")


class BatchTimeRunsBack(CallRefusal):
    parameters = ("bytes32 stream", "uint64 atMs", "uint64 previousMs")


class BatchFromFuture(CallRefusal):
    parameters = ("bytes32 stream", "uint64 lastMs", "uint256 latestMs")


class EpochRunsBack(CallRefusal):
    parameters = ("bytes32 stream", "uint32 epoch", "uint32 current")


class EpochNotBegun(CallRefusal):
    parameters = ("bytes32 stream", "uint32 epoch", "uint32 current")


class EpochOfFormerOwner(CallRefusal):
    parameters = ("bytes32 stream", "address former", "address owner")


class BodyMissing(CallRefusal):
    parameters = ("bytes32 stream",)


class BodyUnwanted(CallRefusal):
    parameters = ("bytes32 stream",)


class BodyTooLong(CallRefusal):
    parameters = ("uint256 length", "uint256 most")


class BodyDiffers(CallRefusal):
    parameters = ("bytes32 said", "bytes32 computed")


class BatchNotAuthentic(CallRefusal):
    parameters = ("bytes32 stream", "address device")


class TooManyBatches(CallRefusal):
    parameters = ("uint256 count", "uint256 most")


class BodyCountDiffers(CallRefusal):
    parameters = ("uint256 bodies", "uint256 batches")


class EpochNotNewer(CallRefusal):
    parameters = ("bytes32 stream", "uint32 epoch", "uint32 current")


class EpochTooFar(CallRefusal):
    parameters = ("bytes32 stream", "uint32 epoch", "uint256 most")


class GrantToNobody(CallRefusal):
    pass


class GrantIsEmpty(CallRefusal):
    parameters = ("uint32 firstWindow", "uint32 lastWindow")


class GrantTooLong(CallRefusal):
    parameters = ("uint256 length", "uint256 most")
