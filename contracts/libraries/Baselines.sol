// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { HIGH_4_OF_5, HIGH_5_OF_10, MATCHED, TEN_OF_TEN } from "../types/Measuring.sol";
import { Profile } from "../types/Profile.sol";
import { Lanes } from "./Lanes.sol";
import { Words } from "./Words.sol";

/// @title A baseline from the profiles of the days before
/// @notice Sums are of 15 bits, times 100 slots, times 10 days, times 10,000: nothing here comes near 2**255.
library Baselines {
    using Lanes for uint256;
    using Baselines for Profile;

    uint256 internal constant WHOLE_BPS = 10_000;
    int256 private constant LEAST_BPS = 8_000;
    int256 private constant MOST_BPS = 12_000;

    /// How many days a method looks at, at most.
    function candidates(uint256 method) internal pure returns (uint256) {
        return method == HIGH_4_OF_5 ? 5 : 10;
    }

    /// How many of them it takes, at most.
    function chosen(uint256 method) internal pure returns (uint256) {
        if (method == TEN_OF_TEN) return 10;
        if (method == HIGH_5_OF_10) return 5;
        return method == HIGH_4_OF_5 ? 4 : 3;
    }

    /// With fewer there is no baseline.
    function least(uint256 method) internal pure returns (uint256) {
        return method == TEN_OF_TEN ? 5 : chosen(method);
    }

    /// Marks the days that the method takes. Of days that are alike the newer is taken.
    function choose(Profile memory self, uint256 method, bool up) internal pure {
        self.count = self.found;
        self.taken = (1 << self.found) - 1;
        uint256 most = chosen(method);
        if (self.count <= most) return;
        int256[] memory ranks = new int256[](self.found);
        for (uint256 i = 0; i < ranks.length; ++i) {
            if (method == MATCHED) {
                ranks[i] = -_distance(self.windowOf(self.rows[i]), self.windowOf(self.today), self.windowSlots);
            } else {
                int256 sum = _netOf(self.rows[i], self.eventSlots);
                ranks[i] = up ? -sum : sum;
            }
        }
        for (; self.count > most; --self.count) {
            self.taken ^= 1 << _lowest(ranks, self.taken);
        }
    }

    /// The oldest of the lowest that are taken.
    function _lowest(int256[] memory ranks, uint256 taken) private pure returns (uint256 place) {
        int256 lowest = type(int256).max;
        for (uint256 i = 0; i < ranks.length; ++i) {
            if ((taken >> i) & 1 == 1 && ranks[i] <= lowest) (lowest, place) = (ranks[i], i);
        }
    }

    /// Sum of the differences, slot by slot.
    function _distance(uint256 one, uint256 other, uint256 slots) private pure returns (int256 sum) {
        // Numbers of 15 bits.
        unchecked {
            for (uint256 end = one + (wordsOf(slots) << 5); one < end; one += 0x20) {
                sum += Words.load(one).distance(Words.load(other));
                other += 0x20;
            }
        }
    }

    /// Import less export of so many slots of one row.
    function _netOf(uint256 row, uint256 slots) private pure returns (int256 sum) {
        // Numbers of 15 bits.
        unchecked {
            for (uint256 end = row + (wordsOf(slots) << 5); row < end; row += 0x20) {
                uint256 word = Words.load(row);
                sum += int256(((word >> Lanes.IMPORTS) & Lanes.NUMBERS).total())
                    - int256((word & Lanes.NUMBERS).total());
            }
        }
    }

    /// What the event's day used in the window, of what the days taken did on the mean, within bounds; the whole where that is
    /// not positive, or a reading is missing.
    function ratio(Profile memory self) internal pure returns (uint256) {
        if (self.windowMissing || self.windowSlots == 0) return WHOLE_BPS;
        int256 before = 0;
        uint256 window = self.windowOf(0);
        for (uint256 i = 0; i < wordsOf(self.windowSlots); ++i) {
            (uint256 imports, uint256 exports) = _sums(self, window + (i << 5));
            before += int256(imports.total()) - int256(exports.total());
        }
        if (before <= 0) return WHOLE_BPS;
        int256 today = _netOf(self.windowOf(self.today), self.windowSlots);
        int256 bps = floorDiv(today * int256(self.count * WHOLE_BPS), before);
        return uint256(bps < LEAST_BPS ? LEAST_BPS : bps > MOST_BPS ? MOST_BPS : bps);
    }

    /// The mean of each slot over the days taken, in Wh, rounded down, then adjusted, and rounded down again.
    function mean(Profile memory self, uint256 ratioBps, int256 scaleWh) internal pure returns (int256[] memory meanWh) {
        meanWh = new int256[](self.eventSlots);
        uint256 imports;
        uint256 exports;
        for (uint256 i = 0; i < meanWh.length; ++i) {
            if (i & 7 == 0) (imports, exports) = _sums(self, (i >> 3) << 5);
            int256 sum = int256(imports.lane(i & 7)) - int256(exports.lane(i & 7));
            int256 whole = floorDiv(sum * scaleWh, int256(self.count));
            meanWh[i] = floorDiv(whole * int256(ratioBps), int256(WHOLE_BPS));
        }
    }

    /// Lane by lane over the days taken, of the word at that offset of a row.
    function _sums(Profile memory self, uint256 offset) private pure returns (uint256 imports, uint256 exports) {
        uint256[] memory rows = self.rows;
        uint256 taken = self.taken;
        // Ten times 15 bits.
        unchecked {
            for (uint256 i = 0; taken != 0; ++i) {
                if (taken & 1 == 1) {
                    uint256 word = Words.load(rows[i] + offset);
                    imports += (word >> Lanes.IMPORTS) & Lanes.NUMBERS;
                    exports += word & Lanes.NUMBERS;
                }
                taken >>= 1;
            }
        }
    }

    /// How many words so many slots take, from the first lane on.
    function wordsOf(uint256 slots) internal pure returns (uint256) {
        return (slots + 7) >> 3;
    }

    /// The window's words in a row.
    function windowOf(Profile memory self, uint256 row) internal pure returns (uint256) {
        return row + (wordsOf(self.eventSlots) << 5);
    }

    /// Toward minus infinity, by a positive divisor.
    function floorDiv(int256 value, int256 by) internal pure returns (int256 quotient) {
        quotient = value / by;
        if (value < 0 && value % by != 0) --quotient;
    }
}
