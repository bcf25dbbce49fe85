"""For every custom error of every contract: the HTTP status, and what to change."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ADVICE", "Advice", "advice_on"]


@dataclass(frozen=True)
class Advice:
    """HTTP `status` of an error and a `message` for whoever has to act on it."""

    status: int
    message: str


_BY_STATUS: dict[int, dict[str, str]] = {
    403: {
        "WrongSigner": "sign with the key of the meter's account, or of a delegate of it within its limits",
        "WrongSignature": "the signature is not the signer's over exactly this act, chain and contract",
        "SignerNotAllowed": "the signer holds no role that allows this; have it granted or sign with another key",
        "NotAMaker": "the endorsement must come from a maker; have the role granted first",
        "DeviceSignatureInvalid": "sign with the device's current key for this chain and contract, s in the lower half",
        "AccessManagedUnauthorized": "the caller holds no role that allows this",
        "AccessManagerUnauthorizedAccount": "the caller holds no role that allows this",
        "AccessManagerUnauthorizedCall": "the caller holds no role that allows this",
        "AccessManagerUnauthorizedCancel": "only the scheduler or a guardian may cancel this operation",
        "AccessManagerUnauthorizedConsume": "only the target may consume this operation",
        "AccessManagedInvalidAuthority": "the authority is no contract",
        "AccessManagerBadConfirmation": "confirm with the caller's own address",
        "ERC2612InvalidSigner": "the permit is not the account's over this amount, spender, nonce and deadline",
    },
    404: {
        "UnknownMarket": "no such market; see GET /v1/markets",
        "MarketUnknown": "no such market; see GET /v1/markets",
        "UnknownMeter": "no such meter; register it first",
        "OrderMeterUnknown": "no such meter; register it first",
        "MeterUnknown": "no such meter; register it first",
        "UnknownDevice": "no such device; enrol it first",
    },
    409: {
        "GateClosed": "the gate of this slot is closed; order for a later slot",
        "GateNotClosed": "the slot can be cleared once its gate is closed",
        "GateClosedByReorg": "a reorganisation threw the order out after its gate; it cannot come back",
        "AlreadyCleared": "the slot is cleared already",
        "NotCleared": "the slot is not cleared yet",
        "ReadingTooEarly": "a reading is taken once its slot has ended",
        "ReadingTooLate": "the correction window of this slot is over",
        "ReadingDeadlineNotPassed": "a silent meter is settled only after the reading deadline",
        "ReadingNotNewer": "this version is recorded already; sign a correction as the next version",
        "MeterNotInForce": "the meter is not in force in this slot",
        "OrderMeterNotInForce": "the meter is not in force in this slot",
        "MeterEnds": "the meter has an end already; register or move the device once that has come",
        "MeterNotBegun": "the device's next meter has not begun; change it once that is in force",
        "DeviceNotMetered": "the device has no meter; register it first",
        "RingBusy": "an old slot in the same place of the ring is still open; try again once it is closed",
        "UtilityInArrears": "the market's utility owes money; it must deposit before new orders are taken",
        "InArrears": "the account owes money; deposit the arrear first: gridweave account deposit",
        "AvailableTooSmall": "the account's available balance does not cover the collateral; deposit or order less",
        "OrderExpired": "the order's deadline has passed; sign a new one with a later deadline",
        "ActExpired": "the deadline has passed; sign it again with a later one",
        "ERC2612ExpiredSignature": "the permit's deadline has passed; sign a new one",
        "VersionNotNewer": "this version is used; sign with a higher one",
        "DuplicateInBatch": "one batch may hold one act per meter and slot",
        "LadderFull": "so much energy stands around this price that no more fits; order at a price further away",
        "AlreadySettled": "the meter is settled for this slot",
        "NothingToRelease": "nothing of this order's collateral is free",
        "SlotForgotten": "the slot is too old; its words are in use again",
        "NonceUsed": "the signer has used this nonce; sign with a fresh one",
        "DeviceAlreadyMetered": "the device has a meter already",
        "DeviceAlreadyEnrolled": "the device is enrolled already",
        "DeviceNotActive": "the device is not active",
        "DeviceSuspended": "the device was suspended as this slot's gate closed; reinstated, it counts for later slots",
        "DeviceRevoked": "the device is revoked for good; enrol another",
        "StatusChangeRefused": "this change of status is not allowed",
        "WithdrawalAboveWithdrawable": "more than the withdrawable balance; see it with: gridweave account show",
        "ERC20InsufficientBalance": "the address does not hold so many tokens; see them with: gridweave account show",
        "VaultFull": "the Vault cannot take so much; deposit less",
        "ArrearTooLarge": "the account owes so much that no more can be written down; it must deposit first",
        "AmountNotReceived": "the token moved another amount than asked for; the Vault takes plain tokens only",
        "ERC20InsufficientAllowance": "the allowance does not cover the amount",
        "InvalidAccountNonce": "the permit's nonce is not the token's next one for this account",
        "BondNotWithdrawable": "a bond is made of what could be withdrawn; see it with: gridweave account show",
        "BondTooSmall": "the bond does not hold so much",
        "BondNotRedeemable": "what leaves a bond can be redeemed once its time has come; see: gridweave bond show",
        "CommitmentNotDue": "the relayer has until then; claim afterwards",
        "ClaimTooLate": "an order can be claimed until 64 slots after its own",
        "OrderArrived": "the order, or a newer version, did arrive; nothing is due",
        "OrderWasRefused": "the order was refused on chain in time; nothing is due",
        "AlreadyCompensated": "the order was compensated already",
        "AccessManagerAlreadyScheduled": "the operation is scheduled already",
        "AccessManagerNotScheduled": "the operation is not scheduled",
        "AccessManagerNotReady": "the operation's delay has not passed yet",
        "AccessManagerExpired": "the scheduled operation has expired; schedule it again",
        "AccessManagerInvalidInitialAdmin": "the first admin must be an account",
        "AccessManagerLockedRole": "this role cannot be changed",
        "AccessManagedRequiredDelay": "the caller must schedule this call first",
    },
    413: {"BatchTooLarge": "send fewer items in one call"},
    422: {
        "TermsNotAllowed": "the terms break a rule of the market",
        "BeyondHorizon": "the slot lies beyond the order horizon; order later",
        "SideNotAllowed": 'side is "bid" or "ask"',
        "EnergyTooSmall": "below the market's least energy",
        "EnergyTooLarge": "above what one order can carry; order less",
        "EnergyAboveCapacity": "more than the meter's capacity can draw or give in one slot; order less",
        "WithinHorizon": "changes take effect beyond the order horizon; name a later slot",
        "DelegateIsZero": "name the delegate's address",
        "PriceOffGrid": "the limit must lie on the market's price grid; a bid's includes the grid fee",
        "OrderMeterOfOtherMarket": "the meter belongs to another market",
        "MeterOfOtherMarket": "the meter belongs to another market",
        "CancelMalformed": "a cancel carries no side, energy or price",
        "ReadingForOtherSlot": "the reading is for another slot",
        "ReadingVersionOutOfRange": "versions run from 1 to 3",
        "ReadingAboveCapacity": "the reading exceeds what the meter's capacity allows in one slot",
        "ReadingOffScale": "the reading must be a multiple of the meter's scale and fit its fields",
        "CapacityOutOfRange": "capacities fit 24 bits of watts",
        "ScaleNotAllowed": "scaleWh is 1, 10 or 100",
        "MandateNotDue": "the operator registered the meter without a mandate: leave it out, or sign `mandated`",
        "ZeroAccount": "the account must not be the zero address",
        "KindNotAllowed": "the kind of asset is not one of the list",
        "WrongDeviceId": "a device's id is the last 20 bytes of keccak256(x . y)",
        "KeyNotOnCurve": "(x, y) is no point of that curve",
        "RelayerIsZero": "name the relayer's address; see GET /v1/deployment",
        "ZeroAmount": "the amount must not be zero",
        "AccountIsZero": "the account must not be the zero address",
        "OwnerIsZero": "the owner must not be the zero address",
        "ERC20InvalidReceiver": "the receiver must not be the zero address",
        "ERC20InvalidSender": "the sender must not be the zero address",
        "ERC20InvalidApprover": "the approver must not be the zero address",
        "ERC20InvalidSpender": "the spender must not be the zero address",
        "ECDSAInvalidSignature": "the signature is malformed",
        "ECDSAInvalidSignatureLength": "the signature has the wrong length",
        "ECDSAInvalidSignatureS": "s must lie in the lower half",
        "FieldOutOfRange": "a value does not fit its field",
        "NumberMalformed": "not a number in the unit asked for",
        "PeriodMalformed": "a period is 2026, 2026-11, 2026-W48, 2026-11-27 or 2026-11-27..2026-12-03, 1970 to 2105",
        "PeriodTooLong": "a bill spans a year at most; ask for shorter periods",
        "ZoneUnknown": "name an IANA time zone, such as Europe/Berlin or UTC",
        "SignatureMalformed": "a signature is 64 bytes r, vs or 65 bytes r, s, v, with s in the lower half",
        "WordMalformed": "the word has bits set where it must be zero",
    },
    500: {
        "PotTooSmall": "a fault of ours: a module asked for more than its pot holds",
        "HoldTooFar": "a fault of ours: a hold beyond the longest window",
        "CheckpointUnorderedInsertion": "a fault of ours: a history out of order",
        "CompensationIsZero": "a fault of the deployment: a compensation is more than nothing",
        "HoldLengthIsZero": "a fault of the deployment: holds need a length",
        "GasTooLowForWallet": "a fault of ours: too little gas was sent for a wallet to judge",
        "SlotLengthTooShort": "a fault of the deployment: slots last at least a minute",
        "ReentrancyGuardReentrantCall": "a contract called back where it may not",
        "SafeCastOverflowedIntDowncast": "a fault of ours: a value too large for its field",
        "SafeCastOverflowedIntToUint": "a fault of ours: a value too large for its field",
        "SafeCastOverflowedUintDowncast": "a fault of ours: a value too large for its field",
        "SafeCastOverflowedUintToInt": "a fault of ours: a value too large for its field",
        "SafeERC20FailedOperation": "the token refused a transfer",
        "AddressEmptyCode": "the target is no contract",
        "AddressInsufficientBalance": "a contract cannot pay so much",
        "FailedCall": "a call within the contracts failed",
        "FailedInnerCall": "a call within the contracts failed",
        "InsufficientBalance": "a contract cannot pay so much",
        "InvalidShortString": "a fault of ours: a name does not fit",
        "StringTooLong": "a fault of ours: a name is too long",
        "MathOverflowedMulDiv": "a fault of ours: an overflow",
        "Error": "the contract gave a reason in words only",
        "Panic": "a fault of ours: a contract panicked",
        "OutOfGas": "a fault of ours: the transaction ran out of gas",
        "TransactionReverted": "the transaction was reverted without a reason",
    },
}

ADVICE: dict[str, Advice] = {
    name: Advice(status, message) for status, names in _BY_STATUS.items() for name, message in names.items()
}
"""Advice by error name."""

_UNKNOWN = Advice(500, "an error that this service does not know; it may be older than the contracts")


def advice_on(name: str) -> Advice:
    """The advice for an error name; a 500 for one that nobody listed."""
    return ADVICE.get(name, _UNKNOWN)
