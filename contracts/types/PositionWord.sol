// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

using { tagOf, version, tick, energyWh, side, isReleased, isSettledByDefault, isPending, takenAt } for PositionWord global;
using { asReleased, asSettledByDefault, asPending, asDone, refOf } for PositionWord global;

/// A meter's order for one slot, in one word, most significant bits first:
/// tag 16 | version 16 | tick 16 | energyWh 32 | side 8 | flags 8 | takenAt 40 (seconds, of this version) | zero 120.
/// Flags: 1 released, 2 settled by default, 4 pending within the batch that wrote it.
type PositionWord is uint256;

uint256 constant RELEASED = 1 << 160;
uint256 constant SETTLED_BY_DEFAULT = 2 << 160;
uint256 constant PENDING = 4 << 160;

function packPosition(
    uint256 tag,
    uint256 version_,
    uint256 tick_,
    uint256 energyWh_,
    uint256 side_,
    uint256 takenAt_
) pure returns (PositionWord) {
    return PositionWord.wrap(
        (tag << 240) | (version_ << 224) | (tick_ << 208) | (energyWh_ << 176) | (side_ << 168) | (takenAt_ << 120)
    );
}

function tagOf(PositionWord word) pure returns (uint256) {
    return PositionWord.unwrap(word) >> 240;
}

function version(PositionWord word) pure returns (uint256) {
    return uint16(PositionWord.unwrap(word) >> 224);
}

function tick(PositionWord word) pure returns (uint256) {
    return uint16(PositionWord.unwrap(word) >> 208);
}

function energyWh(PositionWord word) pure returns (uint256) {
    return uint32(PositionWord.unwrap(word) >> 176);
}

function side(PositionWord word) pure returns (uint256) {
    return uint8(PositionWord.unwrap(word) >> 168);
}

function isReleased(PositionWord word) pure returns (bool) {
    return PositionWord.unwrap(word) & RELEASED != 0;
}

function isSettledByDefault(PositionWord word) pure returns (bool) {
    return PositionWord.unwrap(word) & SETTLED_BY_DEFAULT != 0;
}

function isPending(PositionWord word) pure returns (bool) {
    return PositionWord.unwrap(word) & PENDING != 0;
}

/// When the version at hand was placed or cancelled.
function takenAt(PositionWord word) pure returns (uint256) {
    return uint40(PositionWord.unwrap(word) >> 120);
}

function asReleased(PositionWord word) pure returns (PositionWord) {
    return PositionWord.wrap(PositionWord.unwrap(word) | RELEASED);
}

function asSettledByDefault(PositionWord word) pure returns (PositionWord) {
    return PositionWord.wrap(PositionWord.unwrap(word) | SETTLED_BY_DEFAULT);
}

function asPending(PositionWord word) pure returns (PositionWord) {
    return PositionWord.wrap(PositionWord.unwrap(word) | PENDING);
}

/// The word without its mark of a batch under way.
function asDone(PositionWord word) pure returns (PositionWord) {
    return PositionWord.wrap(PositionWord.unwrap(word) & ~PENDING);
}

/// The reference under which the Vault logs what concerns the position, the same as `Order.position`.
function refOf(PositionWord word, uint256 market, uint256 slot, uint256 meter) pure returns (bytes32) {
    return bytes32((market << 224) | (slot << 192) | (meter << 160) | (word.version() << 144));
}
