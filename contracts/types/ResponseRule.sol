// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

using { load, save } for Rule global;

/// When an event is called by itself: net import of the feeder's meter, slot by slot. Each slot of `hold` consecutive ones must
/// be above the threshold, or below it.
struct RuleTerms {
    uint32 programme;
    uint32 meter; // the payer's own
    bool above;
    int32 thresholdWh; // net import per slot
    uint8 hold; // slots
    uint16 cooldown; // slots from one trigger's last reading to the next one's
    uint8 maxPerDay;
    uint16 maxPerSeason;
    uint16 lead; // slots from the present one to the event's first
    uint16 slots;
    uint32 targetW;
    uint64 bounty; // millionths, to who triggers
    uint16 maxBounties; // of the season
}

/// What a rule has called.
struct RuleTally {
    uint32 lastSlot; // of the readings that triggered it last
    uint32 day; // of the event it called last
    uint16 dayEvents;
    uint16 events;
    uint16 bounties; // paid, or kept for an event that is open
    bool ended;
}

/// A rule in two words, most significant bits first:
/// programme 32 | meter 32 | thresholdWh 32 | targetW 32 | maxPerSeason 16 | cooldown 16 | lead 16 | slots 16 | hold 8 | maxPerDay 8 |
/// above 8 | zero 40, and bounty 64 | maxBounties 16 | lastSlot 32 | day 32 | dayEvents 16 | events 16 | bounties 16 | ended 8 | zero 56.
struct Rule {
    // slot 0
    uint256 terms;
    // slot 1
    uint256 tally;
}

function load(Rule storage rule) view returns (RuleTerms memory terms, RuleTally memory tally) {
    uint256 word = rule.terms;
    terms.programme = uint32(word >> 224);
    terms.meter = uint32(word >> 192);
    terms.thresholdWh = int32(uint32(word >> 160));
    terms.targetW = uint32(word >> 128);
    terms.maxPerSeason = uint16(word >> 112);
    terms.cooldown = uint16(word >> 96);
    terms.lead = uint16(word >> 80);
    terms.slots = uint16(word >> 64);
    terms.hold = uint8(word >> 56);
    terms.maxPerDay = uint8(word >> 48);
    terms.above = (word >> 40) & 1 != 0;
    word = rule.tally;
    terms.bounty = uint64(word >> 192);
    terms.maxBounties = uint16(word >> 176);
    tally.lastSlot = uint32(word >> 144);
    tally.day = uint32(word >> 112);
    tally.dayEvents = uint16(word >> 96);
    tally.events = uint16(word >> 80);
    tally.bounties = uint16(word >> 64);
    tally.ended = (word >> 56) & 1 != 0;
}

/// What has changed of a rule. Its terms are written once.
function save(Rule storage rule, RuleTerms memory terms, RuleTally memory tally) {
    rule.tally = (uint256(terms.bounty) << 192) | (uint256(terms.maxBounties) << 176) | (uint256(tally.lastSlot) << 144)
        | (uint256(tally.day) << 112) | (uint256(tally.dayEvents) << 96) | (uint256(tally.events) << 80)
        | (uint256(tally.bounties) << 64) | (tally.ended ? 1 << 56 : 0);
}

function packRule(RuleTerms memory terms) pure returns (uint256) {
    uint256 subject = (uint256(terms.programme) << 224) | (uint256(terms.meter) << 192)
        | (uint256(uint32(terms.thresholdWh)) << 160) | (uint256(terms.targetW) << 128);
    uint256 limits = (uint256(terms.maxPerSeason) << 112) | (uint256(terms.cooldown) << 96)
        | (uint256(terms.lead) << 80) | (uint256(terms.slots) << 64);
    return subject | limits | (uint256(terms.hold) << 56) | (uint256(terms.maxPerDay) << 48)
        | (terms.above ? 1 << 40 : 0);
}
