// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { LANES_MASK, LANE_BITS, LANE_MAX, LadderWord, TAG_SHIFT } from "../types/LadderWord.sol";

/// @title The live energy of one side of one slot, tick by tick
/// @notice Two levels: 1,024 ticks in 128 leaf words, the sums of 32 ticks each in 4 group words. An order touches one word of
/// either level, and a search reads the four group words and the four leaf words of one group, whatever the number of orders.
/// @dev A group's sum bounds its leaves, so the sum alone is checked for room. Tick t is lane t & 7 of leaf word t >> 3 and
/// counts in group g = t >> 5, lane g & 7 of group word g >> 3.
library Ladder {
    uint256 internal constant WORDS = 4; // group words, and leaf words of one group

    struct Side {
        LadderWord[128] leaves;
        LadderWord[WORDS] groups;
    }

    /// @return done false, and nothing changed, if the tick's group would hold 2**30 Wh or more
    function add(Side storage self, uint256 tag, uint256 tick, uint256 energyWh) internal returns (bool done) {
        uint256 group = tick >> 5;
        uint256 sums = _read(self.groups[group >> 3], tag);
        unchecked {
            // both below 2**32
            if (LadderWord.wrap(sums).laneAt(group & 7) + energyWh > LANE_MAX) return false;
        }
        self.groups[group >> 3] = _moved(sums, tag, group & 7, energyWh);
        self.leaves[tick >> 3] = _moved(_read(self.leaves[tick >> 3], tag), tag, tick & 7, energyWh);
        return true;
    }

    /// @dev Only what was added under the same tag.
    function remove(Side storage self, uint256 tag, uint256 tick, uint256 energyWh) internal {
        uint256 group = tick >> 5;
        uint256 change;
        unchecked {
            // modulo 2**256 that is a subtraction
            change = 0 - energyWh;
        }
        self.groups[group >> 3] = _moved(_read(self.groups[group >> 3], tag), tag, group & 7, change);
        self.leaves[tick >> 3] = _moved(_read(self.leaves[tick >> 3], tag), tag, tick & 7, change);
    }

    function _moved(uint256 lanes, uint256 tag, uint256 lane, uint256 change) private pure returns (LadderWord) {
        unchecked {
            // the lane holds what is removed and has room for what is added, so its neighbours stay as they are
            return LadderWord.wrap((lanes + (change << (lane * LANE_BITS))) | (tag << TAG_SHIFT));
        }
    }

    /// The sums of all 32 groups, tags taken off, words of another tag empty.
    function groupSums(Side storage self, uint256 tag) internal view returns (LadderWord[WORDS] memory sums) {
        for (uint256 i; i < WORDS; ++i) {
            sums[i] = LadderWord.wrap(_read(self.groups[i], tag));
        }
    }

    /// The same of the 32 ticks of one group.
    function leavesOf(Side storage self, uint256 tag, uint256 group)
        internal
        view
        returns (LadderWord[WORDS] memory leaves)
    {
        for (uint256 i; i < WORDS; ++i) {
            leaves[i] = LadderWord.wrap(_read(self.leaves[group * WORDS + i], tag));
        }
    }

    function energyAt(Side storage self, uint256 tag, uint256 tick) internal view returns (uint256) {
        return LadderWord.wrap(_read(self.leaves[tick >> 3], tag)).laneAt(tick & 7);
    }

    function _read(LadderWord word, uint256 tag) private pure returns (uint256) {
        return word.tagOf() == tag ? LadderWord.unwrap(word) & LANES_MASK : 0;
    }
}
