// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// The rules of one market from `fromSlot` on. Prices are millionths of the currency per kWh, windows are seconds.
/// Prices of the grid are minPrice + k x tickSize, k < tickCount <= 1,024. gridFee, feedInPrice and retailPrice are
/// multiples of tickSize; feedInPrice <= minPrice + gridFee and maxPrice <= retailPrice.
struct MarketTerms {
    // word 0
    uint40 minPrice;
    uint32 tickSize;
    uint16 tickCount;
    uint40 gridFee;
    uint40 feedInPrice;
    uint40 retailPrice;
    uint32 minEnergyWh;
    // word 1
    address utility;
    uint32 gateLead; // the gate closes this long before the slot starts
    uint32 readingWindow; // the reading deadline is this long after the slot's end
    uint32 correctionWindow; // corrections end this long after the slot's end
    // word 2
    address operator;
    uint32 defaultWh; // import of a silent buyer, at least
    uint32 fromSlot;
}
