"""What an audit did: counts of everything it recomputed, and every difference it found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from gridweave.audit.differences import Difference, Kind, Place
from gridweave.domain.names import camel

__all__ = ["AuditReport", "Checked", "Doubted", "DoubtedBatch", "DoubtedReceipt", "DoubtedState", "Doubts"]


class Checked(StrEnum):
    """What is counted, in the order in which reports show it."""

    BLOCKS = "blocks with events"
    EVENTS = "events"
    TRANSACTIONS = "transactions"
    MARKETS = "markets"
    BATCHES = "makers' batches"
    DEVICES = "devices"
    CLAIMS = "devices that claimed themselves"
    STATUS_CHANGES = "changes of devices' status"
    KEY_CHANGES = "changed device keys"
    KEY_PROPOSALS = "proposed device keys"
    KEY_VETOES = "vetoed device keys"
    COMPROMISES = "notices of compromise"
    TRANSFERS = "transferred devices"
    MARKET_CHANGES = "market changes"
    METERS = "meters"
    METER_ENDS = "ended meters"
    ASSETS = "assets"
    ASSET_STATES = "states of assets"
    STREAMS = "streams"
    EPOCHS = "key epochs of streams"
    TELEMETRY_BATCHES = "batches of telemetry"
    TELEMETRY_READINGS = "readings in batches of telemetry"
    BODIES = "bodies of batches"
    GRANTS = "grants of access"
    MODELS = "models of firmware"
    KEY_SETS = "changes of release keys"
    FIRMWARE_RELEASES = "releases of firmware"
    ROLLOUT_STEPS = "steps of rollouts"
    ROLLOUT_PAUSES = "pauses of rollouts by a key"
    SELF_PAUSES = "rollouts that paused themselves"
    FLOORS = "raised floors of firmware"
    REVOCATIONS = "revocations of firmware"
    RECEIPTS = "install receipts"
    DELEGATIONS = "delegations"
    ORDERS = "orders"
    REPLACEMENTS = "replacements"
    CANCELS = "cancels"
    REFUSALS = "refusals"
    PRICES = "prices"
    NO_TRADES = "slots without trade"
    FILLS = "fills"
    READINGS = "readings"
    CORRECTIONS = "corrections"
    DEFAULTS = "settlements without reading"
    PAYMENTS = "payments"
    RELEASES = "releases"
    CLOSES = "closed slots"
    DEBTS = "changes of debts"
    DEPOSITS = "deposits"
    WITHDRAWALS = "withdrawals"
    BONDS = "posted bonds"
    UNBONDINGS = "unbondings"
    REDEMPTIONS = "redeemed bonds"
    COMPENSATIONS = "compensations"
    REFUSAL_PROOFS = "proofs of refusal"
    ORDER_SIGNATURES = "signatures of orders and cancels"
    SCHEDULE_SIGNATURES = "signatures of schedules"
    ACKNOWLEDGEMENTS = "signatures of acknowledgements"
    READINGS_SECP256K1 = "reading signatures (secp256k1)"
    READINGS_P256 = "reading signatures (P-256)"
    ENDORSEMENTS = "makers' endorsements"
    POSSESSIONS = "proofs of key possession"
    BATCH_SIGNATURES = "signatures of batches of telemetry"
    RECEIPT_SIGNATURES = "signatures of install receipts"
    APPROVALS = "signatures of release keys"
    DEVICE_ACTS = "devices' signatures of their own acts"
    ACTS = "signatures of other acts"
    BY_CONTRACT_ONLY = "signatures checked by the contract only"
    DOUBTED = "readings that rest on a key in doubt"
    DOUBTED_STATES = "states of assets that rest on a key in doubt"
    DOUBTED_BATCHES = "batches of telemetry that rest on a key in doubt"
    DOUBTED_RECEIPTS = "install receipts that rest on a key in doubt"
    STORED = "values compared with storage"


@dataclass(frozen=True)
class Doubted:
    """A reading that was recorded on a key in doubt since block `since`. It was settled by the rules and stays so."""

    meter: int
    slot: int
    version: int
    device: str
    since: int
    place: Place

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return _json_of(self, "meter", "slot", "version", "device")


@dataclass(frozen=True)
class DoubtedState:
    """A state of an asset, as of chain time `at`, that its device reported on a key in doubt since block `since`."""

    asset: int
    state: int
    at: int
    device: str
    since: int
    place: Place

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return _json_of(self, "asset", "state", "at", "device")


@dataclass(frozen=True)
class DoubtedBatch:
    """Readings `first_index` up to, and without, `end_index` of a stream, 0x hex, that were anchored on such a key."""

    stream: str
    number: int
    first_index: int
    end_index: int
    device: str
    since: int
    place: Place

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return _json_of(self, "stream", "number", "first_index", "end_index", "device")


@dataclass(frozen=True)
class DoubtedReceipt:
    """What a device told of a release on such a key; it counts in the release's tally all the same."""

    device: str
    model: int
    counter: int
    failure_code: int
    since: int
    place: Place

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return _json_of(self, "device", "model", "counter", "failure_code")


def _json_of(doubted: Any, *names: str) -> dict[str, Any]:
    place: Place = doubted.place
    said = {camel(name): getattr(doubted, name) for name in names}
    where = {"block": place.block, "transaction": place.transaction, "logIndex": place.log_index}
    return {**said, "inDoubtSince": doubted.since, **where}


@dataclass
class Doubts:
    """What rests on keys in doubt. No differences: it stands by the rules. Who relies on it must know."""

    readings: list[Doubted] = field(default_factory=list)
    states: list[DoubtedState] = field(default_factory=list)
    batches: list[DoubtedBatch] = field(default_factory=list)
    receipts: list[DoubtedReceipt] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.readings or self.states or self.batches or self.receipts)


@dataclass
class AuditReport:
    """Of blocks `first_block` to `last_block`. Differences stand in the order of their discovery."""

    chain_id: int
    first_block: int
    last_block: int
    counts: Counter[Checked] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)
    milliseconds: int = 0
    doubts: Doubts = field(default_factory=Doubts)

    @property
    def doubted(self) -> list[Doubted]:
        """The readings among the doubts: money stays settled."""
        return self.doubts.readings

    @property
    def clean(self) -> bool:
        """Whether everything agrees."""
        return not self.differences

    @property
    def kinds(self) -> frozenset[Kind]:
        """Every kind of difference found."""
        return frozenset(difference.kind for difference in self.differences)

    @property
    def recomputed(self) -> dict[str, int]:
        """Counts by what was checked, in the order of `Checked`, zeros left out."""
        return {item.value: self.counts[item] for item in Checked if self.counts[item]}

    def to_json(self) -> dict[str, Any]:
        """The whole report for programs."""
        return {
            "chainId": self.chain_id,
            "fromBlock": self.first_block,
            "toBlock": self.last_block,
            "recomputed": self.recomputed,
            "differences": [difference.to_json() for difference in self.differences],
            "doubted": [reading.to_json() for reading in self.doubts.readings],
            "doubtedStates": [state.to_json() for state in self.doubts.states],
            "doubtedBatches": [batch.to_json() for batch in self.doubts.batches],
            "doubtedReceipts": [receipt.to_json() for receipt in self.doubts.receipts],
            "milliseconds": self.milliseconds,
        }
