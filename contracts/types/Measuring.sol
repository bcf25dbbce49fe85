// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

// Methods of a baseline.
uint8 constant FIXED = 0;
uint8 constant TEN_OF_TEN = 1;
uint8 constant HIGH_4_OF_5 = 2;
uint8 constant HIGH_5_OF_10 = 3;
uint8 constant MATCHED = 4;

/// How a programme measures. Windows are slots, `finalAfter` is seconds after a slot's end.
struct Measuring {
    uint8 method;
    bool up; // more net import is asked for, not less
    bool adjusted;
    uint32 calendar;
    uint8 windowSlots;
    uint8 windowGap; // slots between the adjustment window and the slot of the notice
    uint32 finalAfter; // no reading changes any more
}

/// The slots of an event, and when it was announced (chain time).
struct Called {
    uint32 firstSlot;
    uint16 slots;
    uint40 noticeAt;
}
