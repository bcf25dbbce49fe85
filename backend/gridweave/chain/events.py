"""Every event of every contract as a typed record, and the decoder from raw logs to them.

A class bears the event's name, its fields the parameters' names in snake_case. Order, Cancel and Reading words stay
bytes (`Order.unpack(event.order)`), reasons are four-byte selectors (`error_name(event.reason)`), hashes bytes,
addresses text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from gridweave.chain.abi import EventAbi, abi_of
from gridweave.chain.bond_events import BondLeaving, BondPosted, BondRedeemed, Compensated, RefusalProved
from gridweave.chain.calendar_events import CalendarOpened, DaysPublished
from gridweave.chain.event import Event
from gridweave.chain.firmware_events import (
    FirmwareReleased,
    FloorRaised,
    InstallTold,
    ModelOpened,
    ReceiptRefused,
    ReleaseKeysChanged,
    ReleaseRevoked,
    RolloutPaused,
    RolloutStepped,
)
from gridweave.chain.inherited_events import (
    Approval,
    AuthorityUpdated,
    EIP712DomainChanged,
    OperationCanceled,
    OperationExecuted,
    OperationScheduled,
    RoleAdminChanged,
    RoleGrantDelayChanged,
    RoleGranted,
    RoleGuardianChanged,
    RoleLabel,
    RoleRevoked,
    TargetAdminDelayUpdated,
    TargetClosed,
    TargetFunctionRoleUpdated,
    Transfer,
)
from gridweave.chain.registry_events import (
    AssetRegistered,
    AssetStateChanged,
    AssetStateRefused,
    BatchClosed,
    BatchRegistered,
    DeviceCompromised,
    DeviceEnrolled,
    DeviceStatusChanged,
    DIDAttributeChanged,
    DIDOwnerChanged,
    MeterEnded,
    MeterMoved,
    MeterRegistered,
    RotationProposed,
    RotationVetoed,
    TransferOffered,
)
from gridweave.chain.response_events import (
    AssetEnrolled,
    AssetOptedOut,
    AssetsCalled,
    CallRefused,
    CommitmentReleased,
    MarginFound,
    ProgrammeOpened,
    ResponseAnnounced,
    ResponseCancelled,
    ResponseClosed,
    ResponseDrawn,
    ResponseRuleEnded,
    ResponseRuleOpened,
    ResponseSettled,
    ResponseSettlementRefused,
    SetpointGiven,
)
from gridweave.chain.stream_events import (
    AccessGranted,
    BatchAnchored,
    BatchRefused,
    BodyAnchored,
    EpochBegun,
    StreamOpened,
)
from gridweave.chain.types import Log
from gridweave.chain.vault_events import (
    Balanced,
    DebtChanged,
    DebtPaid,
    Deposited,
    Locked,
    Paid,
    Skimmed,
    Withdrawn,
)
from gridweave.domain.firmware.messages import Release
from gridweave.domain.flexibility.terms import ProgrammeTerms, RuleTerms
from gridweave.domain.terms import MarketTerms

__all__ = [
    "EVENTS",
    "AccessGranted",
    "Approval",
    "AssetEnrolled",
    "AssetOptedOut",
    "AssetRegistered",
    "AssetStateChanged",
    "AssetStateRefused",
    "AssetsCalled",
    "AuthorityUpdated",
    "Balanced",
    "BatchAnchored",
    "BatchClosed",
    "BatchRefused",
    "BatchRegistered",
    "BodyAnchored",
    "BondLeaving",
    "BondPosted",
    "BondRedeemed",
    "CalendarOpened",
    "CallRefused",
    "Cancelled",
    "Cleared",
    "CommitmentReleased",
    "Compensated",
    "DIDAttributeChanged",
    "DIDOwnerChanged",
    "DaysPublished",
    "DebtChanged",
    "DebtPaid",
    "DelegationSet",
    "Deposited",
    "DeviceCompromised",
    "DeviceEnrolled",
    "DeviceStatusChanged",
    "EIP712DomainChanged",
    "EpochBegun",
    "Event",
    "FirmwareReleased",
    "FloorRaised",
    "InstallTold",
    "Locked",
    "MarginFound",
    "MarketChanged",
    "MarketCreated",
    "MeterEnded",
    "MeterMoved",
    "MeterRegistered",
    "ModelOpened",
    "OperationCanceled",
    "OperationExecuted",
    "OperationScheduled",
    "OrderRefused",
    "Paid",
    "Placed",
    "ProgrammeOpened",
    "ReadingRecorded",
    "ReadingRefused",
    "ReceiptRefused",
    "RefusalProved",
    "ReleaseKeysChanged",
    "ReleaseRevoked",
    "Released",
    "ResponseAnnounced",
    "ResponseCancelled",
    "ResponseClosed",
    "ResponseDrawn",
    "ResponseRuleEnded",
    "ResponseRuleOpened",
    "ResponseSettled",
    "ResponseSettlementRefused",
    "RoleAdminChanged",
    "RoleGrantDelayChanged",
    "RoleGranted",
    "RoleGuardianChanged",
    "RoleLabel",
    "RoleRevoked",
    "RolloutPaused",
    "RolloutStepped",
    "RotationProposed",
    "RotationVetoed",
    "SetpointGiven",
    "Settled",
    "SettlementRefused",
    "Skimmed",
    "SlotClosed",
    "StreamOpened",
    "TargetAdminDelayUpdated",
    "TargetClosed",
    "TargetFunctionRoleUpdated",
    "Transfer",
    "TransferOffered",
    "Withdrawn",
    "decode_log",
    "decode_logs",
    "topics_of",
]


# MeterLedger


@dataclass(frozen=True, slots=True)
class ReadingRecorded(Event):
    meter: int
    slot: int
    reading: bytes


@dataclass(frozen=True, slots=True)
class ReadingRefused(Event):
    meter: int
    slot: int
    version: int
    reason: bytes


# EnergyAuction


@dataclass(frozen=True, slots=True)
class MarketCreated(Event):
    market: int
    version: int
    terms: MarketTerms


@dataclass(frozen=True, slots=True)
class MarketChanged(Event):
    market: int
    version: int
    terms: MarketTerms


@dataclass(frozen=True, slots=True)
class DelegationSet(Event):
    account: str
    delegate: str
    market: int
    meters: tuple[int, ...]
    max_energy_wh: int
    lowest_ask: int
    highest_bid: int
    until: int


@dataclass(frozen=True, slots=True)
class Placed(Event):
    digest: bytes
    meter: int
    slot: int
    order: bytes


@dataclass(frozen=True, slots=True)
class Cancelled(Event):
    digest: bytes
    meter: int
    slot: int
    cancel: bytes


@dataclass(frozen=True, slots=True)
class OrderRefused(Event):
    digest: bytes
    meter: int
    slot: int
    reason: bytes


@dataclass(frozen=True, slots=True)
class Cleared(Event):
    market: int
    slot: int
    traded: bool
    price: int
    low: int
    high: int
    volume_wh: int
    long_side: int
    shared_wh: int
    long_wh: int


@dataclass(frozen=True, slots=True)
class Settled(Event):
    meter: int
    slot: int
    reading_version: int
    bought_wh: int
    sold_wh: int
    cash: int


@dataclass(frozen=True, slots=True)
class SettlementRefused(Event):
    meter: int
    slot: int
    reason: bytes


@dataclass(frozen=True, slots=True)
class Released(Event):
    meter: int
    slot: int
    amount: int


@dataclass(frozen=True, slots=True)
class SlotClosed(Event):
    market: int
    slot: int
    bid_dust_wh: int
    ask_dust_wh: int
    residue: int


EVENTS: Mapping[str, type[Event]] = {
    name: kind
    for name, kind in tuple(globals().items())
    if isinstance(kind, type) and issubclass(kind, Event) and kind is not Event
}
"""Every event class by its name."""

_CONTRACTS = (
    "Authority",
    "LocalCurrency",
    "Vault",
    "DeviceRegistry",
    "DERRegistry",
    "MeterLedger",
    "EnergyAuction",
    "RelayerBond",
    "TelemetryAnchor",
    "FirmwareRegistry",
    "DayCalendar",
    "DemandResponse",
)

_STRUCTS: Mapping[type[Event], type[MarketTerms | Release | ProgrammeTerms | RuleTerms]] = {
    MarketCreated: MarketTerms,
    MarketChanged: MarketTerms,
    FirmwareReleased: Release,
    ProgrammeOpened: ProgrammeTerms,
    ResponseRuleOpened: RuleTerms,
}
"""Events whose last value is a struct."""


def decode_log(log: Log) -> Event | None:
    """The typed event of a log, None if no contract of ours has an event with this first topic.

    ValueError if the log has the topic but not the shape.
    """
    known = _by_topic().get(log.topics[0]) if log.topics else None
    if known is None:
        return None
    kind, abi = known
    values = abi.values(log.topics, log.data)
    if kind in _STRUCTS:
        values[-1] = _STRUCTS[kind](*values[-1])
    return kind(
        log.contract,
        log.block_number,
        log.block_hash,
        log.transaction_hash,
        log.transaction_index,
        log.log_index,
        *values,
    )


def decode_logs(logs: Iterable[Log]) -> Iterator[Event]:
    """The typed events among the logs, in their order."""
    return (event for event in map(decode_log, logs) if event is not None)


def topics_of(*kinds: type[Event]) -> list[bytes]:
    """First topics of these event classes, for `Node.logs`."""
    wanted = {kind.__name__ for kind in kinds}
    return [topic for topic, (kind, _) in _by_topic().items() if kind.__name__ in wanted]


@cache
def _by_topic() -> dict[bytes, tuple[type[Event], EventAbi]]:
    found: dict[bytes, tuple[type[Event], EventAbi]] = {}
    for contract in _CONTRACTS:
        for name, abi in abi_of(contract).events.items():
            found[abi.topic] = (EVENTS[name], abi)
    return found
