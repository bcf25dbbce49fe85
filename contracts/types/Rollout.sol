// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

using { isTaking, isOverLimit, clearTally, pack } for Rollout global;
using { unpack, revokedSince, begunAt } for RolloutWord global;

enum RolloutState {
    Unknown,
    Proposed,
    Canary,
    Ramp,
    Full,
    Paused,
    Revoked,
    Superseded
}

/// How far a release has come. As stored: `Unknown` until the rollout begins, and never `Superseded`, for what is older than the
/// newest full release is that without a word being written.
struct Rollout {
    RolloutState state;
    RolloutState resumesTo; // of a paused one
    uint16 shareBp; // devices whose position is below it are in the ramp
    uint16 step; // how often it has been raised, paused or resumed
    uint32 told; // devices that told their first outcome in this step
    uint32 failures; // of them
    uint32 leastReceipts;
    uint16 failureLimitBp;
    uint32 floor;
    uint32 revokedSince; // block; 0: not revoked
    uint32 begunAt; // block
}

/// A Rollout in one word, most significant bits first: state 8 | resumesTo 8 | shareBp 16 | step 16 | told 32 | failures 32 |
/// leastReceipts 32 | failureLimitBp 16 | floor 32 | revokedSince 32 | begunAt 32.
type RolloutWord is uint256;

uint16 constant WHOLE_BP = 10_000;

function pack(Rollout memory rollout) pure returns (RolloutWord) {
    uint256 course = (uint256(rollout.state) << 248) | (uint256(rollout.resumesTo) << 240)
        | (uint256(rollout.shareBp) << 224) | (uint256(rollout.step) << 208);
    uint256 tally = (uint256(rollout.told) << 176) | (uint256(rollout.failures) << 144)
        | (uint256(rollout.leastReceipts) << 112) | (uint256(rollout.failureLimitBp) << 96);
    uint256 span = (uint256(rollout.floor) << 64) | (uint256(rollout.revokedSince) << 32) | rollout.begunAt;
    return RolloutWord.wrap(course | tally | span);
}

function unpack(RolloutWord packed) pure returns (Rollout memory rollout) {
    uint256 word = RolloutWord.unwrap(packed);
    if (word == 0) return rollout;
    rollout.state = RolloutState(word >> 248);
    rollout.resumesTo = RolloutState((word >> 240) & 0xff);
    rollout.shareBp = uint16(word >> 224);
    rollout.step = uint16(word >> 208);
    rollout.told = uint32(word >> 176);
    rollout.failures = uint32(word >> 144);
    rollout.leastReceipts = uint32(word >> 112);
    rollout.failureLimitBp = uint16(word >> 96);
    rollout.floor = uint32(word >> 64);
    rollout.revokedSince = packed.revokedSince();
    rollout.begunAt = packed.begunAt();
}

function revokedSince(RolloutWord packed) pure returns (uint32) {
    return uint32(RolloutWord.unwrap(packed) >> 32);
}

function begunAt(RolloutWord packed) pure returns (uint32) {
    return uint32(RolloutWord.unwrap(packed));
}

/// Whether devices may install it, were it not superseded.
function isTaking(Rollout memory rollout) pure returns (bool) {
    return rollout.state == RolloutState.Canary || rollout.state == RolloutState.Ramp
        || rollout.state == RolloutState.Full;
}

/// failures / told > failureLimitBp / 10,000, once enough have told
function isOverLimit(Rollout memory rollout) pure returns (bool) {
    return rollout.told >= rollout.leastReceipts
        && uint256(rollout.failures) * WHOLE_BP > uint256(rollout.told) * rollout.failureLimitBp;
}

/// Each step is judged by itself: else the many who did well before would drown those who fail now.
function clearTally(Rollout memory rollout) pure {
    rollout.told = 0;
    rollout.failures = 0;
}

/// Where a device stands in the ramp of a release, from 0 to 9,999. It is in the ramp if that is below the ramp's share, so a
/// higher share never drops it, and each release has other devices go first.
function rampPosition(address device, uint32 model, uint32 counter) pure returns (uint256) {
    return uint256(keccak256(abi.encodePacked(device, model, counter))) % WHOLE_BP;
}
