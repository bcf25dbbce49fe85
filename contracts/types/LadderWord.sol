// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";

using { laneAt, laneSum, tagOf } for LadderWord global;

/// Eight energies of 30 bits and a tag of 16 above them: tag 16 | lane 7 | ... | lane 0. Energies in Wh.
type LadderWord is uint256;

uint256 constant LANES = 8;
uint256 constant LANE_BITS = 30;
// No lane holds more than this.
uint256 constant LANE_MAX = (1 << LANE_BITS) - 1;
uint256 constant TAG_SHIFT = LANES * LANE_BITS;
uint256 constant LANES_MASK = (1 << TAG_SHIFT) - 1;
// Every second lane, so that a sum of two has room: lanes 0, 2, 4 and 6.
uint256 constant EVEN_LANES = LANE_MAX | (LANE_MAX << 60) | (LANE_MAX << 120) | (LANE_MAX << 180);

function tagOf(LadderWord word) pure returns (uint256) {
    return LadderWord.unwrap(word) >> TAG_SHIFT;
}

function laneAt(LadderWord word, uint256 lane) pure returns (uint256) {
    unchecked {
        // lane < 8
        return (LadderWord.unwrap(word) >> (lane * LANE_BITS)) & LANE_MAX;
    }
}

/// The sum of all lanes, without a look at any of them.
function laneSum(LadderWord word) pure returns (uint256) {
    unchecked {
        // four sums of two lanes need 31 of their 60 bits each, two of four 32, one of eight 33
        uint256 pairs = (LadderWord.unwrap(word) & EVEN_LANES) + ((LadderWord.unwrap(word) >> LANE_BITS) & EVEN_LANES);
        pairs += pairs >> 120;
        return (pairs + (pairs >> 60)) & ((1 << 60) - 1);
    }
}

/// The lanes from `lane` on.
function lanesFrom(uint256 lanes, uint256 lane) pure returns (uint256) {
    return lanes >> (lane * LANE_BITS) << (lane * LANE_BITS);
}

/// The first lane of a set of lanes, not empty and without its tag, in which any bit is set.
function laneOfLowest(uint256 lanes) pure returns (uint256) {
    unchecked {
        // lanes > 0: its lowest set bit is lanes & -lanes
        return Math.log2(lanes & (~lanes + 1)) / LANE_BITS;
    }
}
