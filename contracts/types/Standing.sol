// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

using {
    key, status, hasChanged, keyKind, keyVersion, nonce, statusSince, changed, withStatus, withKey, withNonce, withChanged, isSpent
} for Standing global;

/// What is needed to judge a device's signature, in one word, most significant bits first:
/// key 160 (last 20 bytes of keccak256(x . y) of the current key) | status 2 | hasChanged 1 | P-256 1 | keyVersion 14 |
/// nonce 14 | statusSince 32 (time) | changed 32 (block of its last ERC-1056 event). Zero: no such device.
type Standing is uint256;

uint256 constant COUNT_MASK = type(uint16).max >> 2;

function standingOf(address key_, uint8 status_, uint8 keyKind_, uint256 now_, uint256 block_) pure returns (Standing) {
    return Standing.wrap(
        (uint256(uint160(key_)) << 96) | (uint256(status_) << 94) | (uint256(keyKind_ - 1) << 92) | (1 << 78)
            | (uint256(uint32(now_)) << 32) | uint32(block_)
    );
}

function key(Standing standing) pure returns (address) {
    return address(uint160(Standing.unwrap(standing) >> 96));
}

function status(Standing standing) pure returns (uint8) {
    return uint8(Standing.unwrap(standing) >> 94) & 3;
}

/// Whether this status replaced an earlier one.
function hasChanged(Standing standing) pure returns (bool) {
    return (Standing.unwrap(standing) >> 93) & 1 == 1;
}

/// 1 for secp256k1, 2 for P-256.
function keyKind(Standing standing) pure returns (uint8) {
    return uint8(1 + ((Standing.unwrap(standing) >> 92) & 1));
}

function keyVersion(Standing standing) pure returns (uint16) {
    return uint16((Standing.unwrap(standing) >> 78) & COUNT_MASK);
}

/// How many acts count up to now that a key of the device had to sign here, or that gave it another key.
function nonce(Standing standing) pure returns (uint16) {
    return uint16((Standing.unwrap(standing) >> 64) & COUNT_MASK);
}

function statusSince(Standing standing) pure returns (uint32) {
    return uint32(Standing.unwrap(standing) >> 32);
}

function changed(Standing standing) pure returns (uint32) {
    return uint32(Standing.unwrap(standing));
}

/// Whether there is no room for another nonce. Versions, which never run ahead of nonces by more than one, have as much.
function isSpent(Standing standing) pure returns (bool) {
    return standing.nonce() == COUNT_MASK - 1;
}

function withStatus(Standing standing, uint8 status_, uint256 now_) pure returns (Standing) {
    uint256 rest = Standing.unwrap(standing) & ~((uint256(3) << 94) | (uint256(type(uint32).max) << 32));
    return Standing.wrap(rest | (uint256(status_) << 94) | (1 << 93) | (uint256(uint32(now_)) << 32));
}

/// With the next key and nonce. Not of one that is spent.
function withKey(Standing standing, address key_, uint8 keyKind_) pure returns (Standing) {
    uint256 rest = Standing.unwrap(standing) & ~((uint256(type(uint160).max) << 96) | (uint256(1) << 92));
    return Standing.wrap((rest | (uint256(uint160(key_)) << 96) | (uint256(keyKind_ - 1) << 92)) + (1 << 78) + (1 << 64));
}

/// With the next nonce. Not of one that is spent.
function withNonce(Standing standing) pure returns (Standing) {
    return Standing.wrap(Standing.unwrap(standing) + (1 << 64));
}

function withChanged(Standing standing, uint256 block_) pure returns (Standing) {
    return Standing.wrap((Standing.unwrap(standing) & ~uint256(type(uint32).max)) | uint32(block_));
}
