// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

using { firstIndex, count, nextIndex, firstMs, lastMs, epoch, number, deviceNonce, numbered, rekeyed } for Span global;

/// Which readings a batch has, in one word, most significant bits first: firstIndex 48 | count 32 | firstMs 48 | lastMs 48 |
/// epoch 32 | number 32 | deviceNonce 16. Times are milliseconds UTC of the first and the last reading. What the device signs
/// are the first five; `number`, from 1 on, and `deviceNonce`, the device's nonce in its registry, are the contract's.
type Span is uint256;

/// Before the first batch: no reading, no time.
function emptySpan(uint32 epoch_, uint256 deviceNonce_) pure returns (Span) {
    return Span.wrap((uint256(epoch_) << 48) | uint16(deviceNonce_));
}

function firstIndex(Span span) pure returns (uint64) {
    return uint64(Span.unwrap(span) >> 208);
}

function count(Span span) pure returns (uint32) {
    return uint32(Span.unwrap(span) >> 176);
}

/// Of the reading that follows.
function nextIndex(Span span) pure returns (uint64) {
    unchecked {
        // of 48 bits and of 32
        return span.firstIndex() + span.count();
    }
}

function firstMs(Span span) pure returns (uint64) {
    return uint48(Span.unwrap(span) >> 128);
}

function lastMs(Span span) pure returns (uint64) {
    return uint48(Span.unwrap(span) >> 80);
}

function epoch(Span span) pure returns (uint32) {
    return uint32(Span.unwrap(span) >> 48);
}

function number(Span span) pure returns (uint32) {
    return uint32(Span.unwrap(span) >> 16);
}

function deviceNonce(Span span) pure returns (uint16) {
    return uint16(Span.unwrap(span));
}

/// What the device signed, with the contract's part.
function numbered(Span span, uint32 number_, uint256 deviceNonce_) pure returns (Span) {
    return Span.wrap(((Span.unwrap(span) >> 48) << 48) | (uint256(number_) << 16) | uint16(deviceNonce_));
}

/// The same readings, to be followed by some of another epoch.
function rekeyed(Span span, uint32 epoch_, uint256 deviceNonce_) pure returns (Span) {
    uint256 readings = (Span.unwrap(span) >> 80) << 80;
    return Span.wrap(readings | (uint256(epoch_) << 48) | (uint256(span.number()) << 16) | uint16(deviceNonce_));
}
