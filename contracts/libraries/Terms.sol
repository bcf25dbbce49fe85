// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { IEnergyAuction } from "../interfaces/IEnergyAuction.sol";
import { MarketTerms } from "../types/MarketTerms.sol";
import { BID } from "../types/Order.sol";
import { HORIZON, RING } from "../types/Ring.sol";

/// @title What a market's terms must be, and what follows from them
library Terms {
    uint256 internal constant MAX_TICKS = 1024;

    bytes32 private constant TYPEHASH = keccak256(
        "MarketTerms(uint40 minPrice,uint32 tickSize,uint16 tickCount,uint40 gridFee,uint40 feedInPrice,uint40 retailPrice,uint32 minEnergyWh,address utility,uint32 gateLead,uint32 readingWindow,uint32 correctionWindow,address operator,uint32 defaultWh,uint32 fromSlot)"
    );

    /// Reverts with TermsNotAllowed, naming the first rule broken.
    /// @param holdLength the longest time for which the Vault can hold back what a correction may take again
    function validate(MarketTerms memory self, uint256 slotLength, uint256 holdLength) internal pure {
        uint256 tickSize = self.tickSize;
        requireRule(tickSize > 0, "tickSize is positive");
        requireRule(self.tickCount > 0 && self.tickCount <= MAX_TICKS, "tickCount is 1 to 1024");
        requireRule(
            self.gridFee % tickSize == 0 && self.feedInPrice % tickSize == 0 && self.retailPrice % tickSize == 0,
            "fee, feedIn, retail are multiples of the tick"
        );
        requireRule(self.feedInPrice <= uint256(self.minPrice) + self.gridFee, "feedIn is at most min + fee");
        requireRule(priceAt(self, self.tickCount - 1) <= self.retailPrice, "max is at most retail");
        requireRule(self.minEnergyWh > 0, "minEnergyWh is positive");
        // What one silent meter may come to owe fits a fraction of what the Vault can write down.
        requireRule(uint256(self.retailPrice) * self.defaultWh / 1_000 <= 1 << 40, "a default costs at most 2^40");
        requireRule(self.gateLead > 0, "the gate closes before the slot");
        requireRule(self.gateLead < HORIZON * slotLength, "the gate is within the horizon");
        requireRule(self.readingWindow > 0, "the reading deadline lies after the slot's end");
        requireRule(self.readingWindow < self.correctionWindow, "corrections end after the reading deadline");
        requireRule(self.correctionWindow <= holdLength, "the Vault holds for the correction window");
        requireRule(self.utility != address(0) && self.operator != address(0), "utility and operator are accounts");
        uint256 correctedSlots = (uint256(slotLength) + self.correctionWindow + slotLength - 1) / slotLength;
        requireRule(HORIZON + correctedSlots + 1 <= RING, "the ring covers horizon and corrections");
    }

    /// The net price at a tick, micro per kWh.
    function priceAt(MarketTerms memory self, uint256 tick) internal pure returns (uint256) {
        unchecked {
            // 40 bits, and 16 times 32
            return self.minPrice + tick * self.tickSize;
        }
    }

    /// @return onGrid whether an order of that side may have that limit
    /// @return tick where it stands: a bid's limit is all-in, its tick net of the fee
    function tickOf(MarketTerms memory self, uint256 side, uint256 limitPrice)
        internal
        pure
        returns (bool onGrid, uint256 tick)
    {
        unchecked {
            uint256 least = self.minPrice;
            if (side == BID) least += self.gridFee;
            if (limitPrice < least) return (false, 0);
            uint256 above = limitPrice - least;
            uint256 tickSize = self.tickSize;
            tick = above / tickSize;
            // slither-disable-next-line divide-before-multiply
            onGrid = tick * tickSize == above && tick < self.tickCount;
        }
    }

    /// EIP-712 hash of the terms, a member of CreateMarket and Underwrite.
    function hash(MarketTerms memory self) internal pure returns (bytes32) {
        return keccak256(abi.encode(TYPEHASH, self));
    }

    function requireRule(bool holds, string memory rule) internal pure {
        if (!holds) revert IEnergyAuction.TermsNotAllowed(rule);
    }
}
