"""Opening: a batch's readings, with any keys that reach its windows: the owner's, or those of a grant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from gridweave.domain.eip712 import Domain
from gridweave.domain.telemetry.batches import BatchHeader, SealedBatch, Section
from gridweave.domain.telemetry.columns import unpack
from gridweave.domain.telemetry.errors import (
    BatchOfOtherEpoch,
    BatchOfOtherSchema,
    HeaderDisagrees,
    ReadingOutsideWindow,
)
from gridweave.domain.telemetry.keytree import WindowKeys
from gridweave.domain.telemetry.merkle import MerkleTree, verify_hashed_range
from gridweave.domain.telemetry.readings import ReadingRun
from gridweave.domain.telemetry.schema import Schema
from gridweave.domain.telemetry.sealing import decode_segments, split_plaintext
from gridweave.domain.telemetry.segments import SignedRun, StreamTail
from gridweave.domain.telemetry.verifying import DeviceKey
from gridweave.domain.telemetry.window_secrets import WindowSecrets
from gridweave.domain.telemetry.windows import window_at


@dataclass(frozen=True)
class OpenedSection:
    """A window's readings, the segments that the device signed of them, and what is known of the batch's tree."""

    header: BatchHeader
    run: ReadingRun
    sent: tuple[SignedRun, ...]
    tree: MerkleTree = field(repr=False)

    def follow(self, tail: StreamTail) -> StreamTail:
        """The stream's tail after this section. Raises a SegmentRefusal when it does not continue the one before."""
        for part in self.sent:
            tail = tail.after(part.segment)
        return tail

    def must_be_signed(self, key: DeviceKey, domain: Domain) -> None:
        """Return if the device's key signed every segment. Raises SegmentSignatureInvalid."""
        for part in self.sent:
            key.must_have_signed(part.segment, part.signature, domain)


def open_batch(keys: WindowKeys, schema: Schema, batch: SealedBatch) -> tuple[OpenedSection, ...]:
    """All sections of the batch. Raises WindowClosed for one that the keys do not reach, and as `open_section`."""
    return tuple(open_section(keys, schema, batch.header, section) for section in batch.sections())


def open_reached(keys: WindowKeys, schema: Schema, batch: SealedBatch) -> tuple[OpenedSection, ...]:
    """The sections that the keys reach, which may be none. Raises as `open_section`."""
    reached = (section for section in batch.sections() if keys.opens(section.window))
    return tuple(open_section(keys, schema, batch.header, section) for section in reached)


def open_section(keys: WindowKeys, schema: Schema, header: BatchHeader, section: Section) -> OpenedSection:
    """The section's readings, checked against the header's root. Whether the device signed them is asked of the result.

    Raises WindowClosed, a BatchRefusal, a ColumnsRefusal or StreamReadingRefusal for what was sealed, RootMismatch.
    """
    if keys.epoch != header.epoch:
        raise BatchOfOtherEpoch(header.epoch, keys.epoch)
    if schema.hash != header.schema_hash:
        raise BatchOfOtherSchema("0x" + header.schema_hash.hex(), "0x" + schema.hash.hex())
    secrets = WindowSecrets(section.window, header.stream, keys.key(section.window))
    packed, signed = split_plaintext(secrets.decrypt(header, section))
    run = unpack(packed, len(schema.channels), section.first_index, section.count)
    run.must_fit(schema)
    _must_be_in_window(section.window, run)
    _must_agree(header, run)
    sent = decode_segments(header.stream, run, signed)
    hashes = [leaf_hash for part in sent for leaf_hash in part.salted.leaf_hashes]
    place = run.first_index - header.first_index
    tree = verify_hashed_range(header.root, header.count, place, hashes, section.proof)
    return OpenedSection(header, run, sent, tree)


def _must_be_in_window(window: int, run: ReadingRun) -> None:
    for index, at_ms in ((run.first_index, run.first_ms), (run.end_index - 1, run.last_ms)):
        if window_at(at_ms) != window:
            raise ReadingOutsideWindow(window, index, at_ms)


def _must_agree(header: BatchHeader, run: ReadingRun) -> None:
    for name, said, found in _ends(header, run):
        if said != found:
            raise HeaderDisagrees(name, said, found)


def _ends(header: BatchHeader, run: ReadingRun) -> Iterator[tuple[str, int, int]]:
    if run.first_index == header.first_index:
        yield "firstMs", header.first_ms, run.first_ms
    if run.end_index == header.first_index + header.count:
        yield "lastMs", header.last_ms, run.last_ms
