"""Why an owner's, a party's or a verifier's program refuses what it was given, by name. None is a contract's."""

from __future__ import annotations

from gridweave.domain.telemetry.errors import GrantRefusal, KeyRefusal, ProofRefusal, SchemaRefusal, TelemetryRefusal

__all__ = [
    "BatchHeadWrong",
    "BatchNotNext",
    "BatchSignatureWrong",
    "BatchesMissing",
    "BodyHashWrong",
    "BodyUnavailable",
    "EpochClosed",
    "GrantEventDisagrees",
    "HandoverMalformed",
    "KeyFileMalformed",
    "KeyNotTheDevices",
    "PageDiffers",
    "PartyFileMalformed",
    "PathWrong",
    "ProofFileMalformed",
    "ProofOfOtherChain",
    "RangeBrokenInside",
    "ReadingNotAnchored",
    "SchemaNotOfStream",
    "SourceRefusal",
    "StateNotProved",
    "StreamNotInKeys",
    "StreamNotOpened",
    "TimesNotShown",
    "TipDisagrees",
]


class SourceRefusal(TelemetryRefusal):
    """What a source tells of a stream is not what was anchored."""


class StreamNotOpened(SourceRefusal):
    """Nobody opened a stream of that name."""

    parameters = ("string stream",)


class BatchNotNext(SourceRefusal):
    """A batch does not follow the one before it: one is missing, twice there, moved or changed."""

    parameters = ("uint32 number", "string field", "uint256 said", "uint256 expected")


class BatchHeadWrong(SourceRefusal):
    """A batch's head is not the hash of what is told of it: something of it or before it was changed."""

    parameters = ("uint32 number", "string head", "string computed")


class BatchesMissing(SourceRefusal):
    """The stream has another number of batches than were told."""

    parameters = ("uint256 told", "uint256 expected")


class TipDisagrees(SourceRefusal):
    """The batches lead to another tip than the chain keeps."""

    parameters = ("string computed", "string kept")


class PageDiffers(SourceRefusal):
    """A page of batches has another root than the chain keeps."""

    parameters = ("uint256 page", "string computed", "string kept")


class BodyHashWrong(SourceRefusal):
    """The body of a batch is not the one that its device signed: truncated, extended or changed."""

    parameters = ("uint32 number", "string computed", "string recorded")


class BodyUnavailable(SourceRefusal):
    """Nobody asked has the body of a batch. One in mode hash lies in a store: name it with --bodies."""

    parameters = ("uint32 number", "string bodyHash")


class StreamNotInKeys(KeyRefusal):
    """The key file has no keys of that stream."""

    parameters = ("string stream",)


class EpochClosed(KeyRefusal):
    """No key here is of this epoch: another owner's, or never given."""

    parameters = ("uint32 epoch",)


class KeyFileMalformed(KeyRefusal):
    """Bytes are no key file's content."""

    parameters = ("string rule",)


class SchemaNotOfStream(SchemaRefusal):
    """The stream is one of another schema."""

    parameters = ("string stream", "string schemaHash")


class PartyFileMalformed(GrantRefusal):
    """Bytes are no party's keys."""

    parameters = ("string rule",)


class HandoverMalformed(GrantRefusal):
    """Bytes are no schema and grant."""

    parameters = ("string rule",)


class GrantEventDisagrees(GrantRefusal):
    """A grant on chain names other than the event that it came by."""

    parameters = ("string field", "uint256 said", "uint256 expected")


class ProofFileMalformed(ProofRefusal):
    """A file is no proof in canonical form."""

    parameters = ("string rule",)


class ProofOfOtherChain(ProofRefusal):
    """The proof is of another chain or contract than it is shown to."""

    parameters = ("string field", "string said", "string expected")


class ReadingNotAnchored(ProofRefusal):
    """The stream has no such reading, or none yet."""

    parameters = ("uint64 index", "uint64 end")


class TimesNotShown(ProofRefusal):
    """A span of time is complete with the readings on both sides of it, and on one there is none.

    Before the stream's first reading none is needed; behind the newest one, wait for the next batch or end earlier.
    """

    parameters = ("string side", "uint64 ms")


class PathWrong(ProofRefusal):
    """The path of a batch does not lead to the peak that the tip has over it."""

    parameters = ("uint32 number",)


class BatchSignatureWrong(ProofRefusal):
    """The key that signed the segment did not sign the batch, or signed another one."""

    parameters = ("uint32 number",)


class KeyNotTheDevices(ProofRefusal):
    """The registry does not know the key as the device's, up to the block of the batch."""

    parameters = ("string device", "string key")


class RangeBrokenInside(ProofRefusal):
    """A part of a range does not go on where the one before it ended."""

    parameters = ("uint64 index", "uint64 expected")


class StateNotProved(ProofRefusal):
    """The block's state does not hold what the proof leads to."""

    parameters = ("string computed", "string recorded")
