// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { IEnergyAuction } from "../interfaces/IEnergyAuction.sol";
import { LANES, LadderWord, lanesFrom, laneOfLowest } from "../types/LadderWord.sol";
import { ASK, BID } from "../types/Order.sol";
import { Ladder } from "./Ladder.sol";

/// @title The price of one slot
/// @notice With D(t) the bids at tick t or above and S(t) the asks at tick t or below: low is the least t with
/// D(t + 1) <= S(t); high is low, unless D(low + 1) = S(low): then the next tick above low that is not empty. The price is
/// floor((low + high) / 2), the volume min(D(price), S(price)).
/// @dev Reads at most 24 words: 8 group words, 8 leaves of low's group and 8 leaves of high's. Between low and high no tick
/// has energy, so D and S at the price follow from what is known at low.
library ClearingMath {
    using Ladder for Ladder.Side;

    /// A tick where there is none.
    uint256 internal constant NONE = 0xffff;
    uint256 private constant END = Ladder.WORDS * LANES;

    /// Where the search stands.
    struct Search {
        LadderWord[4] bids;
        LadderWord[4] asks;
        uint256 lane; // of the word pairs above: a group first, a tick of it then
        uint256 above; // bids above the lane
        uint256 below; // asks below the lane
    }

    /// Writes what it finds over a blank `clearing`.
    function clear(
        IEnergyAuction.Clearing memory clearing,
        Ladder.Side storage bids,
        Ladder.Side storage asks,
        uint256 tag
    ) internal view {
        unchecked {
            // ticks are below 1,024, a side of the ladder below 2**35
            Search memory groups = Search(bids.groupSums(tag), asks.groupSums(tag), 0, 0, 0);
            uint256 bidWh = _total(groups.bids);
            groups.above = bidWh;
            _cross(groups);
            uint256 group = groups.lane;
            Search memory ticks =
                Search(bids.leavesOf(tag, group), asks.leavesOf(tag, group), 0, groups.above, groups.below);
            ticks.above += _lane(groups.bids, group);
            _cross(ticks);

            uint256 low = group * END + ticks.lane;
            uint256 high = low;
            if (ticks.above == ticks.below + _lane(ticks.asks, ticks.lane)) {
                high = _nextTick(bids, asks, tag, groups, ticks);
            }
            clearing.cleared = true;
            clearing.lowTick = bidWh == 0 ? NONE : low;
            clearing.highTick = high;
            _price(clearing, ticks, low, high);
        }
    }

    /// What an order of `energyWh` at `tick` gets.
    function fill(IEnergyAuction.Clearing memory clearing, uint256 side, uint256 tick, uint256 energyWh)
        internal
        pure
        returns (uint256)
    {
        // nothing ordered is no side, and no side may be the long one
        if (!clearing.traded || energyWh == 0) return 0;
        uint256 priceTick = clearing.priceTick;
        if (tick == priceTick) {
            if (clearing.longSide != side) return energyWh;
            unchecked {
                // 30 bits each
                return clearing.sharedWh * energyWh / clearing.longWh;
            }
        }
        return (side == BID) == (tick > priceTick) ? energyWh : 0;
    }

    /// The next tick above low's at which either side has energy, or NONE.
    function _nextTick(
        Ladder.Side storage bids,
        Ladder.Side storage asks,
        uint256 tag,
        Search memory groups,
        Search memory ticks
    ) private view returns (uint256) {
        unchecked {
            // groups and lanes are below 32
            uint256 lane = _next(ticks, ticks.lane + 1);
            if (lane < END) return groups.lane * END + lane;
            uint256 group = _next(groups, groups.lane + 1);
            if (group == END) return NONE;
            return group * END + _next(Search(bids.leavesOf(tag, group), asks.leavesOf(tag, group), 0, 0, 0), 0);
        }
    }

    function _price(IEnergyAuction.Clearing memory clearing, Search memory ticks, uint256 low, uint256 high)
        private
        pure
    {
        unchecked {
            // the volume is at least what is better than the price
            uint256 price = (low + high) / 2;
            uint256 bidAtPrice = price == low ? _lane(ticks.bids, ticks.lane) : 0;
            uint256 askAtPrice = price == low ? _lane(ticks.asks, ticks.lane) : 0;
            uint256 demand = ticks.above + bidAtPrice;
            uint256 supply = ticks.below + _lane(ticks.asks, ticks.lane);
            uint256 volume = demand < supply ? demand : supply;
            if (volume == 0) return;
            clearing.traded = true;
            clearing.priceTick = price;
            clearing.volumeWh = volume;
            if (demand > supply) {
                clearing.longSide = BID;
                clearing.sharedWh = volume - ticks.above;
                clearing.longWh = bidAtPrice;
            } else if (supply > demand) {
                clearing.longSide = ASK;
                clearing.sharedWh = volume - ticks.below;
                clearing.longWh = askAtPrice;
            }
        }
    }

    /// Moves to the first lane with bids above <= asks up to it. There is one: no bid is above the last.
    function _cross(Search memory self) private pure {
        uint256 above = self.above;
        uint256 below = self.below;
        unchecked {
            // `above` holds at least the bids of the words to come; sums of 64 lanes of 30 bits have 36
            for (uint256 i; i < Ladder.WORDS; ++i) {
                LadderWord bids = self.bids[i];
                LadderWord asks = self.asks[i];
                uint256 bidSum = bids.laneSum();
                uint256 askSum = asks.laneSum();
                if (above - bidSum > below + askSum) {
                    above -= bidSum;
                    below += askSum;
                    continue;
                }
                for (uint256 lane;; ++lane) {
                    above -= bids.laneAt(lane);
                    uint256 ask = asks.laneAt(lane);
                    if (above <= below + ask) {
                        (self.lane, self.above, self.below) = (i * LANES + lane, above, below);
                        return;
                    }
                    below += ask;
                }
            }
        }
    }

    /// The first lane from `lane` on in which either side has energy, or END.
    function _next(Search memory self, uint256 lane) private pure returns (uint256) {
        unchecked {
            // lane <= 32
            for (uint256 i = lane >> 3; i < Ladder.WORDS; ++i) {
                uint256 lanes = LadderWord.unwrap(self.bids[i]) | LadderWord.unwrap(self.asks[i]);
                if (i == lane >> 3) lanes = lanesFrom(lanes, lane & 7);
                if (lanes != 0) return i * LANES + laneOfLowest(lanes);
            }
            return END;
        }
    }

    function _total(LadderWord[4] memory words) private pure returns (uint256) {
        unchecked {
            // four sums below 2**33
            return words[0].laneSum() + words[1].laneSum() + words[2].laneSum() + words[3].laneSum();
        }
    }

    function _lane(LadderWord[4] memory words, uint256 lane) private pure returns (uint256) {
        return words[lane >> 3].laneAt(lane & 7);
    }
}
