// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

using { meter, kind, state, nameplateW, storageWh, feeder, registeredAt, stateSince, withState } for AssetWord global;

/// All of an asset in one word, most significant bits first:
/// meter 32 | kind 8 | state 8 | nameplateW 32 | storageWh 32 | feeder 32 | registeredAt 40 | stateSince 40 | zero 32.
/// Times are chain time in seconds, `stateSince` zero until the first report. Zero: no such asset.
type AssetWord is uint256;

// Numbered as in IDERRegistry.AssetState.
uint8 constant UNREPORTED = 0;
uint8 constant COMMISSIONED = 1;
uint8 constant DECOMMISSIONED = 6;

function assetWord(
    uint32 meter_,
    uint8 kind_,
    uint32 nameplateW_,
    uint32 storageWh_,
    uint32 feeder_,
    uint256 registeredAt_
) pure returns (AssetWord) {
    return AssetWord.wrap(
        (uint256(meter_) << 224) | (uint256(kind_) << 216) | (uint256(nameplateW_) << 176)
            | (uint256(storageWh_) << 144) | (uint256(feeder_) << 112) | (uint256(uint40(registeredAt_)) << 72)
    );
}

function meter(AssetWord asset) pure returns (uint32) {
    return uint32(AssetWord.unwrap(asset) >> 224);
}

function kind(AssetWord asset) pure returns (uint8) {
    return uint8(AssetWord.unwrap(asset) >> 216);
}

function state(AssetWord asset) pure returns (uint8) {
    return uint8(AssetWord.unwrap(asset) >> 208);
}

function nameplateW(AssetWord asset) pure returns (uint32) {
    return uint32(AssetWord.unwrap(asset) >> 176);
}

function storageWh(AssetWord asset) pure returns (uint32) {
    return uint32(AssetWord.unwrap(asset) >> 144);
}

function feeder(AssetWord asset) pure returns (uint32) {
    return uint32(AssetWord.unwrap(asset) >> 112);
}

function registeredAt(AssetWord asset) pure returns (uint40) {
    return uint40(AssetWord.unwrap(asset) >> 72);
}

function stateSince(AssetWord asset) pure returns (uint40) {
    return uint40(AssetWord.unwrap(asset) >> 32);
}

function withState(AssetWord asset, uint8 state_, uint40 since) pure returns (AssetWord) {
    uint256 rest = AssetWord.unwrap(asset) & ~((uint256(type(uint8).max) << 208) | (uint256(type(uint40).max) << 32));
    return AssetWord.wrap(rest | (uint256(state_) << 208) | (uint256(since) << 32));
}

/// The graph of states: commissioned first; then online, offline, maintenance and fault in any order; decommissioned ends it.
/// Both are numbers of states.
function leadsTo(uint8 from, uint8 to) pure returns (bool) {
    if (from == UNREPORTED) return to == COMMISSIONED;
    return from != DECOMMISSIONED && to > COMMISSIONED && to != from;
}
