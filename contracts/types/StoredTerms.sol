// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { MarketTerms } from "./MarketTerms.sol";

using { unpack } for StoredTerms global;

/// MarketTerms as they are stored, fields from the most significant bits on.
struct StoredTerms {
    uint256 prices; // minPrice 40 | tickSize 32 | tickCount 16 | gridFee 40 | feedInPrice 40 | retailPrice 40 | minEnergyWh 32
    uint256 windows; // utility 160 | gateLead 32 | readingWindow 32 | correctionWindow 32
    uint256 parties; // operator 160 | defaultWh 32 | fromSlot 32
}

function packTerms(MarketTerms memory terms) pure returns (StoredTerms memory) {
    return StoredTerms({
        prices: (uint256(terms.minPrice) << 216) | (uint256(terms.tickSize) << 184) | (uint256(terms.tickCount) << 168)
            | (uint256(terms.gridFee) << 128) | (uint256(terms.feedInPrice) << 88) | (uint256(terms.retailPrice) << 48)
            | (uint256(terms.minEnergyWh) << 16),
        windows: (uint256(uint160(terms.utility)) << 96) | (uint256(terms.gateLead) << 64)
            | (uint256(terms.readingWindow) << 32) | terms.correctionWindow,
        parties: (uint256(uint160(terms.operator)) << 96) | (uint256(terms.defaultWh) << 64)
            | (uint256(terms.fromSlot) << 32)
    });
}

function unpack(StoredTerms storage stored, MarketTerms memory terms) view {
    uint256 word = stored.prices;
    terms.minPrice = uint40(word >> 216);
    terms.tickSize = uint32(word >> 184);
    terms.tickCount = uint16(word >> 168);
    terms.gridFee = uint40(word >> 128);
    terms.feedInPrice = uint40(word >> 88);
    terms.retailPrice = uint40(word >> 48);
    terms.minEnergyWh = uint32(word >> 16);
    word = stored.windows;
    terms.utility = address(uint160(word >> 96));
    terms.gateLead = uint32(word >> 64);
    terms.readingWindow = uint32(word >> 32);
    terms.correctionWindow = uint32(word);
    word = stored.parties;
    terms.operator = address(uint160(word >> 96));
    terms.defaultWh = uint32(word >> 64);
    terms.fromSlot = uint32(word >> 32);
}
