// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

using { key, status, keyKind, keyVersion, statusSince, withStatus } for Standing global;

/// What is needed to judge a device's signature, in one word, most significant bits first:
/// key 160 (last 20 bytes of keccak256(x . y) of the current key) | status 8 | keyKind 8 | keyVersion 16 | statusSince 40 |
/// zero 24. Zero: no such device.
type Standing is uint256;

function standingOf(address key_, uint8 status_, uint8 keyKind_, uint16 keyVersion_, uint40 since) pure returns (Standing) {
    return Standing.wrap(
        (uint256(uint160(key_)) << 96) | (uint256(status_) << 88) | (uint256(keyKind_) << 80)
            | (uint256(keyVersion_) << 64) | (uint256(since) << 24)
    );
}

function key(Standing standing) pure returns (address) {
    return address(uint160(Standing.unwrap(standing) >> 96));
}

function status(Standing standing) pure returns (uint8) {
    return uint8(Standing.unwrap(standing) >> 88);
}

function keyKind(Standing standing) pure returns (uint8) {
    return uint8(Standing.unwrap(standing) >> 80);
}

function keyVersion(Standing standing) pure returns (uint16) {
    return uint16(Standing.unwrap(standing) >> 64);
}

function statusSince(Standing standing) pure returns (uint40) {
    return uint40(Standing.unwrap(standing) >> 24);
}

function withStatus(Standing standing, uint8 status_, uint40 since) pure returns (Standing) {
    return standingOf(standing.key(), status_, standing.keyKind(), standing.keyVersion(), since);
}
