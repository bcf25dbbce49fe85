// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { IDERRegistry } from "../interfaces/IDERRegistry.sol";
import { IEnergyAuction } from "../interfaces/IEnergyAuction.sol";
import { Ladder } from "../libraries/Ladder.sol";
import { ClearingWord } from "./ClearingWord.sol";
import { DelegationWord } from "./Delegation.sol";
import { MarketTerms } from "./MarketTerms.sol";
import { PositionWord } from "./PositionWord.sol";
import { SlotBook, SlotWord } from "./SlotBook.sol";
import { StoredTerms } from "./StoredTerms.sol";

/// One place of a market's ring.
struct Slot {
    SlotWord book;
    ClearingWord clearing; // of the slot in `book`, once that is cleared
    Ladder.Side bids;
    Ladder.Side asks;
}

/// All that the auction stores. Arrays of 256 are rings of slots.
struct Markets {
    uint256 count;
    mapping(uint256 market => StoredTerms[]) versions;
    mapping(uint256 market => Slot[256]) slots;
    mapping(uint256 meter => PositionWord[256]) positions;
    // meter 0: all meters without a scope of their own
    mapping(address account => mapping(address delegate => mapping(uint256 meter => DelegationWord))) delegations;
}

/// One slot of one market while a call works on it, in memory. Market 0: none.
struct SlotContext {
    uint256 slotLength;
    IDERRegistry registry;
    bool cancelling; // its orders are cancellations
    bool changed; // `book` is to be saved
    uint256 market;
    uint256 slot;
    uint256 index; // in the ring
    uint256 tag;
    bytes4 refusal; // why none of the slot's orders can be taken now
    address utilityAsked; // whether it owes was asked last
    bool utilityOwes;
    MarketTerms terms;
    uint256 termsUntil; // the first slot in which they are not in force
    SlotBook book;
    IEnergyAuction.Clearing clearing; // once the slot is cleared
    uint256 price; // net, micro per kWh, once it traded
}
