// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

using { pack } for EventBook global;
using { unpack } for EventBookWord global;

/// What came of it. Until the first dispatch `margin` is zero and nothing is below it.
struct EventBook {
    uint72 spent; // millionths of the budget
    uint32 settled; // assets, or released
    uint8 margin; // tick; below it all is taken, at it a share, above it nothing
    uint32 sharedW; // what is taken at the margin
    uint32 longW; // of what was offered there
    uint32 passedW; // offered there by those dispatched so far
    uint32 dispatched; // assets
    bool given; // one of them has a setpoint
}

/// spent 72 | settled 32 | margin 8 | sharedW 32 | longW 32 | passedW 32 | dispatched 32 | given 8 | zero 8
type EventBookWord is uint256;

function pack(EventBook memory book) pure returns (EventBookWord) {
    return EventBookWord.wrap(
        (uint256(book.spent) << 184) | (uint256(book.settled) << 152) | (uint256(book.margin) << 144)
            | (uint256(book.sharedW) << 112) | (uint256(book.longW) << 80) | (uint256(book.passedW) << 48)
            | (uint256(book.dispatched) << 16) | (book.given ? 1 << 8 : 0)
    );
}

function unpack(EventBookWord packed) pure returns (EventBook memory book) {
    uint256 word = EventBookWord.unwrap(packed);
    book.spent = uint72(word >> 184);
    book.settled = uint32(word >> 152);
    book.margin = uint8(word >> 144);
    book.sharedW = uint32(word >> 112);
    book.longW = uint32(word >> 80);
    book.passedW = uint32(word >> 48);
    book.dispatched = uint32(word >> 16);
    book.given = (word >> 8) & 1 != 0;
}
