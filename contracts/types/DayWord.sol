// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

using { firstSlot, slots, kind, isPublished } for DayWord global;

/// One day of a calendar, in the lowest 64 bits: firstSlot 32 | slots 16 | kind 8 | zero 8. Zero: not published.
type DayWord is uint256;

function dayWord(uint256 firstSlot_, uint256 slots_, uint256 kind_) pure returns (DayWord) {
    return DayWord.wrap((firstSlot_ << 32) | (slots_ << 16) | (kind_ << 8));
}

/// The day of that index among the four of its word.
function dayIn(uint256 word, uint256 day) pure returns (DayWord) {
    return DayWord.wrap((word >> ((day & 3) << 6)) & type(uint64).max);
}

function firstSlot(DayWord day) pure returns (uint256) {
    return DayWord.unwrap(day) >> 32;
}

function slots(DayWord day) pure returns (uint256) {
    return uint16(DayWord.unwrap(day) >> 16);
}

function kind(DayWord day) pure returns (uint256) {
    return uint8(DayWord.unwrap(day) >> 8);
}

function isPublished(DayWord day) pure returns (bool) {
    return DayWord.unwrap(day) != 0;
}
