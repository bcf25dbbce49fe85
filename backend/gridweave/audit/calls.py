"""What transactions ask of the contracts, one class a call; `inputs` reads them."""

from __future__ import annotations

from dataclasses import dataclass

from gridweave.audit.device_calls import DeviceCall
from gridweave.audit.firmware_calls import FirmwareCall
from gridweave.audit.signed import SharedConsent, SignedAct, SignedWord
from gridweave.audit.stream_calls import StreamCall
from gridweave.domain.acts import AssetKind, AssetStateReport
from gridweave.domain.delegations import Scope
from gridweave.domain.terms import MarketTerms

__all__ = [
    "Bundle",
    "Call",
    "Cancelling",
    "ChangingMarket",
    "Claiming",
    "ClearingSlot",
    "Collecting",
    "CreatingMarket",
    "Defaulting",
    "Delegating",
    "Depositing",
    "EndingMeter",
    "MovingMeter",
    "NotingRefusal",
    "Placing",
    "PostingBond",
    "Promise",
    "ProvingRefusal",
    "Redeeming",
    "RegisteringAsset",
    "RegisteringMeter",
    "Releasing",
    "ReportingStates",
    "Settling",
    "SignedReport",
    "Skimming",
    "Unbonding",
    "Withdrawing",
]


@dataclass(frozen=True)
class Placing:
    """`shared` is a schedule's signature; without it each item has its own."""

    items: tuple[SignedWord, ...]
    shared: SharedConsent | None = None


@dataclass(frozen=True)
class Cancelling:
    """As Placing."""

    items: tuple[SignedWord, ...]
    shared: SharedConsent | None = None


@dataclass(frozen=True)
class Bundle:
    """Calls of one transaction to one contract, one after the other."""

    calls: tuple[Call, ...]


@dataclass(frozen=True)
class ClearingSlot:
    market: int
    slot: int


@dataclass(frozen=True)
class Settling:
    market: int
    slot: int
    items: tuple[SignedWord, ...]


@dataclass(frozen=True)
class Defaulting:
    market: int
    slot: int
    meters: tuple[int, ...]


@dataclass(frozen=True)
class Releasing:
    market: int
    slot: int
    meters: tuple[int, ...]


@dataclass(frozen=True)
class Collecting:
    """`debtor` None: the utility of the market; a call seen from outside names the debtor and no market."""

    market: int | None
    creditor: str
    debtor: str | None = None


@dataclass(frozen=True)
class CreatingMarket:
    terms: MarketTerms
    operator: SignedAct
    utility: SignedAct


@dataclass(frozen=True)
class ChangingMarket:
    market: int
    terms: MarketTerms
    operator: SignedAct
    utility: SignedAct


@dataclass(frozen=True)
class Delegating:
    account: str
    delegate: str
    meters: tuple[int, ...]
    scope: Scope
    act: SignedAct


@dataclass(frozen=True)
class Depositing:
    """`payer` None: the sender of the transaction."""

    account: str
    amount: int
    payer: str | None


@dataclass(frozen=True)
class Withdrawing:
    """`act` None: the account is the sender of the transaction."""

    to: str
    amount: int
    act: SignedAct | None


@dataclass(frozen=True)
class Skimming:
    to: str


@dataclass(frozen=True)
class RegisteringMeter:
    device: str
    market: int
    account: str
    import_capacity_w: int
    export_capacity_w: int
    scale_wh: int
    mandated: bool
    operator: SignedAct
    mandate: SignedAct


@dataclass(frozen=True)
class MovingMeter:
    registration: RegisteringMeter
    from_slot: int


@dataclass(frozen=True)
class EndingMeter:
    meter: int
    until_slot: int
    operator: SignedAct


@dataclass(frozen=True)
class RegisteringAsset:
    meter: int
    kind: AssetKind
    nameplate_w: int
    storage_wh: int
    feeder: int
    operator: SignedAct


@dataclass(frozen=True)
class SignedReport:
    """What a device said of an asset. `signature` None: the contract alone saw it."""

    report: AssetStateReport
    signature: bytes | None


@dataclass(frozen=True)
class ReportingStates:
    """`in_batch`: what is refused leaves the others standing."""

    items: tuple[SignedReport, ...]
    in_batch: bool


@dataclass(frozen=True)
class PostingBond:
    relayer: str
    amount: int
    sponsor: SignedAct


@dataclass(frozen=True)
class Unbonding:
    """`amount` None: a call seen from outside, which names what leaves in all since, `leaving`."""

    relayer: str
    amount: int | None
    sponsor: SignedAct
    leaving: int = 0


@dataclass(frozen=True)
class Redeeming:
    sponsor: str
    relayer: str


@dataclass(frozen=True)
class Promise:
    """A relayer's acknowledgement. `signature` None: the contract alone saw it, and what was promised."""

    relayer: str
    sponsor: str
    signature_hash: bytes
    commit_before: int
    signature: bytes | None


@dataclass(frozen=True)
class Claiming:
    """`schedule`: account and order words of the schedule that was acknowledged; without it the order itself was."""

    order: bytes
    promise: Promise
    schedule: tuple[str, tuple[bytes, ...]] | None = None


@dataclass(frozen=True)
class ProvingRefusal:
    """What the bond has the auction place, under one signature."""

    placing: Placing


@dataclass(frozen=True)
class NotingRefusal:
    """A proof seen from outside: the order that it was about shows in no event."""

    digest: bytes
    meter: int
    slot: int
    request: bytes
    signature_hash: bytes


Call = (
    Placing
    | Cancelling
    | ClearingSlot
    | Settling
    | Defaulting
    | Releasing
    | Collecting
    | CreatingMarket
    | ChangingMarket
    | Delegating
    | Depositing
    | Withdrawing
    | Skimming
    | DeviceCall
    | StreamCall
    | FirmwareCall
    | RegisteringMeter
    | MovingMeter
    | EndingMeter
    | RegisteringAsset
    | ReportingStates
    | PostingBond
    | Unbonding
    | Redeeming
    | Claiming
    | ProvingRefusal
    | NotingRefusal
    | Bundle
)
