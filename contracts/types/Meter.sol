// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

using { account, market, importCapacityW, exportCapacityW, scaleWh, hasMandate, isBounded, asBounded } for Meter global;
using { device, fromSlot, untilSlot, registeredAt, isWithin, endingAt } for MeterBinding global;

/// What a meter is registered as, in one word, most significant bits first:
/// account 160 | market 32 | importCapacityW 24 | exportCapacityW 24 | scale 2 (0: 1 Wh, 1: 10 Wh, 2: 100 Wh) |
/// mandate 1 | bounded 1 | zero 12. Zero: no such meter.
/// `bounded` says that the binding limits the slots in which the meter is in force, so that most readers skip that word.
type Meter is uint256;

/// The device behind a meter, in one word: device 160 | fromSlot 32 | untilSlot 32 (exclusive, 0: open) |
/// registeredAt 32 (seconds). Slots that had begun by then are none of the meter's.
type MeterBinding is uint256;

/// The word of a meter that is in force in every slot.
function meterTerms(
    address account_,
    uint32 market_,
    uint24 importCapacityW_,
    uint24 exportCapacityW_,
    uint8 scaleWh_,
    bool mandate
) pure returns (Meter) {
    uint256 scale = scaleWh_ == 100 ? 2 : scaleWh_ == 10 ? 1 : 0;
    return Meter.wrap(
        (uint256(uint160(account_)) << 96) | (uint256(market_) << 64) | (uint256(importCapacityW_) << 40)
            | (uint256(exportCapacityW_) << 16) | (scale << 14) | (mandate ? 1 << 13 : 0)
    );
}

/// The word of a device that is bound at `registeredAt_`, from `fromSlot_` on.
function bindingTo(address device_, uint32 fromSlot_, uint32 registeredAt_) pure returns (MeterBinding) {
    return MeterBinding.wrap((uint256(uint160(device_)) << 96) | (uint256(fromSlot_) << 64) | registeredAt_);
}

function account(Meter meter) pure returns (address) {
    return address(uint160(Meter.unwrap(meter) >> 96));
}

function market(Meter meter) pure returns (uint32) {
    return uint32(Meter.unwrap(meter) >> 64);
}

function importCapacityW(Meter meter) pure returns (uint24) {
    return uint24(Meter.unwrap(meter) >> 40);
}

function exportCapacityW(Meter meter) pure returns (uint24) {
    return uint24(Meter.unwrap(meter) >> 16);
}

function scaleWh(Meter meter) pure returns (uint256) {
    uint256 scale = (Meter.unwrap(meter) >> 14) & 3;
    return scale == 0 ? 1 : scale == 1 ? 10 : 100;
}

function hasMandate(Meter meter) pure returns (bool) {
    return (Meter.unwrap(meter) >> 13) & 1 == 1;
}

function isBounded(Meter meter) pure returns (bool) {
    return (Meter.unwrap(meter) >> 12) & 1 == 1;
}

function device(MeterBinding binding) pure returns (address) {
    return address(uint160(MeterBinding.unwrap(binding) >> 96));
}

function fromSlot(MeterBinding binding) pure returns (uint32) {
    return uint32(MeterBinding.unwrap(binding) >> 64);
}

function untilSlot(MeterBinding binding) pure returns (uint32) {
    return uint32(MeterBinding.unwrap(binding) >> 32);
}

function registeredAt(MeterBinding binding) pure returns (uint32) {
    return uint32(MeterBinding.unwrap(binding));
}

/// Whether the binding's bounds hold the slot.
function isWithin(MeterBinding binding, uint256 slot) pure returns (bool) {
    uint32 until = binding.untilSlot();
    return slot >= binding.fromSlot() && (until == 0 || slot < until);
}

/// The binding, to end before a slot. It had no end.
function endingAt(MeterBinding binding, uint32 untilSlot_) pure returns (MeterBinding) {
    return MeterBinding.wrap(MeterBinding.unwrap(binding) | (uint256(untilSlot_) << 32));
}

function asBounded(Meter meter) pure returns (Meter) {
    return Meter.wrap(Meter.unwrap(meter) | (1 << 12));
}
