// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// The trees as their definitions have them, by recursion from the root: written a second time, so that the contract's loops are
/// not their own judges. Leaves are hashes already.
library Trees {
    enum Kind {
        Sha256, // RFC 9162, section 2.1
        Keccak256 // pages of batches
    }

    function nodeOf(Kind kind, bytes32 left, bytes32 right) internal pure returns (bytes32) {
        if (kind == Kind.Keccak256) return keccak256(abi.encode(left, right));
        return sha256(abi.encodePacked(bytes1(0x01), left, right));
    }

    /// The largest power of two below a size of two or more.
    function splitOf(uint256 size) internal pure returns (uint256 split) {
        split = 1;
        while (split * 2 < size) split *= 2;
    }

    /// MTH(D[low:high]).
    function rootOf(Kind kind, bytes32[] memory leaves, uint256 low, uint256 high) internal pure returns (bytes32) {
        if (high - low == 1) return leaves[low];
        uint256 middle = low + splitOf(high - low);
        return nodeOf(kind, rootOf(kind, leaves, low, middle), rootOf(kind, leaves, middle, high));
    }

    function rootOf(Kind kind, bytes32[] memory leaves) internal pure returns (bytes32) {
        return rootOf(kind, leaves, 0, leaves.length);
    }

    /// PATH(index, D[low:high]): siblings from the leaf up.
    function pathOf(Kind kind, bytes32[] memory leaves, uint256 low, uint256 high, uint256 index)
        internal
        pure
        returns (bytes32[] memory)
    {
        if (high - low == 1) return new bytes32[](0);
        uint256 middle = low + splitOf(high - low);
        return index < middle
            ? join(pathOf(kind, leaves, low, middle, index), rootOf(kind, leaves, middle, high))
            : join(pathOf(kind, leaves, middle, high, index), rootOf(kind, leaves, low, middle));
    }

    function pathOf(Kind kind, bytes32[] memory leaves, uint256 index) internal pure returns (bytes32[] memory) {
        return pathOf(kind, leaves, 0, leaves.length, index);
    }

    /// Roots of the largest subtrees of [low, high) without a leaf of [first, end), from the left.
    function outsideOf(bytes32[] memory leaves, uint256 low, uint256 high, uint256 first, uint256 end)
        internal
        pure
        returns (bytes32[] memory hashes)
    {
        if (first <= low && high <= end) return hashes;
        if (high <= first || end <= low) return join(hashes, rootOf(Kind.Sha256, leaves, low, high));
        uint256 middle = low + splitOf(high - low);
        hashes = outsideOf(leaves, low, middle, first, end);
        bytes32[] memory right = outsideOf(leaves, middle, high, first, end);
        for (uint256 i = 0; i < right.length; ++i) {
            hashes = join(hashes, right[i]);
        }
    }

    function join(bytes32[] memory list, bytes32 last) internal pure returns (bytes32[] memory longer) {
        longer = new bytes32[](list.length + 1);
        for (uint256 i = 0; i < list.length; ++i) {
            longer[i] = list[i];
        }
        longer[list.length] = last;
    }

    /// The root of a tree of `size` leaves of which `leaf` is the one at `index` and these are the siblings, from the leaf up.
    function rootWith(Kind kind, bytes32 leaf, uint256 index, uint256 size, bytes32[] memory siblings)
        internal
        pure
        returns (bytes32)
    {
        if (size == 1) return leaf;
        bytes32[] memory below = new bytes32[](siblings.length - 1);
        for (uint256 i = 0; i < below.length; ++i) {
            below[i] = siblings[i];
        }
        bytes32 last = siblings[below.length];
        uint256 split = splitOf(size);
        return index < split
            ? nodeOf(kind, rootWith(kind, leaf, index, split, below), last)
            : nodeOf(kind, last, rootWith(kind, leaf, index - split, size - split, below));
    }
}
