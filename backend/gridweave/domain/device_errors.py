"""Refusals of the DeviceRegistry, named as it names them; those that a reading may meet too stand in `errors`."""

from __future__ import annotations

from gridweave.domain.errors import CallRefusal

__all__ = [
    "ActExpired",
    "BatchAlreadyRegistered",
    "BatchIsClosed",
    "BlockOutOfRange",
    "DeviceAlreadyEnrolled",
    "DeviceSpent",
    "DoubtNotEarlier",
    "KeyCompromised",
    "KeyNotOnCurve",
    "KeyUnchanged",
    "NoRotationProposed",
    "NonceUsed",
    "NotAMaker",
    "NotInBatch",
    "OtherKeyProposed",
    "OwnerIsZero",
    "RotationNotReady",
    "SignerNotAllowed",
    "StatusChangeRefused",
    "TransferNotOffered",
    "UnknownBatch",
    "WrongDeviceId",
    "WrongKey",
    "WrongSignature",
]

# who consents


class ActExpired(CallRefusal):
    parameters = ("uint256 deadline",)


class NonceUsed(CallRefusal):
    parameters = ("address signer", "uint256 nonce")


class WrongSignature(CallRefusal):
    parameters = ("address signer",)


class SignerNotAllowed(CallRefusal):
    parameters = ("address signer",)


class NotAMaker(CallRefusal):
    parameters = ("address maker",)


# enrolment


class OwnerIsZero(CallRefusal):
    pass


class WrongDeviceId(CallRefusal):
    parameters = ("address device", "address expected")


class KeyNotOnCurve(CallRefusal):
    parameters = ("bytes32 x", "bytes32 y")


class DeviceAlreadyEnrolled(CallRefusal):
    parameters = ("address device",)


class BatchAlreadyRegistered(CallRefusal):
    parameters = ("bytes32 root",)


class UnknownBatch(CallRefusal):
    parameters = ("bytes32 root",)


class BatchIsClosed(CallRefusal):
    parameters = ("bytes32 root",)


class NotInBatch(CallRefusal):
    parameters = ("address device", "bytes32 root")


# keys


class WrongKey(CallRefusal):
    parameters = ("address device", "address present", "address given")


class KeyUnchanged(CallRefusal):
    parameters = ("address device",)


class DeviceSpent(CallRefusal):
    parameters = ("address device",)


class NoRotationProposed(CallRefusal):
    parameters = ("address device",)


class RotationNotReady(CallRefusal):
    parameters = ("address device", "uint256 readyAt")


class OtherKeyProposed(CallRefusal):
    parameters = ("address device", "address proposed")


# standing and transfer


class StatusChangeRefused(CallRefusal):
    parameters = ("address device", "uint8 from", "uint8 to")


class KeyCompromised(CallRefusal):
    parameters = ("address device", "uint256 sinceBlock")


class BlockOutOfRange(CallRefusal):
    parameters = ("uint256 sinceBlock",)


class DoubtNotEarlier(CallRefusal):
    parameters = ("address device", "uint256 sinceBlock")


class TransferNotOffered(CallRefusal):
    parameters = ("address device", "address to")
