// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

using {
    market, slot, meter, version, deadline, side, energyWh, limitPrice, position
} for Order global;

/// An order in one word, most significant bits first:
/// market 32 | slot 32 | meter 32 | version 16 | deadline 40 | side 8 | energyWh 32 | limitPrice 64 (micro per kWh).
/// A bid's limit is all-in (grid fee included), an ask's is net.
type Order is bytes32;

/// `r` and `vs` are the compact ERC-2098 signature of the meter's account over its EIP-712 digest.
struct SignedOrder {
    Order order;
    bytes32 r;
    bytes32 vs;
}

uint8 constant BID = 1;
uint8 constant ASK = 2;

bytes32 constant ORDER_TYPEHASH = keccak256(
    "Order(uint32 market,uint32 slot,uint32 meter,uint16 version,uint40 deadline,uint8 side,uint32 energyWh,uint64 limitPrice)"
);

function market(Order order) pure returns (uint32) {
    return uint32(uint256(Order.unwrap(order)) >> 224);
}

function slot(Order order) pure returns (uint32) {
    return uint32(uint256(Order.unwrap(order)) >> 192);
}

function meter(Order order) pure returns (uint32) {
    return uint32(uint256(Order.unwrap(order)) >> 160);
}

function version(Order order) pure returns (uint16) {
    return uint16(uint256(Order.unwrap(order)) >> 144);
}

function deadline(Order order) pure returns (uint40) {
    return uint40(uint256(Order.unwrap(order)) >> 104);
}

function side(Order order) pure returns (uint8) {
    return uint8(uint256(Order.unwrap(order)) >> 96);
}

function energyWh(Order order) pure returns (uint32) {
    return uint32(uint256(Order.unwrap(order)) >> 64);
}

function limitPrice(Order order) pure returns (uint64) {
    return uint64(uint256(Order.unwrap(order)));
}

/// The reference under which the Vault logs the order's collateral: market, slot, meter and version, the rest zero.
function position(Order order) pure returns (bytes32) {
    return Order.unwrap(order) & bytes32(uint256(type(uint112).max) << 144);
}
