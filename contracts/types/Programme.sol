// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { Measuring } from "./Measuring.sol";

using { measuring, priceAt, highestPrice } for ProgrammeTerms global;
using { load } for Programme global;

/// The rules of one programme, which never change. Prices are millionths of the currency per kWh and lie on the grid minPrice +
/// k x tickSize, k < tickCount <= 64. Leads and windows are seconds, shares are of 10,000.
struct ProgrammeTerms {
    // word 0
    uint32 market; // its meters' market
    uint32 feeder; // its assets' feeder
    uint32 calendar;
    bool up; // net import is to rise, not to fall
    bool firm; // what is promised and not delivered is charged
    bool keptByOperator; // the meters are, so a missing reading is charged to nobody
    bool adjusted; // the baseline, by the same day
    uint8 method;
    uint8 windowSlots;
    uint8 windowGap;
    uint8 tickCount;
    uint16 floorBps; // of what is promised; below it shortfall begins
    uint16 lateBps; // of the shortfall rate, for who opts out late
    uint16 drawBps; // with which an announced event takes place; 10,000: all do
    uint16 maxEvents; // of the season
    // word 1
    uint40 minPrice;
    uint32 tickSize;
    uint40 shortfallRate; // micro per kWh
    uint16 maxEventSlots;
    uint16 maxDaySlots;
    uint16 maxSeasonSlots;
    uint32 firstSlot; // of the season
    uint32 untilSlot; // exclusive
    uint32 noticeLead; // an event is announced at least this long before it starts
    // word 2
    address payer;
    uint32 optOutLead; // the gate closes this long before an event starts
    uint32 readingWindow; // without a reading settle this long after its end
    uint32 finalAfter; // no reading changes this long after its slot
}

/// What a programme has called, in one word.
struct ProgrammeTally {
    uint32 busyUntil; // the slot after its last event
    uint32 day; // of that event, by the calendar
    uint16 daySlots; // called for that day
    uint16 seasonSlots;
    uint16 events;
}

struct Programme {
    // slot 0
    ProgrammeTerms terms;
    // slot 3
    ProgrammeTally tally;
}

/// The terms by three reads, where the compiler would read a word once for each of its fields.
function load(Programme storage programme) view returns (ProgrammeTerms memory terms) {
    uint256[3] memory slots;
    assembly ("memory-safe") {
        for { let i := 0 } lt(i, 3) { i := add(i, 1) } { mstore(add(slots, shl(5, i)), sload(add(programme.slot, i))) }
    }
    uint256 word;
    word = slots[0];
    terms.market = uint32(word);
    terms.feeder = uint32(word >> 32);
    terms.calendar = uint32(word >> 64);
    terms.up = (word >> 96) & 1 != 0;
    terms.firm = (word >> 104) & 1 != 0;
    terms.keptByOperator = (word >> 112) & 1 != 0;
    terms.adjusted = (word >> 120) & 1 != 0;
    terms.method = uint8(word >> 128);
    terms.windowSlots = uint8(word >> 136);
    terms.windowGap = uint8(word >> 144);
    terms.tickCount = uint8(word >> 152);
    terms.floorBps = uint16(word >> 160);
    terms.lateBps = uint16(word >> 176);
    terms.drawBps = uint16(word >> 192);
    terms.maxEvents = uint16(word >> 208);
    word = slots[1];
    terms.minPrice = uint40(word);
    terms.tickSize = uint32(word >> 40);
    terms.shortfallRate = uint40(word >> 72);
    terms.maxEventSlots = uint16(word >> 112);
    terms.maxDaySlots = uint16(word >> 128);
    terms.maxSeasonSlots = uint16(word >> 144);
    terms.firstSlot = uint32(word >> 160);
    terms.untilSlot = uint32(word >> 192);
    terms.noticeLead = uint32(word >> 224);
    word = slots[2];
    terms.payer = address(uint160(word));
    terms.optOutLead = uint32(word >> 160);
    terms.readingWindow = uint32(word >> 192);
    terms.finalAfter = uint32(word >> 224);
}

function measuring(ProgrammeTerms memory terms) pure returns (Measuring memory) {
    return Measuring({
        method: terms.method,
        up: terms.up,
        adjusted: terms.adjusted,
        calendar: terms.calendar,
        windowSlots: terms.windowSlots,
        windowGap: terms.windowGap,
        finalAfter: terms.finalAfter
    });
}

/// Micro per kWh.
function priceAt(ProgrammeTerms memory terms, uint256 tick) pure returns (uint256) {
    unchecked {
        // 40 bits, and 8 times 32
        return terms.minPrice + tick * terms.tickSize;
    }
}

function highestPrice(ProgrammeTerms memory terms) pure returns (uint256) {
    return terms.priceAt(terms.tickCount - 1);
}
