"""Signed acts: what operators, makers, owners and accounts consent to, one message each.

Nonces are unordered numbers that the signer has not used in that contract before; `deadline` is chain time in seconds.
Addresses are hex strings, amounts millionths, key coordinates 32 bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

from gridweave.domain.eip712 import TYPES, StructType
from gridweave.domain.terms import MarketTerms


class KeyKind(IntEnum):
    """Curve of a device's key, numbered as in IDeviceRegistry."""

    SECP256K1 = 1
    P256 = 2

    @property
    def label(self) -> str:
        """As JSON and command line spell it: secp256k1, p256. `KeyKind[text.upper()]` reads it."""
        return self.name.lower()

    @property
    def curve(self) -> str:
        """As standards spell it (RFC 7518, RFC 8812): secp256k1, P-256."""
        return "P-256" if self is KeyKind.P256 else "secp256k1"


class DeviceStatus(IntEnum):
    """Standing of a device, numbered as in IDeviceRegistry."""

    UNKNOWN = 0
    ACTIVE = 1
    SUSPENDED = 2
    REVOKED = 3


class AssetKind(IntEnum):
    """What stands behind a meter, numbered as in IDERRegistry."""

    PHOTOVOLTAIC = 1
    WIND = 2
    BATTERY = 3
    ELECTRIC_VEHICLE = 4
    HEAT_PUMP = 5
    LOAD = 6


class AssetState(IntEnum):
    """How an asset stands by its device's word, numbered as in IDERRegistry."""

    UNREPORTED = 0
    COMMISSIONED = 1
    ONLINE = 2
    OFFLINE = 3
    MAINTENANCE = 4
    FAULT = 5
    DECOMMISSIONED = 6


@dataclass(frozen=True)
class CreateMarket:
    """An operator opens a market under these terms (EnergyAuction)."""

    terms: MarketTerms
    nonce: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["CreateMarket"]


@dataclass(frozen=True)
class Underwrite:
    """The utility consents to be the other side of every deviation (EnergyAuction)."""

    terms: MarketTerms
    nonce: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["Underwrite"]


@dataclass(frozen=True)
class ChangeMarket:
    """An operator changes a market's terms from `terms.from_slot` on (EnergyAuction)."""

    market: int
    terms: MarketTerms
    nonce: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["ChangeMarket"]


@dataclass(frozen=True)
class UnderwriteChange:
    """The utility consents to the changed terms (EnergyAuction)."""

    market: int
    terms: MarketTerms
    nonce: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["UnderwriteChange"]


@dataclass(frozen=True)
class Endorsement:
    """A maker vouches for a device of a model (a number of its own), its key and its first owner (DeviceRegistry)."""

    device: str
    maker: str
    owner: str
    model: int
    key_kind: KeyKind
    x: bytes
    y: bytes
    nonce: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["Endorsement"]


@dataclass(frozen=True)
class Possession:
    """A device proves that it holds its key (DeviceRegistry)."""

    device: str
    maker: str
    owner: str
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["Possession"]


@dataclass(frozen=True)
class StatusChange:
    """An owner or operator suspends, readmits or revokes a device (DeviceRegistry)."""

    device: str
    status: DeviceStatus
    nonce: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["StatusChange"]


@dataclass(frozen=True)
class MeterRegistration:
    """An operator puts a device into a market for an account (DERRegistry).

    Capacities are W, `scale_wh` is 1, 10 or 100; `mandated` says that the account's Mandate is due with it.
    """

    device: str
    market: int
    account: str
    import_capacity_w: int
    export_capacity_w: int
    scale_wh: int
    mandated: bool
    nonce: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["MeterRegistration"]


@dataclass(frozen=True)
class MeterMove:
    """An operator ends a device's meter and begins its next one in `from_slot` (DERRegistry).

    Else as MeterRegistration.
    """

    device: str
    market: int
    account: str
    import_capacity_w: int
    export_capacity_w: int
    scale_wh: int
    mandated: bool
    from_slot: int
    nonce: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["MeterMove"]


@dataclass(frozen=True)
class MeterEnd:
    """An operator ends a meter before `until_slot` (DERRegistry)."""

    meter: int
    until_slot: int
    nonce: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["MeterEnd"]


@dataclass(frozen=True)
class Mandate:
    """An account lets the settlement of a device's meter debit it (DERRegistry)."""

    device: str
    market: int
    account: str
    nonce: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["Mandate"]


@dataclass(frozen=True)
class AssetRegistration:
    """An operator records an asset behind a meter (DERRegistry). `nameplate_w` W, `storage_wh` Wh.

    `feeder` is the operator's number of what the asset hangs on; 0 names none.
    """

    meter: int
    kind: AssetKind
    nameplate_w: int
    storage_wh: int
    feeder: int
    nonce: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["AssetRegistration"]


@dataclass(frozen=True)
class AssetStateReport:
    """A device says in which state an asset behind its meter is (DERRegistry).

    `since` is when that began by the device's clock, chain time in seconds; it rises with each report of an asset, so
    it is the report's nonce. `state` is a number of an AssetState, as signed: the contract refuses what is none.
    """

    asset: int
    state: int
    since: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["AssetStateReport"]


@dataclass(frozen=True)
class Withdrawal:
    """An account sends `amount` of its withdrawable balance to `to` (Vault)."""

    account: str
    to: str
    amount: int
    nonce: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["Withdrawal"]


@dataclass(frozen=True)
class Permit:
    """ERC-2612: `owner` lets `spender` take `value` (LocalCurrency). Its nonce is ordered: the token's own."""

    owner: str
    spender: str
    value: int
    nonce: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["Permit"]


@dataclass(frozen=True)
class PostBond:
    """A sponsor puts `amount` of its withdrawable balance down for a relayer (RelayerBond)."""

    sponsor: str
    relayer: str
    amount: int
    nonce: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["PostBond"]


@dataclass(frozen=True)
class Unbond:
    """A sponsor begins to take `amount` out of its bond for a relayer (RelayerBond)."""

    sponsor: str
    relayer: str
    amount: int
    nonce: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["Unbond"]
