// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

using { isTaking, isOverLimit, clearTally } for Rollout global;

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

/// How far a release has come, in one word. As stored: `Unknown` until the rollout begins, and never `Superseded`, for what is
/// older than the newest full release is that without a word being written.
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

uint16 constant WHOLE_BP = 10_000;

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
