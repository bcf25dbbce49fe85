// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

using { pack } for EventHead global;
using { unpack } for EventHeadWord global;

/// What an event is, and how many assets were called for it.
struct EventHead {
    uint32 programme;
    uint32 firstSlot;
    uint16 slots;
    uint32 targetW;
    uint40 noticeAt; // time
    uint32 day; // by the calendar
    uint8 offset; // of firstSlot in its day
    bool cancelled; // by the payer, or not drawn
    bool closed; // what was left of the budget has gone back
    bool drawn; // it takes place
    uint32 called; // assets
}

/// programme 32 | firstSlot 32 | slots 16 | targetW 32 | noticeAt 40 | day 32 | offset 8 | flags 8 | called 32 | zero 24
type EventHeadWord is uint256;

function pack(EventHead memory head) pure returns (EventHeadWord) {
    uint256 flags = (head.cancelled ? 1 : 0) | (head.closed ? 2 : 0) | (head.drawn ? 4 : 0);
    return EventHeadWord.wrap(
        (uint256(head.programme) << 224) | (uint256(head.firstSlot) << 192) | (uint256(head.slots) << 176)
            | (uint256(head.targetW) << 144) | (uint256(head.noticeAt) << 104) | (uint256(head.day) << 72)
            | (uint256(head.offset) << 64) | (flags << 56) | (uint256(head.called) << 24)
    );
}

function unpack(EventHeadWord packed) pure returns (EventHead memory head) {
    uint256 word = EventHeadWord.unwrap(packed);
    head.programme = uint32(word >> 224);
    head.firstSlot = uint32(word >> 192);
    head.slots = uint16(word >> 176);
    head.targetW = uint32(word >> 144);
    head.noticeAt = uint40(word >> 104);
    head.day = uint32(word >> 72);
    head.offset = uint8(word >> 64);
    head.cancelled = (word >> 56) & 1 != 0;
    head.closed = (word >> 56) & 2 != 0;
    head.drawn = (word >> 56) & 4 != 0;
    head.called = uint32(word >> 24);
}
