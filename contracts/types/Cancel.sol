// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

using { market, slot, meter, version, deadline, isWellFormed } for Cancel global;

/// A cancellation: the upper 152 bits of an order word, the rest zero.
type Cancel is bytes32;

/// `r` and `vs` are the compact ERC-2098 signature of the meter's account over its EIP-712 digest.
struct SignedCancel {
    Cancel cancel;
    bytes32 r;
    bytes32 vs;
}

bytes32 constant CANCEL_TYPEHASH =
    keccak256("Cancel(uint32 market,uint32 slot,uint32 meter,uint16 version,uint40 deadline)");

function market(Cancel cancel) pure returns (uint32) {
    return uint32(uint256(Cancel.unwrap(cancel)) >> 224);
}

function slot(Cancel cancel) pure returns (uint32) {
    return uint32(uint256(Cancel.unwrap(cancel)) >> 192);
}

function meter(Cancel cancel) pure returns (uint32) {
    return uint32(uint256(Cancel.unwrap(cancel)) >> 160);
}

function version(Cancel cancel) pure returns (uint16) {
    return uint16(uint256(Cancel.unwrap(cancel)) >> 144);
}

function deadline(Cancel cancel) pure returns (uint40) {
    return uint40(uint256(Cancel.unwrap(cancel)) >> 104);
}

/// Whether all bits that no signature covers are zero.
function isWellFormed(Cancel cancel) pure returns (bool) {
    return uint104(uint256(Cancel.unwrap(cancel))) == 0;
}
