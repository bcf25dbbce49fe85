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

    /// Of salt . data.
    function leafOf(bytes16 salt, bytes calldata data) internal view returns (bytes32 hash) {
        assembly ("memory-safe") {
            let place := mload(0x40)
            mstore8(place, 0x00)
            mstore(add(place, 0x01), salt)
            calldatacopy(add(place, 0x11), data.offset, data.length)
            if iszero(staticcall(gas(), 0x02, place, add(data.length, 0x11), 0x00, 0x20)) { revert(0, 0) }
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

    /// How many siblings prove the leaf at `index`, which is below `size`.
    function pathLength(uint256 index, uint256 size) internal pure returns (uint256 length) {
        uint256 last = size - 1;
        while (last != 0) {
            if (index & 1 == 1 || index != last) ++length;
            index >>= 1;
            last >>= 1;
        }
    }

    /// The root of the tree of `size` leaves in which `leaf` stands at `index`. There must be pathLength(index, size) siblings.
    function rootOf(bytes32 leaf, uint256 index, uint256 size, bytes32[] calldata siblings)
        internal
        view
        returns (bytes32 root)
    {
        root = leaf;
        uint256 last = size - 1;
        uint256 used = 0;
        while (last != 0) {
            if (index & 1 == 1) root = nodeOf(siblings[used++], root);
            else if (index != last) root = nodeOf(root, siblings[used++]);
            // else alone at the right edge: moves up as it is
            index >>= 1;
            last >>= 1;
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
