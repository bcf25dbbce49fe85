"""Refusals of the market's rules, named as the contracts name them.

Each class carries the name and the arguments of the Solidity error of the same name, so that the service can answer
before the chain does, in the same words. `OrderRefusal` are the reasons of single orders and
cancels, `ReadingRefusal` those of single readings. `LocalRefusal` never reach a contract: they say that something could
not even be written down as a word or a signature. Those of assets' states stand in `asset_errors`.
"""

from __future__ import annotations

from functools import cache
from typing import ClassVar

from gridweave.domain.hashing import abi_word, keccak


class DomainError(Exception):
    """A refusal with a `name` and `values` in the order of `parameters`, each "type name" as in Solidity.

    Raises TypeError when it is made with another number of values.
    """

    parameters: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *values: int | str) -> None:
        if len(values) != len(self.parameters):
            raise TypeError(f"{type(self).__name__} takes {self.parameters}, got {values}")
        super().__init__(*values)

    @property
    def name(self) -> str:
        """The Solidity error's name."""
        return type(self).__name__

    @property
    def values(self) -> dict[str, int | str]:
        """Arguments by name."""
        return {parameter.split()[1]: value for parameter, value in zip(self.parameters, self.args, strict=True)}

    def __str__(self) -> str:
        return f"{self.name}({', '.join(f'{name}={value}' for name, value in self.values.items())})"

    @classmethod
    def selector(cls) -> bytes:
        """The first four bytes of keccak256 of the error's signature: a reason as the contracts log it."""
        return _selector(cls.__name__, tuple(parameter.split()[0] for parameter in cls.parameters))

    @property
    def data(self) -> bytes:
        """The whole error as a contract returns it, its selector and a word for each argument.

        TypeError for one with an argument that is longer than a word.
        """
        types = [parameter.split()[0] for parameter in self.parameters]
        words = (abi_word(kind, value) for kind, value in zip(types, self.args, strict=True))
        return self.selector() + b"".join(words)


@cache
def _selector(name: str, types: tuple[str, ...]) -> bytes:
    return keccak(f"{name}({','.join(types)})".encode())[:4]


class LocalRefusal(DomainError):
    """Never reaches a contract: the value cannot be written down as the contracts would read it."""


class DeviceNotInBatch(LocalRefusal):
    """The maker's list of the batch does not name this device."""

    parameters = ("address device",)


class FieldOutOfRange(LocalRefusal):
    """A field does not fit its type."""

    parameters = ("string field", "string solidityType", "string value")


class NumberMalformed(LocalRefusal):
    """A decimal string is none, or is finer than the unit it stands for."""

    parameters = ("string text", "string rule")


class PeriodMalformed(LocalRefusal):
    """The name of a period stands for none."""

    parameters = ("string text", "string rule")


class PeriodTooLong(LocalRefusal):
    """A period of more days than can be answered at once."""

    parameters = ("string text", "uint256 days", "uint256 most")


class ZoneUnknown(LocalRefusal):
    """No time zone of that name."""

    parameters = ("string text", "string rule")


class SignatureMalformed(LocalRefusal):
    """A signature of the wrong length, with a high s, or of no key at all."""

    parameters = ("string rule",)


class WordMalformed(LocalRefusal):
    """A packed word with bits set where its type keeps zero."""

    parameters = ("string word",)


class CallRefusal(DomainError):
    """Concerns a whole call, not one item of it."""


class UnknownMarket(CallRefusal):
    parameters = ("uint32 market",)


class TermsNotAllowed(CallRefusal):
    parameters = ("string rule",)


class DelegateIsZero(CallRefusal):
    pass


class GasTooLowForWallet(CallRefusal):
    pass


class UnknownMeter(CallRefusal):
    parameters = ("uint32 meter",)


class DeviceAlreadyMetered(CallRefusal):
    parameters = ("address device", "uint32 meter")


class DeviceNotMetered(CallRefusal):
    parameters = ("address device",)


class WithinHorizon(CallRefusal):
    parameters = ("uint32 slot", "uint256 horizonSlot")


class MeterEnds(CallRefusal):
    parameters = ("uint32 meter", "uint32 untilSlot")


class MeterNotBegun(CallRefusal):
    parameters = ("uint32 meter", "uint32 fromSlot")


class GateNotClosed(CallRefusal):
    parameters = ("uint32 slot", "uint256 gateAt")


class AlreadyCleared(CallRefusal):
    parameters = ("uint32 market", "uint32 slot")


class NotCleared(CallRefusal):
    parameters = ("uint32 market", "uint32 slot")


class ReadingTooEarly(CallRefusal):
    parameters = ("uint32 slot", "uint256 endsAt")


class ReadingTooLate(CallRefusal):
    parameters = ("uint32 slot", "uint256 correctionEndedAt")


class ReadingDeadlineNotPassed(CallRefusal):
    parameters = ("uint32 slot", "uint256 deadlineAt")


class BatchTooLarge(CallRefusal):
    parameters = ("uint256 items", "uint256 most")


class WithdrawalAboveWithdrawable(CallRefusal):
    parameters = ("address account", "uint256 withdrawable", "uint256 amount")


class PotTooSmall(CallRefusal):
    parameters = ("address module", "uint256 pot", "uint256 amount")


class HoldTooFar(CallRefusal):
    parameters = ("uint256 holdUntil", "uint256 limit")


class ZeroAmount(CallRefusal):
    pass


class VaultFull(CallRefusal):
    parameters = ("uint256 totalTracked", "uint256 amount")


class ArrearTooLarge(CallRefusal):
    parameters = ("address account", "uint256 arrear")


class RelayerIsZero(CallRefusal):
    pass


class BondNotWithdrawable(CallRefusal):
    parameters = ("uint256 withdrawable", "uint256 amount")


class BondTooSmall(CallRefusal):
    parameters = ("uint256 left", "uint256 asked")


class BondNotRedeemable(CallRefusal):
    parameters = ("uint256 redeemableAt",)


class CommitmentNotDue(CallRefusal):
    parameters = ("uint256 commitBefore",)


class ClaimTooLate(CallRefusal):
    parameters = ("uint256 closedAt",)


class OrderArrived(CallRefusal):
    parameters = ("uint256 version", "uint256 takenAt")


class OrderWasRefused(CallRefusal):
    parameters = ("uint256 refusedAt",)


class AlreadyCompensated(CallRefusal):
    parameters = ("bytes32 digest", "address relayer")


class OrderRefusal(DomainError):
    """Why one order, cancel, settlement or release is refused."""


class MarketUnknown(OrderRefusal):
    pass


class GateClosed(OrderRefusal):
    pass


class BeyondHorizon(OrderRefusal):
    pass


class RingBusy(OrderRefusal):
    pass


class UtilityInArrears(OrderRefusal):
    pass


class OrderExpired(OrderRefusal):
    pass


class SideNotAllowed(OrderRefusal):
    pass


class EnergyTooSmall(OrderRefusal):
    pass


class EnergyTooLarge(OrderRefusal):
    pass


class PriceOffGrid(OrderRefusal):
    pass


class OrderMeterUnknown(OrderRefusal):
    pass


class OrderMeterOfOtherMarket(OrderRefusal):
    pass


class OrderMeterNotInForce(OrderRefusal):
    pass


class EnergyAboveCapacity(OrderRefusal):
    pass


class WrongSigner(OrderRefusal):
    pass


class VersionNotNewer(OrderRefusal):
    pass


class DuplicateInBatch(OrderRefusal):
    pass


class LadderFull(OrderRefusal):
    pass


class AlreadySettled(OrderRefusal):
    pass


class NothingToRelease(OrderRefusal):
    pass


class SlotForgotten(OrderRefusal):
    pass


class CancelMalformed(OrderRefusal):
    pass


class InArrears(OrderRefusal):
    parameters = ("address account", "uint256 arrear")


class AvailableTooSmall(OrderRefusal):
    parameters = ("address account", "uint256 available", "uint256 amount")


class ReadingRefusal(DomainError):
    """Why the ledger refuses one reading."""


class ReadingForOtherSlot(ReadingRefusal):
    pass


class ReadingVersionOutOfRange(ReadingRefusal):
    pass


class ReadingNotNewer(ReadingRefusal):
    pass


class ReadingAboveCapacity(ReadingRefusal):
    pass


class ReadingOffScale(ReadingRefusal):
    pass


class MeterUnknown(ReadingRefusal):
    pass


class MeterOfOtherMarket(ReadingRefusal):
    pass


class MeterNotInForce(ReadingRefusal):
    pass


class UnknownDevice(ReadingRefusal):
    parameters = ("address device",)


class DeviceSuspended(ReadingRefusal):
    parameters = ("address device",)


class DeviceRevoked(ReadingRefusal):
    parameters = ("address device",)


class DeviceSignatureInvalid(ReadingRefusal):
    parameters = ("address device",)
