// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { Words } from "./Words.sol";

/// @title Eight readings at once
/// @notice A word has eight lanes of 32 bits, the first in the least significant bits: of readings version 2 | import 15 | export 15, as
/// the MeterLedger keeps them, or of one number each. Numbers of 15 bits can be added up 2**17 times before a lane is full.
library Lanes {
    uint256 private constant ONES = 0x0000000100000001000000010000000100000001000000010000000100000001;
    /// Of readings, the exports; of readings shifted by IMPORTS, the imports.
    uint256 internal constant NUMBERS = ONES * 0x7fff;
    uint256 internal constant IMPORTS = 15;
    uint256 private constant NUMBER = 0x7fff;
    uint256 private constant HIGHEST = ONES << 31;
    uint256 private constant LANE = type(uint32).max;

    /// Copies the readings of `count` slots from `first` on, where `source` has the word that holds it, to `place`, so that the first is in
    /// the first lane. Lanes behind the last are zero.
    /// @return missing bit i: there is no reading of slot i
    function align(uint256 source, uint256 first, uint256 count, uint256 place)
        internal
        pure
        returns (uint256 missing)
    {
        // Shifts below 256, and places in what was allocated.
        unchecked {
            uint256 shift = (first & 7) << 5;
            for (uint256 i = 0; i < count; i += 8) {
                uint256 word = Words.load(source) >> shift;
                // behind the last word may be anything: it is cut off
                if (shift != 0) word |= Words.load(source + 0x20) << (256 - shift);
                uint256 kept = count - i < 8 ? (1 << ((count - i) << 5)) - 1 : type(uint256).max;
                word &= kept;
                uint256 absent = ~(word | (word << 1)) & HIGHEST & kept;
                if (absent != 0) missing |= _bits(absent >> 31) << i;
                Words.store(place, word);
                source += 0x20;
                place += 0x20;
            }
        }
    }

    /// Bit i for lane i.
    function _bits(uint256 ones) private pure returns (uint256 bits) {
        // Eight lanes.
        unchecked {
            for (uint256 i = 0; i < 8; ++i) {
                bits |= lane(ones, i) << i;
            }
        }
    }

    function lane(uint256 word, uint256 i) internal pure returns (uint256) {
        return (word >> (i << 5)) & LANE;
    }

    /// Sum of all eight lanes of numbers.
    function total(uint256 word) internal pure returns (uint256) {
        // Lanes are far from full.
        unchecked {
            word += word >> 128;
            word += word >> 64;
            return (word + (word >> 32)) & LANE;
        }
    }

    /// Import less export of reading i.
    function net(uint256 word, uint256 i) internal pure returns (int256) {
        // Numbers of 15 bits.
        unchecked {
            word >>= i << 5;
            return int256((word >> IMPORTS) & NUMBER) - int256(word & NUMBER);
        }
    }

    /// Sum of what two words of readings differ by in net import, lane by lane.
    function distance(uint256 one, uint256 other) internal pure returns (int256 sum) {
        // Numbers of 15 bits.
        unchecked {
            for (; one | other != 0; (one, other) = (one >> 32, other >> 32)) {
                int256 difference = net(one, 0) - net(other, 0);
                sum += difference < 0 ? -difference : difference;
            }
        }
    }
}
