// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

using { structHash } for AssetEnrolment global;
using { version, committedW, tick, bond, fixedWh, meter, maxSlots, isComfort, withBond } for EnrolmentWord global;

/// What an asset's owner offers in a programme. Without power it leaves the programme.
struct AssetEnrolment {
    uint32 programme;
    uint32 asset;
    uint32 committedW;
    uint64 askPrice; // micro per kWh
    int32 fixedWh; // net import per slot, where the baseline is agreed; else 0
    uint8 leastSocPercent; // its device discharges no further
    uint8 comfortFrom; // slots of the local day in which it is left alone: [comfortFrom, comfortUntil)
    uint8 comfortUntil;
    uint8 maxSlots; // of an event
}

/// An enrolment in one word, most significant bits first: version 24 | committedW 24 | tick 8 | bond 64 | fixedWh 32 | meter 32 |
/// leastSocPercent 8 | comfortFrom 8 | comfortUntil 8 | maxSlots 8 | zero 40. The bond is in millionths.
type EnrolmentWord is uint256;

bytes32 constant ASSET_ENROLMENT_TYPEHASH = keccak256(
    "AssetEnrolment(uint32 programme,uint32 asset,uint32 committedW,uint64 askPrice,int32 fixedWh,uint8 leastSocPercent,uint8 comfortFrom,uint8 comfortUntil,uint8 maxSlots,uint256 nonce,uint256 deadline)"
);

function structHash(AssetEnrolment calldata enrolment, uint256 nonce, uint256 deadline) pure returns (bytes32) {
    return keccak256(abi.encode(ASSET_ENROLMENT_TYPEHASH, enrolment, nonce, deadline));
}

function packEnrolment(AssetEnrolment calldata enrolment, uint256 version_, uint256 tick_, uint256 bond_, uint32 meter_)
    pure
    returns (EnrolmentWord)
{
    uint256 offer = (version_ << 232) | (uint256(enrolment.committedW) << 208) | (tick_ << 200) | (bond_ << 136);
    uint256 limits = (uint256(enrolment.leastSocPercent) << 64) | (uint256(enrolment.comfortFrom) << 56)
        | (uint256(enrolment.comfortUntil) << 48) | (uint256(enrolment.maxSlots) << 40);
    return EnrolmentWord.wrap(
        offer | (uint256(uint32(enrolment.fixedWh)) << 104) | (uint256(meter_) << 72) | limits
    );
}

function version(EnrolmentWord word) pure returns (uint256) {
    return EnrolmentWord.unwrap(word) >> 232;
}

function committedW(EnrolmentWord word) pure returns (uint256) {
    return uint24(EnrolmentWord.unwrap(word) >> 208);
}

function tick(EnrolmentWord word) pure returns (uint256) {
    return uint8(EnrolmentWord.unwrap(word) >> 200);
}

function bond(EnrolmentWord word) pure returns (uint256) {
    return uint64(EnrolmentWord.unwrap(word) >> 136);
}

function fixedWh(EnrolmentWord word) pure returns (int256) {
    return int32(uint32(EnrolmentWord.unwrap(word) >> 104));
}

function meter(EnrolmentWord word) pure returns (uint32) {
    return uint32(EnrolmentWord.unwrap(word) >> 72);
}

function maxSlots(EnrolmentWord word) pure returns (uint256) {
    return uint8(EnrolmentWord.unwrap(word) >> 40);
}

/// Whether it is left alone in any of `slots` slots from `offset` of its day on.
function isComfort(EnrolmentWord word, uint256 offset, uint256 slots) pure returns (bool) {
    unchecked {
        // of 8 and 16 bits
        return offset < uint8(EnrolmentWord.unwrap(word) >> 48) && offset + slots > uint8(EnrolmentWord.unwrap(word) >> 56);
    }
}

function withBond(EnrolmentWord word, uint256 bond_) pure returns (EnrolmentWord) {
    uint256 rest = EnrolmentWord.unwrap(word) & ~(uint256(type(uint64).max) << 136);
    return EnrolmentWord.wrap(rest | (bond_ << 136));
}
