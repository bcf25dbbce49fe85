// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// @title The leaf of a reading: salt 16 | index 8 | time in milliseconds UTC 8 | firmware counter 4 | 8 for each channel
library ReadingLeaf {
    uint256 private constant MAX_CHANNELS = 32;
    /// Bytes before the values of the channels.
    uint256 private constant HEAD = 36;

    /// Whether a leaf of this length has 1 to 32 channels.
    function isWhole(uint256 length) internal pure returns (bool) {
        unchecked {
            // a shorter one wraps around
            uint256 values = length - HEAD;
            return values & 7 == 0 && values - 8 < 8 * MAX_CHANNELS;
        }
    }

    /// Of a leaf that is whole.
    function parts(bytes calldata leaf) internal pure returns (uint64 index, uint64 atMs, uint32 firmware) {
        uint256 word;
        assembly ("memory-safe") {
            word := calldataload(add(leaf.offset, 16))
        }
        return (uint64(word >> 192), uint64(word >> 128), uint32(word >> 96));
    }
}
