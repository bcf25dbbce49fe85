// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { Measuring } from "./Measuring.sol";

using { measuring, priceAt, highestPrice } for ProgrammeTerms global;

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
