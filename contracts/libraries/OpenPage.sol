// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { Span } from "../types/Span.sol";

/// @title Pages: the batches of a stream by 32, each page a Merkle tree
/// @notice An open page is the roots of its largest full subtrees, its peaks, from the left: one for each bit that is set in the
/// number of its batches. A full page is one peak.
library OpenPage {
    uint256 internal constant BITS = 5;
    uint256 internal constant SIZE = 1 << BITS;

    /// What the chain keeps of a stream. The span says how many peaks there are.
    function commitmentOf(Span span, bytes32 head, bytes32[] calldata peaks) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let place := mload(0x40)
            mstore(place, span)
            mstore(add(place, 0x20), head)
            calldatacopy(add(place, 0x40), peaks.offset, shl(5, peaks.length))
            hash := keccak256(place, add(0x40, shl(5, peaks.length)))
        }
    }

    /// The same of span, head and peaks one after the other.
    function commitmentOf(bytes32[] calldata tip) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let place := mload(0x40)
            calldatacopy(place, tip.offset, shl(5, tip.length))
            hash := keccak256(place, shl(5, tip.length))
        }
    }

    /// The same with one peak behind the first `kept`.
    function commitmentOf(Span span, bytes32 head, bytes32[] calldata peaks, uint256 kept, bytes32 peak)
        internal
        pure
        returns (bytes32 hash)
    {
        assembly ("memory-safe") {
            let place := mload(0x40)
            let size := add(0x40, shl(5, kept))
            mstore(place, span)
            mstore(add(place, 0x20), head)
            calldatacopy(add(place, 0x40), peaks.offset, shl(5, kept))
            mstore(add(place, size), peak)
            hash := keccak256(place, add(size, 0x20))
        }
    }

    /// A leaf behind the `count` that the peaks stand for. There is a peak for each bit of it.
    /// @return kept how many of the peaks stay
    /// @return peak what stands behind these
    function push(bytes32[] calldata peaks, uint256 count, bytes32 leaf)
        internal
        pure
        returns (uint256 kept, bytes32 peak)
    {
        assembly ("memory-safe") {
            kept := peaks.length
            peak := leaf
            // each bit that is set from the lowest on is a peak as high as what comes: the two become one
            for { } and(count, 1) { count := shr(1, count) } {
                kept := sub(kept, 1)
                mstore(0x00, calldataload(add(peaks.offset, shl(5, kept))))
                mstore(0x20, peak)
                peak := keccak256(0x00, 0x40)
            }
        }
    }

    /// The root of the tree in which `leaf` stands at `place` with these siblings, one for each of its levels.
    function rootOf(bytes32 leaf, uint256 place, bytes32[] calldata path) internal pure returns (bytes32 root) {
        assembly ("memory-safe") {
            root := leaf
            let end := add(path.offset, shl(5, path.length))
            for { let sibling := path.offset } lt(sibling, end) { sibling := add(sibling, 0x20) } {
                let isRight := shl(5, and(place, 1))
                mstore(isRight, root)
                mstore(xor(isRight, 0x20), calldataload(sibling))
                root := keccak256(0x00, 0x40)
                place := shr(1, place)
            }
        }
    }

    /// Which peak of a page with `count` leaves stands over the one at `place`, which is below `count`.
    /// @return peak its number from the left
    /// @return height how many levels it has
    /// @return within the place of the leaf below it
    function peakOver(uint256 place, uint256 count)
        internal
        pure
        returns (uint256 peak, uint256 height, uint256 within)
    {
        within = place;
        height = BITS;
        // the peaks' leaves add up to more than `place`
        while (true) {
            if ((count >> height) & 1 == 1) {
                if (within < 1 << height) return (peak, height, within);
                within -= 1 << height;
                ++peak;
            }
            --height;
        }
    }
}
