// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { IEnergyAuction } from "../interfaces/IEnergyAuction.sol";
import { MarketTerms } from "../types/MarketTerms.sol";
import { BID } from "../types/Order.sol";
import { PositionWord } from "../types/PositionWord.sol";
import { HORIZON, REACH, isLater, ringIndex, ringTag } from "../types/Ring.sol";
import { Markets, Slot, SlotContext } from "../types/Slot.sol";
import { SlotBook, SlotWord } from "../types/SlotBook.sol";
import { StoredTerms } from "../types/StoredTerms.sol";
import { Ladder } from "./Ladder.sol";
import { Terms } from "./Terms.sol";

/// @title Turning to a slot, and when
/// @notice A slot's books are loaded once, changed in memory and saved once. A place of the ring is taken over from an earlier
/// slot once nobody has a live order in that, and never taken back by it.
library Slots {
    using Terms for MarketTerms;

    /// Turns to a slot in which orders are to be placed or cancelled. What keeps it from that is `refusal`.
    function enter(SlotContext memory self, Markets storage markets, uint256 market, uint256 slot) internal view {
        if (!_loadTerms(self, markets, market, slot)) {
            self.refusal = IEnergyAuction.MarketUnknown.selector;
        } else if (block.timestamp + self.terms.gateLead >= startsAt(self)) {
            self.refusal = IEnergyAuction.GateClosed.selector;
        } else if (slot > currentSlot(self.slotLength) + HORIZON) {
            self.refusal = IEnergyAuction.BeyondHorizon.selector;
        } else {
            self.refusal = _loadBook(self, markets);
        }
    }

    /// Turns back to a slot that was entered before and could be, for its books only.
    function resume(SlotContext memory self, Markets storage markets, uint256 market, uint256 slot) internal view {
        _setPlace(self, market, slot);
        SlotWord word = placeOf(self, markets).book;
        (word.tagOf() == self.tag ? word : SlotWord.wrap(0)).unpack(self.book);
    }

    /// Turns to a slot for its terms only.
    function load(SlotContext memory self, Markets storage markets, uint256 market, uint256 slot) internal view {
        if (!_loadTerms(self, markets, market, slot)) revert IEnergyAuction.UnknownMarket(uint32(market));
    }

    /// Turns to a slot whose gate may have closed.
    function open(SlotContext memory self, Markets storage markets, uint256 market, uint256 slot) internal view {
        load(self, markets, market, slot);
        if (slot + REACH <= currentSlot(self.slotLength)) revert IEnergyAuction.SlotForgotten();
        bytes4 reason = _loadBook(self, markets);
        if (reason == IEnergyAuction.SlotForgotten.selector) revert IEnergyAuction.SlotForgotten();
        if (reason == IEnergyAuction.RingBusy.selector) revert IEnergyAuction.RingBusy();
    }

    function save(SlotContext memory self, Markets storage markets) internal {
        if (!self.changed) return;
        self.changed = false;
        placeOf(self, markets).book = self.book.pack(self.tag);
    }

    function placeOf(SlotContext memory self, Markets storage markets) internal view returns (Slot storage) {
        return markets.slots[self.market][self.index];
    }

    function ladderOf(SlotContext memory self, Markets storage markets, uint256 side)
        internal
        view
        returns (Ladder.Side storage)
    {
        Slot storage place = placeOf(self, markets);
        return side == BID ? place.bids : place.asks;
    }

    /// The meter's word at the slot's index, which may be of another turn of the ring.
    function positionAt(SlotContext memory self, Markets storage markets, uint256 meter)
        internal
        view
        returns (PositionWord)
    {
        return markets.positions[meter][self.index];
    }

    function setPosition(SlotContext memory self, Markets storage markets, uint256 meter, PositionWord position)
        internal
    {
        markets.positions[meter][self.index] = position;
    }

    function startsAt(SlotContext memory self) internal pure returns (uint256) {
        return self.slot * self.slotLength;
    }

    /// From then on the slot takes no orders.
    function gateAt(SlotContext memory self) internal pure returns (uint256) {
        return startsAt(self) - self.terms.gateLead;
    }

    function endsAt(SlotContext memory self) internal pure returns (uint256) {
        return startsAt(self) + self.slotLength;
    }

    function currentSlot(uint256 slotLength) internal view returns (uint256) {
        return block.timestamp / slotLength;
    }

    /// The terms in force in the slot: of the newest version that has begun by then.
    function _loadTerms(SlotContext memory self, Markets storage markets, uint256 market, uint256 slot)
        private
        view
        returns (bool known)
    {
        bool loaded = self.market == market && slot >= self.terms.fromSlot && slot < self.termsUntil;
        _setPlace(self, market, slot);
        if (loaded) return true;
        StoredTerms[] storage versions = markets.versions[market];
        self.termsUntil = type(uint256).max;
        for (uint256 i = versions.length; i > 0; --i) {
            versions[i - 1].unpack(self.terms);
            if (self.terms.fromSlot <= slot) return true;
            self.termsUntil = self.terms.fromSlot;
        }
        self.termsUntil = 0;
    }

    function _setPlace(SlotContext memory self, uint256 market, uint256 slot) private pure {
        self.market = market;
        self.slot = slot;
        self.index = ringIndex(slot);
        self.tag = ringTag(slot);
    }

    /// @return reason RingBusy if the place is still an earlier slot's, SlotForgotten if it is a later one's already
    function _loadBook(SlotContext memory self, Markets storage markets) private view returns (bytes4 reason) {
        Slot storage place = placeOf(self, markets);
        SlotWord word = place.book;
        SlotBook memory book = self.book;
        word.unpack(book);
        if (word.tagOf() != self.tag) {
            if (SlotWord.unwrap(word) != 0 && isLater(word.tagOf(), self.tag)) {
                return IEnergyAuction.SlotForgotten.selector;
            }
            if (book.isLive()) return IEnergyAuction.RingBusy.selector;
            SlotWord.wrap(0).unpack(book);
        }
        if (!book.cleared) return 0;
        self.clearing.cleared = true;
        self.clearing.closed = book.closed;
        place.clearing.unpack(self.clearing);
        if (self.clearing.traded) self.price = self.terms.priceAt(self.clearing.priceTick);
    }
}
