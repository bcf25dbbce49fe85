"""Refusals of the FirmwareRegistry, named as it names them; see IFirmwareRegistry for what each means."""

# ruff: noqa: D101 (one class per custom error of the interface, which is the manual)

from __future__ import annotations

from gridweave.domain.errors import CallRefusal


class ActExpired(CallRefusal):
    parameters = ("uint256 deadline",)


class WrongSignature(CallRefusal):
    parameters = ("address signer",)


class SignerNotAllowed(CallRefusal):
    parameters = ("address signer",)


class UnknownDevice(CallRefusal):
    parameters = ("address device",)


class DeviceSuspended(CallRefusal):
    parameters = ("address device",)


class DeviceRevoked(CallRefusal):
    parameters = ("address device",)


class DeviceSignatureInvalid(CallRefusal):
    parameters = ("address device",)


class UnknownModel(CallRefusal):
    parameters = ("uint32 model",)


class ModelAlreadyOpen(CallRefusal):
    parameters = ("uint32 model", "address maker")


class WrongKeySetVersion(CallRefusal):
    parameters = ("uint32 given", "uint32 expected")


class ThresholdOutOfRange(CallRefusal):
    parameters = ("uint8 threshold", "uint256 keys")


class KeysNotAscending(CallRefusal):
    parameters = ("address key",)


class WrongKeySet(CallRefusal):
    parameters = ("uint32 model", "bytes32 present")


class SignersNotAscending(CallRefusal):
    parameters = ("address signer",)


class UnknownReleaseKey(CallRefusal):
    parameters = ("address signer",)


class BelowThreshold(CallRefusal):
    parameters = ("uint256 approvals", "uint256 threshold")


class CounterNotIncreasing(CallRefusal):
    parameters = ("uint32 counter", "uint32 latest")


class FloorLowered(CallRefusal):
    parameters = ("uint32 floor", "uint32 present")


class FloorAboveCounter(CallRefusal):
    parameters = ("uint32 floor", "uint32 counter")


class ReleaseIncomplete(CallRefusal):
    pass


class FailureLimitOutOfRange(CallRefusal):
    parameters = ("uint32 leastReceipts", "uint16 failureLimitBp")


class UnknownRelease(CallRefusal):
    parameters = ("uint32 model", "uint32 counter")


class WrongRelease(CallRefusal):
    parameters = ("uint32 model", "uint32 counter", "bytes32 commitment")


class WrongRolloutState(CallRefusal):
    parameters = ("uint32 model", "uint32 counter", "uint8 state")


class CanaryOutOfRange(CallRefusal):
    parameters = ("uint16 shareBp", "uint16 most")


class ShareNotRaised(CallRefusal):
    parameters = ("uint16 shareBp", "uint16 present")


class RevocationOutOfRange(CallRefusal):
    parameters = ("uint32 sinceBlock",)


class RevocationNotEarlier(CallRefusal):
    parameters = ("uint32 model", "uint32 counter", "uint32 sinceBlock")


class WrongModel(CallRefusal):
    parameters = ("address device", "address maker", "uint32 model")


class NotInRamp(CallRefusal):
    parameters = ("address device", "uint256 position", "uint16 shareBp")


class ReceiptTold(CallRefusal):
    parameters = ("address device", "uint32 counter")


class ReceiptOutdated(CallRefusal):
    parameters = ("address device", "uint32 counter", "uint32 told")


class ReceiptFromFuture(CallRefusal):
    parameters = ("address device", "uint40 time")


class TooManyReceipts(CallRefusal):
    parameters = ("uint256 receipts", "uint256 most")
