// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

using { busyUntil, open, calledFor, optedOut, settled, eventDaysBefore } for MeterCalls global;

/// What a meter was called for, in one word, most significant bits first:
/// days 128 | lastDay 32 | busyUntil 32 | open 16 | dayCount 16 | zero 32.
/// Bit k of `days`: it was called for day lastDay - k. `busyUntil` is the slot after its last event, `open` how many events it is not
/// yet settled for, `dayCount` how many there were on lastDay. Its events follow each other, so days only rise.
type MeterCalls is uint256;

function busyUntil(MeterCalls calls) pure returns (uint256) {
    return uint32(MeterCalls.unwrap(calls) >> 64);
}

function open(MeterCalls calls) pure returns (uint256) {
    return uint16(MeterCalls.unwrap(calls) >> 48);
}

function calledFor(MeterCalls calls, uint256 day, uint256 until) pure returns (MeterCalls) {
    uint256 word = MeterCalls.unwrap(calls);
    unchecked {
        // days only rise; counters of 16 bits: an event takes a slot at least
        uint256 passed = day - uint32(word >> 96);
        uint256 count = passed == 0 ? uint16(word >> 32) : 0;
        // what is 128 days old falls out
        uint256 days_ = passed > 127 ? 1 : uint128((word >> 128) << passed) | 1;
        return MeterCalls.wrap(
            (days_ << 128) | (day << 96) | (until << 64) | ((calls.open() + 1) << 48) | ((count + 1) << 32)
        );
    }
}

/// It opted out in time. Unless it was called for a later day, the day counts no more if no other event was on it, and the slots
/// are free if they were its last.
function optedOut(MeterCalls calls, uint256 day, uint256 firstSlot, uint256 until) pure returns (MeterCalls) {
    uint256 word = MeterCalls.unwrap(calls.settled());
    if (uint32(word >> 96) != day) return MeterCalls.wrap(word);
    word -= 1 << 32;
    if (uint16(word >> 32) == 0) word &= ~(uint256(1) << 128);
    // never below what it was busy with before: that ended by then
    if (calls.busyUntil() == until) word -= (until - firstSlot) << 64;
    return MeterCalls.wrap(word);
}

function settled(MeterCalls calls) pure returns (MeterCalls) {
    return MeterCalls.wrap(MeterCalls.unwrap(calls) - (1 << 48));
}

/// Bit k: it was called for the day k + 1 before `day`, one that it was called for itself.
function eventDaysBefore(MeterCalls calls, uint256 day) pure returns (uint64) {
    uint256 word = MeterCalls.unwrap(calls);
    return uint64((word >> 128) >> (uint32(word >> 96) - day + 1));
}
