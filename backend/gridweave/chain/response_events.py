"""Events of DemandResponse, as typed records."""

# ruff: noqa: D101 (one class per event of the interface, which is the manual)

from __future__ import annotations

from dataclasses import dataclass

from gridweave.chain.event import Event
from gridweave.domain.flexibility.terms import ProgrammeTerms, RuleTerms

__all__ = [
    "AssetEnrolled",
    "AssetOptedOut",
    "AssetsCalled",
    "CallRefused",
    "CommitmentReleased",
    "MarginFound",
    "ProgrammeOpened",
    "ResponseAnnounced",
    "ResponseCancelled",
    "ResponseClosed",
    "ResponseDrawn",
    "ResponseRuleEnded",
    "ResponseRuleOpened",
    "ResponseSettled",
    "ResponseSettlementRefused",
    "SetpointGiven",
]


@dataclass(frozen=True, slots=True)
class ProgrammeOpened(Event):
    programme: int
    terms: ProgrammeTerms


@dataclass(frozen=True, slots=True)
class ResponseRuleOpened(Event):
    rule: int
    terms: RuleTerms


@dataclass(frozen=True, slots=True)
class ResponseRuleEnded(Event):
    rule: int


@dataclass(frozen=True, slots=True)
class AssetEnrolled(Event):
    """`word` is all of it, packed."""

    programme: int
    asset: int
    word: int


@dataclass(frozen=True, slots=True)
class ResponseAnnounced(Event):
    """`rule` 0: the payer called it. `budget` is micro, the bounty included."""

    number: int
    programme: int
    rule: int
    caller: str
    first_slot: int
    slots: int
    target_w: int
    day: int
    budget: int


@dataclass(frozen=True, slots=True)
class AssetsCalled(Event):
    """The assets have places `first_index` and on."""

    number: int
    first_index: int
    assets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CallRefused(Event):
    """`reason` is the selector of the error."""

    number: int
    asset: int
    reason: bytes


@dataclass(frozen=True, slots=True)
class AssetOptedOut(Event):
    """`late_from` 0: in time; else 1 + the first slot of the event that counts as not delivered."""

    number: int
    asset: int
    index: int
    late_from: int


@dataclass(frozen=True, slots=True)
class MarginFound(Event):
    """`margin` 64: all are taken, and `offered_w` is short of the target."""

    number: int
    margin: int
    shared_w: int
    long_w: int
    offered_w: int


@dataclass(frozen=True, slots=True)
class SetpointGiven(Event):
    number: int
    asset: int
    index: int
    setpoint_w: int


@dataclass(frozen=True, slots=True)
class ResponseDrawn(Event):
    number: int
    takes_place: bool


@dataclass(frozen=True, slots=True)
class ResponseCancelled(Event):
    number: int


@dataclass(frozen=True, slots=True)
class ResponseSettled(Event):
    """`net_micro` is what the account has of it in all; of `missing` bit i is slot i."""

    number: int
    asset: int
    index: int
    baseline_wh: tuple[int, ...]
    actual_wh: tuple[int, ...]
    missing: int
    ratio_bps: int
    has_baseline: bool
    pay_micro: int
    penalty_micro: int
    net_micro: int


@dataclass(frozen=True, slots=True)
class CommitmentReleased(Event):
    number: int
    asset: int
    index: int


@dataclass(frozen=True, slots=True)
class ResponseSettlementRefused(Event):
    """`reason` is the selector of the error."""

    number: int
    index: int
    reason: bytes


@dataclass(frozen=True, slots=True)
class ResponseClosed(Event):
    number: int
    returned: int
    bounty: int
