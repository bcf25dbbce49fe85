"""What is signed about demand response, for DemandResponse: by who pays, and by the owners of assets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gridweave.domain.eip712 import TYPES, StructType
from gridweave.domain.flexibility.terms import ProgrammeTerms, RuleTerms

__all__ = [
    "AssetEnrolment",
    "BaselineAgreement",
    "ProgrammeOpening",
    "ResponseCall",
    "ResponseCancellation",
    "ResponseOptOut",
    "ResponseRuleEnd",
    "ResponseRuleOpening",
]


@dataclass(frozen=True)
class ProgrammeOpening:
    """An operator opens a programme and pays for it."""

    terms: ProgrammeTerms
    nonce: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["ProgrammeOpening"]


@dataclass(frozen=True)
class ResponseRuleOpening:
    """The payer lets events be called by a rule."""

    terms: RuleTerms
    nonce: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["ResponseRuleOpening"]


@dataclass(frozen=True)
class ResponseRuleEnd:
    """The payer ends a rule."""

    rule: int
    nonce: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["ResponseRuleEnd"]


@dataclass(frozen=True)
class AssetEnrolment:
    """An owner offers an asset; `nonce` is the version of the enrolment. Without power it leaves.

    `ask_price` is micro per kWh, `fixed_wh` net import per slot where the baseline is agreed; comfort hours are slots
    of the local day.
    """

    programme: int
    asset: int
    committed_w: int
    ask_price: int
    fixed_wh: int
    least_soc_percent: int
    comfort_from: int
    comfort_until: int
    max_slots: int
    nonce: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["AssetEnrolment"]


@dataclass(frozen=True)
class BaselineAgreement:
    """The payer agrees to a fixed baseline, net import in Wh per slot."""

    programme: int
    asset: int
    fixed_wh: int
    nonce: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["BaselineAgreement"]


@dataclass(frozen=True)
class ResponseCall:
    """The payer calls an event."""

    programme: int
    first_slot: int
    slots: int
    target_w: int
    nonce: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["ResponseCall"]


@dataclass(frozen=True)
class ResponseCancellation:
    """The payer calls it off before it starts."""

    number: int
    nonce: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["ResponseCancellation"]


@dataclass(frozen=True)
class ResponseOptOut:
    """The owner of the asset at place `index` leaves an event."""

    number: int
    index: int
    nonce: int
    deadline: int

    TYPE: ClassVar[StructType] = TYPES["ResponseOptOut"]
