"""Refusals between a device and its gateway: each names what to change, or that the same may be sent again."""

from __future__ import annotations

from gridweave.domain.telemetry.errors import BatchRefusal, KeyRefusal, SegmentRefusal, TelemetryRefusal


class WordMalformed(TelemetryRefusal):
    """What device and gateway tell each other is none of their words."""

    parameters = ("string rule",)


class IntakeRefusal(SegmentRefusal):
    """A gateway does not take a segment in now, or not from here. The device keeps it."""


class SegmentOfOtherDevice(IntakeRefusal):
    """A device sends at its own topics, and of its own streams, alone."""

    parameters = ("string device", "string streamDevice")


class SegmentTooLarge(IntakeRefusal):
    """A message is larger than a batch of its stream's mode can hold: sign fewer readings at once."""

    parameters = ("uint256 bytesLong", "uint256 most")


class SegmentConflicts(IntakeRefusal):
    """The device signed another segment for the same readings before: it was cloned, or went back to an old memory."""

    parameters = ("uint64 firstIndex", "string head", "string kept")


class StreamNotOpen(IntakeRefusal):
    """The service knows no such stream: its device's owner opens it."""

    parameters = ("string stream",)


class SchemaNotKnown(IntakeRefusal):
    """The service was not given the schema of this hash: whoever opens a stream brings it."""

    parameters = ("string stream", "string schemaHash")


class KeysNotGiven(IntakeRefusal):
    """The gateway has no keys of this stream: its owner exports them into the gateway's folder of keys."""

    parameters = ("string stream",)


class DeviceNotActive(IntakeRefusal):
    """The registry has suspended or revoked the device."""

    parameters = ("string device", "string status")


class IntakeBusy(IntakeRefusal):
    """More came at once than the gateway keeps in memory: send it again."""

    parameters = ("uint256 bytesWaiting", "uint256 most")


class SpoolFull(IntakeRefusal):
    """What waits to be anchored has reached the gateway's limit: keep it, and send it again later."""

    parameters = ("uint256 bytesKept", "uint256 most")


class SpoolUnwritable(IntakeRefusal):
    """The gateway's disk did not take it, because it is full or broken: keep it, and send it again later."""

    parameters = ("string reason",)


class ServiceAway(IntakeRefusal):
    """The gateway has not met this stream before and cannot ask the service: send it again later."""

    parameters = ("string reason",)


class SigningRefusal(BatchRefusal):
    """A device does not sign this batch."""


class BatchOfOtherStream(SigningRefusal):
    """It is none of the device's streams."""

    parameters = ("string stream",)


class BatchFollowsOther(SigningRefusal):
    """It does not follow the last batch that the device signed and knows to be anchored."""

    parameters = ("string previousHead", "uint64 firstIndex")


class BatchNotOwn(SigningRefusal):
    """Its readings, times or root are not those that the device measured."""

    parameters = ("string field", "string said", "string own")


class BatchEquivocates(SigningRefusal):
    """The device has signed another batch at this place: only a later epoch gives reason to sign anew."""

    parameters = ("uint64 firstIndex", "uint32 epoch", "string signed")


class DeviceMemoryRefusal(TelemetryRefusal):
    """A device cannot go on from its memory."""


class ClockRanBack(DeviceMemoryRefusal):
    """The device's clock is behind its last reading: wait until it has caught up; nothing is re-timed."""

    parameters = ("uint64 atMs", "uint64 lastMs")


class DeviceMemoryFull(DeviceMemoryRefusal):
    """What no gateway has acknowledged has reached the device's limit: nothing more is measured until one does."""

    parameters = ("uint256 bytesKept", "uint256 most")


class MemoryOfOtherStream(DeviceMemoryRefusal):
    """The file is the memory of another stream, or for another chain."""

    parameters = ("string stream",)


class OtherHistory(DeviceMemoryRefusal):
    """The gateway has readings that the device does not know: its memory is an old one, or it has a twin."""

    parameters = ("uint64 nextIndex", "string head", "string own")


class EpochKeysMissing(KeyRefusal):
    """The stream's owner has begun an epoch whose keys the gateway was not given."""

    parameters = ("string stream", "uint32 epoch")
