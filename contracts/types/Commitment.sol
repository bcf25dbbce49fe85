// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

using { asset, tick, powerW, isVoid, isSettled, withPower, asVoid, asSettled } for Commitment global;
using { lateFrom, netMicro, withLateFrom, withNet } for Outcome global;

/// An asset's part in an event, a lane of 64 bits, most significant first: asset 32 | powerW 24 | tick 6 | settled 1 | void 1.
/// `powerW` is what was offered, at the margin the setpoint once that is known. Void: it opted out in time.
type Commitment is uint64;

/// What came of it, most significant bits first: netMicro 56 (signed) | lateFrom 8.
/// `netMicro` is what the account got, negative what its bond paid. `lateFrom` is 1 + the first slot of the event that counts as not
/// delivered since it opted out late, 0 if it did not.
type Outcome is uint64;

// Lanes of a word.
uint256 constant LANES_PER_WORD = 4;
// No asset offers more.
uint256 constant MAX_POWER_W = type(uint24).max;

function commitment(uint256 asset_, uint256 powerW_, uint256 tick_) pure returns (Commitment) {
    return Commitment.wrap(uint64((asset_ << 32) | (powerW_ << 8) | (tick_ << 2)));
}

function asset(Commitment lane) pure returns (uint32) {
    return uint32(Commitment.unwrap(lane) >> 32);
}

function powerW(Commitment lane) pure returns (uint256) {
    return uint24(Commitment.unwrap(lane) >> 8);
}

function tick(Commitment lane) pure returns (uint256) {
    return uint8(Commitment.unwrap(lane)) >> 2;
}

function isSettled(Commitment lane) pure returns (bool) {
    return Commitment.unwrap(lane) & 2 != 0;
}

function isVoid(Commitment lane) pure returns (bool) {
    return Commitment.unwrap(lane) & 1 != 0;
}

function withPower(Commitment lane, uint256 powerW_) pure returns (Commitment) {
    return Commitment.wrap((Commitment.unwrap(lane) & ~(uint64(type(uint24).max) << 8)) | uint64(powerW_ << 8));
}

function asSettled(Commitment lane) pure returns (Commitment) {
    return Commitment.wrap(Commitment.unwrap(lane) | 2);
}

function asVoid(Commitment lane) pure returns (Commitment) {
    return Commitment.wrap(Commitment.unwrap(lane) | 1);
}

function lateFrom(Outcome lane) pure returns (uint256) {
    return uint8(Outcome.unwrap(lane));
}

function netMicro(Outcome lane) pure returns (int256) {
    return int64(Outcome.unwrap(lane)) >> 8;
}

function withLateFrom(Outcome lane, uint256 from) pure returns (Outcome) {
    return Outcome.wrap(Outcome.unwrap(lane) | uint64(from));
}

function withNet(Outcome lane, int256 net) pure returns (Outcome) {
    return Outcome.wrap(uint64(uint256(net) << 8) | uint8(Outcome.unwrap(lane)));
}

/// The lane `index & 3` of a word.
function laneOf(uint256 word, uint256 index) pure returns (uint64) {
    return uint64(word >> ((index & 3) << 6));
}

function withLane(uint256 word, uint256 index, uint64 lane) pure returns (uint256) {
    uint256 shift = (index & 3) << 6;
    return word ^ ((uint256(uint64(word >> shift) ^ lane)) << shift);
}
