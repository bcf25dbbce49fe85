// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { BID } from "./Order.sol";

using { tagOf, unpack } for SlotWord global;
using { pack, isLive, open, shut } for SlotBook global;

/// The books of one slot, in one word, most significant bits first:
/// tag 16 | flags 8 (1 cleared, 2 closed) | pot 88 | openBidWh 36 | openAskWh 36 | boughtWh 36 | soldWh 36.
type SlotWord is uint256;

/// The same, spread out. A ladder holds less than 2**35 Wh a side and the Vault less than 2**72 in all, so every field has room.
struct SlotBook {
    bool cleared;
    bool closed;
    uint256 pot; // collateral and price money of this slot within the auction's pot
    uint256 openBidWh; // of orders neither settled nor released whole
    uint256 openAskWh;
    uint256 boughtWh; // filled and not yet settled; once closed: the bids' dust
    uint256 soldWh; // once closed: the asks' dust
}

uint256 constant WH_MASK = (1 << 36) - 1;

function tagOf(SlotWord word) pure returns (uint256) {
    return SlotWord.unwrap(word) >> 240;
}

function unpack(SlotWord packed, SlotBook memory book) pure {
    uint256 word = SlotWord.unwrap(packed);
    book.cleared = word & (1 << 232) != 0;
    book.closed = word & (2 << 232) != 0;
    book.pot = (word >> 144) & type(uint88).max;
    book.openBidWh = (word >> 108) & WH_MASK;
    book.openAskWh = (word >> 72) & WH_MASK;
    book.boughtWh = (word >> 36) & WH_MASK;
    book.soldWh = word & WH_MASK;
}

function pack(SlotBook memory book, uint256 tag) pure returns (SlotWord) {
    uint256 flags = (book.cleared ? 1 : 0) | (book.closed ? 2 : 0);
    return SlotWord.wrap(
        (tag << 240) | (flags << 232) | (book.pot << 144) | (book.openBidWh << 108) | (book.openAskWh << 72)
            | (book.boughtWh << 36) | book.soldWh
    );
}

/// Whether any order is neither settled nor released whole.
function isLive(SlotBook memory book) pure returns (bool) {
    return (book.openBidWh | book.openAskWh) != 0;
}

/// An order of `energyWh` more.
function open(SlotBook memory book, uint256 side, uint256 energyWh) pure {
    unchecked {
        // at most 2**35 of either
        if (side == BID) book.openBidWh += energyWh;
        else book.openAskWh += energyWh;
    }
}

/// An order of `energyWh` less.
function shut(SlotBook memory book, uint256 side, uint256 energyWh) pure {
    unchecked {
        // it was opened before, and is shut once
        if (side == BID) book.openBidWh -= energyWh;
        else book.openAskWh -= energyWh;
    }
}
