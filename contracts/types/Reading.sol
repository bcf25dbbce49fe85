// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

using { meter, slot, version, importWh, exportWh, canonical } for Reading global;

/// One interval reading in one word, most significant bits first:
/// meter 32 | slot 32 | version 8 (1 to 3) | importWh 32 | exportWh 32 | zero 120.
type Reading is bytes32;

/// `r`, `s` sign the MeterLedger's EIP-712 digest with the device's current key:
/// secp256k1 as ERC-2098 (`s` is `vs`), P-256 as plain (r, s) with s in the lower half.
struct SignedReading {
    Reading reading;
    bytes32 r;
    bytes32 s;
}

bytes32 constant READING_TYPEHASH =
    keccak256("Reading(uint32 meter,uint32 slot,uint8 version,uint32 importWh,uint32 exportWh)");

function meter(Reading reading) pure returns (uint32) {
    return uint32(uint256(Reading.unwrap(reading)) >> 224);
}

function slot(Reading reading) pure returns (uint32) {
    return uint32(uint256(Reading.unwrap(reading)) >> 192);
}

function version(Reading reading) pure returns (uint8) {
    return uint8(uint256(Reading.unwrap(reading)) >> 184);
}

function importWh(Reading reading) pure returns (uint32) {
    return uint32(uint256(Reading.unwrap(reading)) >> 152);
}

function exportWh(Reading reading) pure returns (uint32) {
    return uint32(uint256(Reading.unwrap(reading)) >> 120);
}

/// The reading with its unused bits, which no signature covers, cleared.
function canonical(Reading reading) pure returns (Reading) {
    return Reading.wrap(Reading.unwrap(reading) & bytes32(uint256(type(uint136).max) << 120));
}
