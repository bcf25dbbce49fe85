"""What an audit did: counts of everything it recomputed, and every difference it found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from gridweave.audit.differences import Difference, Kind, Place

__all__ = ["AuditReport", "Checked", "Doubted"]


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
    DEVICE_ACTS = "devices' signatures of their own acts"
    ACTS = "signatures of other acts"
    BY_CONTRACT_ONLY = "signatures checked by the contract only"
    DOUBTED = "readings that rest on a key in doubt"
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
        said = {name: getattr(self, name) for name in ("meter", "slot", "version", "device")}
        place = {"block": self.place.block, "transaction": self.place.transaction, "logIndex": self.place.log_index}
        return {**said, "inDoubtSince": self.since, **place}


@dataclass
class AuditReport:
    """Of blocks `first_block` to `last_block`. Differences stand in the order of their discovery."""

    chain_id: int
    first_block: int
    last_block: int
    counts: Counter[Checked] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)
    milliseconds: int = 0
    doubted: list[Doubted] = field(default_factory=list)
    """No differences: money stays settled. Who relies on these readings must know."""

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
            "doubted": [reading.to_json() for reading in self.doubted],
            "milliseconds": self.milliseconds,
        }
