// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// When an event is called by itself: net import of the feeder's meter, slot by slot. Each slot of `hold` consecutive ones must
/// be above the threshold, or below it.
struct RuleTerms {
    // word 0
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
    // word 1
    uint64 bounty; // millionths, to who triggers
    uint16 maxBounties; // of the season
}

/// What a rule has called, in one word.
struct RuleTally {
    uint32 lastSlot; // of the readings that triggered it last
    uint32 day; // of the event it called last
    uint16 dayEvents;
    uint16 events;
    uint16 bounties; // paid, or kept for an event that is open
    bool ended;
}

struct Rule {
    // slot 0
    RuleTerms terms;
    // slot 2
    RuleTally tally;
}
