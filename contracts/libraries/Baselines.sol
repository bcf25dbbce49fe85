// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { HIGH_4_OF_5, HIGH_5_OF_10, MATCHED, TEN_OF_TEN } from "../types/Measuring.sol";
import { Days, Profile } from "../types/Profile.sol";

/// @title A baseline from the profiles of the days before
/// @notice Profiles stand in their order in time, the newest first. Sums are of 15 bits, times 100 Wh, times days and slots:
/// nothing here comes near 2**255.
library Baselines {
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
    function choose(Days memory self, Profile memory today, uint256 method, bool up) internal pure {
        self.count = self.found;
        self.taken = (1 << self.found) - 1;
        uint256 most = chosen(method);
        if (self.count <= most) return;
        int256[] memory ranks = new int256[](self.found);
        for (uint256 i = 0; i < ranks.length; ++i) {
            ranks[i] = _rank(self.profiles[i], today, method, up);
        }
        for (; self.count > most; --self.count) {
            self.taken ^= 1 << _lowest(ranks, self.taken);
        }
    }

    /// The higher the better.
    function _rank(Profile memory profile, Profile memory today, uint256 method, bool up)
        private
        pure
        returns (int256)
    {
        if (method == MATCHED) return -_distance(profile.windowWh, today.windowWh);
        int256 sum = total(profile.eventWh);
        return up ? -sum : sum;
    }

    /// The oldest of the lowest that are taken.
    function _lowest(int256[] memory ranks, uint256 taken) private pure returns (uint256 place) {
        int256 lowest = type(int256).max;
        for (uint256 i = 0; i < ranks.length; ++i) {
            if ((taken >> i) & 1 == 1 && ranks[i] <= lowest) (lowest, place) = (ranks[i], i);
        }
    }

    function _distance(int256[] memory one, int256[] memory other) private pure returns (int256 sum) {
        for (uint256 i = 0; i < one.length; ++i) {
            sum += one[i] < other[i] ? other[i] - one[i] : one[i] - other[i];
        }
    }

    function total(int256[] memory values) internal pure returns (int256 sum) {
        for (uint256 i = 0; i < values.length; ++i) {
            sum += values[i];
        }
    }

    /// What the event's day used in the window, of what the days taken did on the mean, within bounds; the whole where that is
    /// not positive, or a reading is missing.
    function ratio(Days memory self, Profile memory today) internal pure returns (uint256) {
        if (today.windowMissing || today.windowWh.length == 0) return WHOLE_BPS;
        int256 before = 0;
        for (uint256 i = 0; i < self.found; ++i) {
            if ((self.taken >> i) & 1 == 1) before += total(self.profiles[i].windowWh);
        }
        if (before <= 0) return WHOLE_BPS;
        int256 bps = floorDiv(total(today.windowWh) * int256(self.count * WHOLE_BPS), before);
        return uint256(bps < LEAST_BPS ? LEAST_BPS : bps > MOST_BPS ? MOST_BPS : bps);
    }

    /// The mean of each slot over the days taken, rounded down, then adjusted, and rounded down again.
    function mean(Days memory self, uint256 ratioBps, uint256 slots) internal pure returns (int256[] memory meanWh) {
        meanWh = new int256[](slots);
        for (uint256 i = 0; i < self.found; ++i) {
            if ((self.taken >> i) & 1 == 0) continue;
            int256[] memory eventWh = self.profiles[i].eventWh;
            for (uint256 j = 0; j < slots; ++j) {
                meanWh[j] += eventWh[j];
            }
        }
        for (uint256 j = 0; j < slots; ++j) {
            int256 whole = floorDiv(meanWh[j], int256(self.count));
            meanWh[j] = floorDiv(whole * int256(ratioBps), int256(WHOLE_BPS));
        }
    }

    /// Toward minus infinity, by a positive divisor.
    function floorDiv(int256 value, int256 by) internal pure returns (int256 quotient) {
        quotient = value / by;
        if (value < 0 && value % by != 0) --quotient;
    }
}
