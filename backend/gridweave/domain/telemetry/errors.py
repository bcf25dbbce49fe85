"""Refusals of telemetry: each names what is wrong with the bytes or the request, and with which numbers."""

from __future__ import annotations

from gridweave.domain.errors import LocalRefusal


class TelemetryRefusal(LocalRefusal):
    """Something of a stream is not as it must be. Never reaches a contract."""


class ProofRefusal(TelemetryRefusal):
    """A proof does not show what it is said to show."""


class OutsideTree(ProofRefusal):
    """Leaves [first, end) are none at all, or not among the leaves [low, high) that the tree has or knows."""

    parameters = ("uint256 first", "uint256 end", "uint256 low", "uint256 high")


class ProofLengthWrong(ProofRefusal):
    """A proof for this place in a tree of this size has another number of hashes."""

    parameters = ("uint256 hashes", "uint256 expected")


class ProofHashMalformed(ProofRefusal):
    """A hash of a proof is not 32 bytes long."""

    parameters = ("uint256 place", "uint256 bytesLong")


class RootMismatch(ProofRefusal):
    """Leaves and proof lead to another root: a leaf, its place, the size or a hash differs from what was recorded."""

    parameters = ("string computed", "string recorded")


class SchemaRefusal(TelemetryRefusal):
    """A schema cannot be written down, or bytes are none."""


class SchemaMalformed(SchemaRefusal):
    """Bytes are no schema in canonical form."""

    parameters = ("string rule",)


class ChannelMalformed(SchemaRefusal):
    """A channel's name, unit, scale or width is not allowed."""

    parameters = ("string channel", "string rule")


class StreamReadingRefusal(TelemetryRefusal):
    """A run of readings is not what its stream allows."""


class ReadingsMalformed(StreamReadingRefusal):
    """Bytes are no readings of that many channels."""

    parameters = ("uint256 bytesLong", "string rule")


class ReadingGap(StreamReadingRefusal):
    """An index inside a run does not follow the one before it."""

    parameters = ("uint64 index", "uint64 expected")


class ReadingTimeRunsBack(StreamReadingRefusal):
    """A reading is older than the one before it."""

    parameters = ("uint64 index", "uint64 atMs", "uint64 previousMs")


class ReadingTimeOutOfRange(StreamReadingRefusal):
    """A reading's time lies behind the last window that has a key."""

    parameters = ("uint64 index", "uint64 atMs")


class ChannelCountWrong(StreamReadingRefusal):
    """Readings have another number of channels than the stream's schema."""

    parameters = ("uint256 channels", "uint256 expected")


class ValueOutsideChannel(StreamReadingRefusal):
    """A reading's value does not fit its channel's width."""

    parameters = ("uint64 index", "string channel", "int256 value")


class SegmentRefusal(TelemetryRefusal):
    """A segment does not continue its stream, or is not what its device signed."""


class SegmentOfOtherStream(SegmentRefusal):
    """The segment is signed for another stream."""

    parameters = ("string stream", "string expected")


class SegmentGap(SegmentRefusal):
    """Readings are missing between what the stream has and the segment."""

    parameters = ("uint64 firstIndex", "uint64 expected")


class SegmentOverlap(SegmentRefusal):
    """The segment begins with readings that the stream already has."""

    parameters = ("uint64 firstIndex", "uint64 expected")


class SegmentTimeRunsBack(SegmentRefusal):
    """The segment begins before the stream's last reading."""

    parameters = ("uint64 firstMs", "uint64 previousMs")


class SegmentTooLong(SegmentRefusal):
    """The segment has more readings than one signature may cover."""

    parameters = ("uint256 count", "uint256 most")


class SegmentSpansWindows(SegmentRefusal):
    """The segment reaches from one key window into another: the device must end it at the boundary."""

    parameters = ("uint256 firstWindow", "uint256 lastWindow")


class SegmentDisagrees(SegmentRefusal):
    """A field of the segment says other than its readings do."""

    parameters = ("string field", "uint256 said", "uint256 found")


class WrongPreviousHead(SegmentRefusal):
    """The segment does not continue the stream's chain of hashes."""

    parameters = ("string previousHead", "string expected")


class WrongHead(SegmentRefusal):
    """The chain of hashes over the readings does not end in the segment's head."""

    parameters = ("string head", "string computed")


class SeedMalformed(SegmentRefusal):
    """The seed of a segment's salts is not 32 bytes long."""

    parameters = ("uint256 bytesLong",)


class SegmentSignatureInvalid(SegmentRefusal):
    """The device's key did not sign the segment."""

    parameters = ("string stream", "uint64 firstIndex")


class ClockAhead(SegmentRefusal):
    """The segment ends later than now: the device's clock is ahead by more than is borne with."""

    parameters = ("uint64 lastMs", "uint64 receivedMs", "uint64 limitMs")


class ColumnsRefusal(TelemetryRefusal):
    """Bytes are no packed readings."""


class ColumnsTruncated(ColumnsRefusal):
    """The bytes end too early."""

    parameters = ("uint256 bytesLong",)


class ColumnsExtended(ColumnsRefusal):
    """Bytes follow the packed readings."""

    parameters = ("uint256 extraBytes",)


class ColumnsTooMany(ColumnsRefusal):
    """No readings, or more than one run may hold."""

    parameters = ("uint256 readings", "uint256 most")


class ColumnsSizeWrong(ColumnsRefusal):
    """What was compressed has another size than so many readings of these widths have."""

    parameters = ("int256 size", "uint256 expected")


class ColumnsNotCanonical(ColumnsRefusal):
    """The same readings have another, shorter or simpler form, and only that one counts."""

    parameters = ("string rule",)


class ColumnsNotCompressed(ColumnsRefusal):
    """The compressed part is no zstd frame as it is written here."""

    parameters = ("string rule",)


class ColumnOutOfRange(ColumnsRefusal):
    """A number leaves the range of its type."""

    parameters = ("string column", "string rule")


class KeyRefusal(TelemetryRefusal):
    """Keys do not open what is asked of them, or bytes are no keys."""


class WindowsMalformed(KeyRefusal):
    """Windows [first, end) are none: the range is empty or leaves the tree."""

    parameters = ("uint256 first", "uint256 end")


class WindowClosed(KeyRefusal):
    """No key here opens this window: it was erased, or never given."""

    parameters = ("uint256 window",)


class KeysMalformed(KeyRefusal):
    """Bytes are no keys in canonical form."""

    parameters = ("string rule",)


class BatchRefusal(TelemetryRefusal):
    """A sealed batch is not what it is said to be."""


class HeaderMalformed(BatchRefusal):
    """Bytes are no header of a batch."""

    parameters = ("string rule",)


class HeaderDisagrees(BatchRefusal):
    """A field of the header says other than the readings do."""

    parameters = ("string field", "uint256 said", "uint256 found")


class BatchOfOtherSchema(BatchRefusal):
    """The batch is of another schema than the one to read it by."""

    parameters = ("string schemaHash", "string expected")


class BatchOfOtherEpoch(BatchRefusal):
    """The batch is sealed under keys of another epoch."""

    parameters = ("uint32 epoch", "uint32 expected")


class BodyTruncated(BatchRefusal):
    """The body of a batch ends too early."""

    parameters = ("uint256 bytesLong",)


class BodyExtended(BatchRefusal):
    """Bytes follow the last section of a body."""

    parameters = ("uint256 extraBytes",)


class BodyMalformed(BatchRefusal):
    """The sections of a body are not those that its header asks for."""

    parameters = ("string rule",)


class SectionAltered(BatchRefusal):
    """Header or section were changed, or are sealed under other keys: they do not open."""

    parameters = ("uint256 window",)


class ImprintWrong(BatchRefusal):
    """The section opens, and yet whoever sealed it derived its key from something else."""

    parameters = ("uint256 window",)


class SectionMalformed(BatchRefusal):
    """What was sealed is no section."""

    parameters = ("string rule",)


class ReadingOutsideWindow(BatchRefusal):
    """A section holds a reading of another window."""

    parameters = ("uint256 window", "uint64 index", "uint64 atMs")


class ProofOfOtherReading(ProofRefusal):
    """The leaf that is proved holds another reading than it is shown for."""

    parameters = ("uint64 index", "uint64 expected")


class LeafMalformed(ProofRefusal):
    """A leaf is no salt and reading of this schema."""

    parameters = ("uint256 bytesLong",)


class TimesOffWindows(KeyRefusal):
    """Keys open whole quarter hours of UTC: begin and end at minute 00, 15, 30 or 45."""

    parameters = ("uint64 firstMs", "uint64 endMs", "uint64 windowMs")


class GrantRefusal(TelemetryRefusal):
    """A grant opens nothing, or not this."""


class PartyKeyMalformed(GrantRefusal):
    """A party's key is none of its suite."""

    parameters = ("string suite", "string rule")


class GrantMalformed(GrantRefusal):
    """Bytes are no grant."""

    parameters = ("string rule",)


class GrantOfOtherSuite(GrantRefusal):
    """The grant is sealed to a key of another kind than the one to open it with."""

    parameters = ("string suite", "string expected")


class GrantDoesNotOpen(GrantRefusal):
    """The grant was sealed to another key, or changed since."""

    parameters = ("string stream",)


class GrantKeysWrong(GrantRefusal):
    """The keys in the grant are not those of the epoch and windows that it names."""

    parameters = ("string rule",)


class GrantOfOtherStream(GrantRefusal):
    """The batch is of another stream than the grant opens."""

    parameters = ("string stream", "string expected")


class MessageMalformed(SegmentRefusal):
    """Bytes are no message of a device."""

    parameters = ("string rule",)
