"""Telemetry for its owner, for parties that it is shared with, and for whoever checks a proof.

    keys = KeyFile(path, password).read().of(stream)
    ledger = Ledger.check(source, stream)                         # batches against what the chain keeps
    reader = StreamReader(ledger, source, Openings.of_owner(keys), domain)
    for part in reader.runs(from_ms, end_ms): ...                 # ReadingRun, or a ClosedSection
    file.write_bytes(prove_one(reader, index).encode())
    ReadingEvidence.decode(file.read_bytes()).check()             # without a chain, without a key

A source is anybody who tells of a stream: a service (`ServiceSource`), or a chain's logs alone.
"""

from gridweave.client.telemetry.anchored import AnchoredBatch, BatchSource, StreamFacts
from gridweave.client.telemetry.evidence import BatchConsent, ReadingEvidence
from gridweave.client.telemetry.handover import GrantEvent, Handover, hand_over
from gridweave.client.telemetry.key_file import KeyFile
from gridweave.client.telemetry.ledger import Ledger
from gridweave.client.telemetry.opening import ClosedSection, Openings, StreamReader
from gridweave.client.telemetry.owner import StreamOwner, epoch_act, grant_act, opening_act
from gridweave.client.telemetry.party_keys import Party, PartyKeys
from gridweave.client.telemetry.placed import PlacedBatch
from gridweave.client.telemetry.proving import prove_indexes, prove_one, prove_times
from gridweave.client.telemetry.range_evidence import RangeEvidence
from gridweave.client.telemetry.service_source import ServiceSource
from gridweave.client.telemetry.state_witness import StateWitness, slot_of
from gridweave.client.telemetry.stream_keys import EpochKeys, OwnerKeys, StreamKeys, mode_of

__all__ = [
    "AnchoredBatch",
    "BatchConsent",
    "BatchSource",
    "ClosedSection",
    "EpochKeys",
    "GrantEvent",
    "Handover",
    "KeyFile",
    "Ledger",
    "Openings",
    "OwnerKeys",
    "Party",
    "PartyKeys",
    "PlacedBatch",
    "RangeEvidence",
    "ReadingEvidence",
    "ServiceSource",
    "StateWitness",
    "StreamFacts",
    "StreamKeys",
    "StreamOwner",
    "StreamReader",
    "epoch_act",
    "grant_act",
    "hand_over",
    "mode_of",
    "opening_act",
    "prove_indexes",
    "prove_one",
    "prove_times",
    "slot_of",
]
