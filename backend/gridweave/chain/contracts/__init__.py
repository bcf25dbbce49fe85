"""One typed facade per contract, and all of them together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from gridweave.chain.contracts.acts import NO_ACT, Act, SignedWord, signed_word, signed_words
from gridweave.chain.contracts.authority import Authority, Role
from gridweave.chain.contracts.base import Contract
from gridweave.chain.contracts.day_calendar import DayCalendar
from gridweave.chain.contracts.demand_response import DemandResponse
from gridweave.chain.contracts.der_registry import Asset, DERRegistry
from gridweave.chain.contracts.device_registry import Device, DeviceCheck, DeviceRegistry
from gridweave.chain.contracts.energy_auction import EnergyAuction, PositionState, SlotClearing, SlotState
from gridweave.chain.contracts.firmware_registry import FirmwareRegistry, SignedQuorum, SignedReceipt
from gridweave.chain.contracts.local_currency import LocalCurrency
from gridweave.chain.contracts.meter_ledger import MeterLedger
from gridweave.chain.contracts.relayer_bond import Promise, RelayerBond
from gridweave.chain.contracts.response_gauge import ResponseGauge
from gridweave.chain.contracts.telemetry_anchor import (
    RangePart,
    ReadingProof,
    SignedBatch,
    StreamKeeper,
    StreamRange,
    StreamReading,
    TelemetryAnchor,
)
from gridweave.chain.contracts.vault import Balance, Vault
from gridweave.chain.node import Node

__all__ = [
    "NO_ACT",
    "Act",
    "Asset",
    "Authority",
    "Balance",
    "Contract",
    "Contracts",
    "DERRegistry",
    "DayCalendar",
    "DemandResponse",
    "Device",
    "DeviceCheck",
    "DeviceRegistry",
    "EnergyAuction",
    "FirmwareRegistry",
    "LocalCurrency",
    "MeterLedger",
    "PositionState",
    "Promise",
    "RangePart",
    "ReadingProof",
    "RelayerBond",
    "ResponseGauge",
    "Role",
    "SignedBatch",
    "SignedQuorum",
    "SignedReceipt",
    "SignedWord",
    "SlotClearing",
    "SlotState",
    "StreamKeeper",
    "StreamRange",
    "StreamReading",
    "TelemetryAnchor",
    "Vault",
    "signed_word",
    "signed_words",
]


@dataclass(frozen=True)
class Contracts:
    """The facades of one deployment over one node."""

    node: Node
    authority: Authority
    currency: LocalCurrency
    vault: Vault
    devices: DeviceRegistry
    meters: DERRegistry
    ledger: MeterLedger
    auction: EnergyAuction
    bond: RelayerBond
    anchors: TelemetryAnchor
    firmware: FirmwareRegistry
    calendars: DayCalendar
    gauge: ResponseGauge
    responses: DemandResponse

    @classmethod
    def at(cls, node: Node, addresses: Mapping[str, str]) -> Self:
        """From addresses by contract name (`Deployment.addresses`). KeyError names one that is missing."""
        return cls(
            node=node,
            authority=Authority(node, addresses["Authority"]),
            currency=LocalCurrency(node, addresses["LocalCurrency"]),
            vault=Vault(node, addresses["Vault"]),
            devices=DeviceRegistry(node, addresses["DeviceRegistry"]),
            meters=DERRegistry(node, addresses["DERRegistry"]),
            ledger=MeterLedger(node, addresses["MeterLedger"]),
            auction=EnergyAuction(node, addresses["EnergyAuction"]),
            bond=RelayerBond(node, addresses["RelayerBond"]),
            anchors=TelemetryAnchor(node, addresses["TelemetryAnchor"]),
            firmware=FirmwareRegistry(node, addresses["FirmwareRegistry"]),
            calendars=DayCalendar(node, addresses["DayCalendar"]),
            gauge=ResponseGauge(node, addresses["ResponseGauge"]),
            responses=DemandResponse(node, addresses["DemandResponse"]),
        )

    def all(self) -> tuple[Contract, ...]:
        """Every facade of what obeys the Authority."""
        return (
            self.authority,
            self.currency,
            self.vault,
            self.devices,
            self.meters,
            self.ledger,
            self.auction,
            self.bond,
            self.anchors,
            self.firmware,
            self.calendars,
            self.responses,
        )
