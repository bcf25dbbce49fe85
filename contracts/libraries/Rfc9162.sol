// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// @title Merkle trees of RFC 9162 (section 2.1) with SHA-256
/// @notice The hash of a leaf is SHA-256(0x00 . leaf), that of a node SHA-256(0x01 . left . right). A tree of more than one leaf
/// splits at the largest power of two below its size. A root does not say its size: whoever checks a proof takes both from where
/// they were recorded together.
library Rfc9162 {
    /// Where a range of leaves lies, and how much of what proves it has been used.
    struct Cursor {
        uint256 first;
        uint256 end;
        uint256 used; // of the hashes outside
    }

    function hashOf(bytes calldata leaf) internal view returns (bytes32 hash) {
        assembly ("memory-safe") {
            let place := mload(0x40)
            mstore8(place, 0x00)
            calldatacopy(add(place, 0x01), leaf.offset, leaf.length)
            if iszero(staticcall(gas(), 0x02, place, add(leaf.length, 0x01), 0x00, 0x20)) { revert(0, 0) }
            hash := mload(0x00)
        }
    }

    function nodeOf(bytes32 left, bytes32 right) internal view returns (bytes32 hash) {
        assembly ("memory-safe") {
            let place := mload(0x40)
            mstore8(place, 0x01)
            mstore(add(place, 0x01), left)
            mstore(add(place, 0x21), right)
            if iszero(staticcall(gas(), 0x02, place, 0x41, 0x00, 0x20)) { revert(0, 0) }
            hash := mload(0x00)
        }
    }

    /// The root of the tree of `size` leaves in which `leaf` stands at `index`, which is below `size`.
    /// Warning: nothing here looks at how many siblings there are. It is the root only if `used` is their number.
    /// @return root of the tree
    /// @return used how many siblings prove a leaf at this place
    function rootOf(bytes32 leaf, uint256 index, uint256 size, bytes32[] calldata siblings)
        internal
        view
        returns (bytes32 root, uint256 used)
    {
        assembly ("memory-safe") {
            let place := mload(0x40)
            let left := add(place, 0x01)
            let right := add(place, 0x21)
            let sibling := siblings.offset
            let done := 1
            let last := sub(size, 1)
            mstore8(place, 0x01)
            root := leaf
            for { } xor(index, last) { } {
                let side := shl(5, and(index, 1))
                mstore(add(left, side), root)
                mstore(sub(right, side), calldataload(sibling))
                sibling := add(sibling, 0x20)
                done := and(done, staticcall(gas(), 0x02, place, 0x41, 0x00, 0x20))
                root := mload(0x00)
                index := shr(1, index)
                last := shr(1, last)
            }
            // the last one of its level from here on: it has a partner on its left, or moves up as it is
            for { } index { index := shr(1, index) } {
                if and(index, 1) {
                    mstore(left, calldataload(sibling))
                    mstore(right, root)
                    sibling := add(sibling, 0x20)
                    done := and(done, staticcall(gas(), 0x02, place, 0x41, 0x00, 0x20))
                    root := mload(0x00)
                }
            }
            used := shr(5, sub(sibling, siblings.offset))
            if iszero(done) { revert(0, 0) }
        }
    }

    /// The root of the subtree [low, high) of a tree in which `inside` are the hashes of the leaves [first, end) and `outside` the
    /// roots of the largest subtrees without any of these, from the left. Fails if there are too few of them.
    function rootOf(
        uint256 low,
        uint256 high,
        bytes32[] memory inside,
        bytes32[] calldata outside,
        Cursor memory cursor
    ) internal view returns (bytes32) {
        if (high <= cursor.first || cursor.end <= low) return outside[cursor.used++];
        if (high - low == 1) return inside[low - cursor.first];

        uint256 middle = low + _largestPowerBelow(high - low);
        bytes32 left = rootOf(low, middle, inside, outside, cursor);
        return nodeOf(left, rootOf(middle, high, inside, outside, cursor));
    }

    /// How many hashes outside there must be for it.
    function outsideOf(uint256 low, uint256 high, uint256 first, uint256 end) internal pure returns (uint256) {
        if (high <= first || end <= low) return 1;
        if (first <= low && high <= end) return 0;
        uint256 middle = low + _largestPowerBelow(high - low);
        return outsideOf(low, middle, first, end) + outsideOf(middle, high, first, end);
    }

    /// Of a size above one.
    function _largestPowerBelow(uint256 size) private pure returns (uint256 power) {
        power = 1;
        while (power << 1 < size) power <<= 1;
    }
}
