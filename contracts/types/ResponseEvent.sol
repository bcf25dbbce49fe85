// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { EventBookWord } from "./EventBook.sol";
import { EventHeadWord } from "./EventHead.sol";
import { LadderWord } from "./LadderWord.sol";

/// One event, and what was offered for it.
struct ResponseEvent {
    // slot 0
    EventHeadWord head;
    // slot 1
    EventBookWord book;
    // slot 2: who triggered it, for a bounty or without
    address caller;
    uint32 rule;
    bool bounty;
    // slot 3: the block whose hash draws it
    uint64 drawBlock;
    // slot 4: offered W by tick, eight ticks a word, without a tag
    LadderWord[8] ladder;
}
