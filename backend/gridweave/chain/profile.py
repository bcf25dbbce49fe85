"""What differs from network to network, said once per network and never guessed from the chain id."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

__all__ = ["MAX_TRANSACTION_GAS", "FeeRule", "Fees", "NetworkProfile"]

MAX_TRANSACTION_GAS = 16_777_216
"""EIP-7825: no transaction of ours asks for more, on any network."""

_OUTBID_NUMERATOR, _OUTBID_DENOMINATOR = 9, 8


class FeeRule(StrEnum):
    """How transactions pay: `auto` follows the block header, so it is right wherever the header tells the truth."""

    AUTO = "auto"
    EIP1559 = "eip1559"
    LEGACY = "legacy"


@dataclass(frozen=True)
class Fees:
    """Fees in wei per gas. Legacy when `priority` is None: then `most` is the gas price."""

    most: int
    priority: int | None

    def outbid(self) -> Fees:
        """Fees an eighth higher, rounded up: what nodes ask of a replacement."""
        raised = None if self.priority is None else _raise(self.priority)
        return Fees(_raise(self.most), raised)

    def at_least(self, other: Fees) -> Fees:
        """The higher of both, per figure."""
        if self.priority is None or other.priority is None:
            return Fees(max(self.most, other.most), self.priority)
        return Fees(max(self.most, other.most), max(self.priority, other.priority))


@dataclass(frozen=True)
class NetworkProfile:
    """One network's habits. `chain_id` is checked against the node before anything is signed."""

    chain_id: int
    finality_depth: int = 12
    fee_rule: FeeRule = FeeRule.AUTO
    priority_fee: int = 1_000_000_000  # wei per gas
    gas_price: int = 1_000_000_000  # wei per gas, on legacy networks
    max_gas: int = MAX_TRANSACTION_GAS
    finality_file: Path | None = None
    """Written by the local node: {"block": n} is final there, whatever the depth says. Absent file: only genesis is."""

    def final_block(self, head: int) -> int:
        """The newest block number that will not change any more, given the `head` number. At least 0."""
        if self.finality_file is None:
            return max(0, head - self.finality_depth)
        try:
            return min(head, int(json.loads(self.finality_file.read_text())["block"]))
        except FileNotFoundError:
            return 0

    def fees(self, base_fee: int | None) -> Fees:
        """Fees for a transaction on top of a block with `base_fee` (None: its header has none).

        Twice the base fee lasts through five full blocks in a row.
        """
        if self.fee_rule is FeeRule.LEGACY or (self.fee_rule is FeeRule.AUTO and base_fee is None):
            return Fees(max(self.gas_price, base_fee or 0), None)
        return Fees(2 * (base_fee or 0) + self.priority_fee, self.priority_fee)


def _raise(fee: int) -> int:
    return -(-fee * _OUTBID_NUMERATOR // _OUTBID_DENOMINATOR) + 1
