// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

// Ladders, positions and slot accounts live in rings of RING words. A word carries the tag of the slot that wrote it, so that
// a word of an earlier turn reads as empty and is overwritten, which costs a fifth of a fresh one.
uint256 constant RING = 256;
// An order's slot is at most this far ahead.
uint256 constant HORIZON = 192;
// Slots older than this are out of reach: within it a tag of 16 bits names one turn of the ring.
uint256 constant REACH = 1 << 23;

function ringIndex(uint256 slot) pure returns (uint256) {
    return slot & (RING - 1);
}

/// The turn of the ring, modulo 2**16.
function ringTag(uint256 slot) pure returns (uint256) {
    return uint16(slot >> 8);
}

/// Whether the turn `tag` comes after the turn `other`, for turns less than 2**15 apart.
function isLater(uint256 tag, uint256 other) pure returns (bool) {
    unchecked {
        // a difference modulo 2**16 is meant
        return int16(uint16(tag - other)) > 0;
    }
}
