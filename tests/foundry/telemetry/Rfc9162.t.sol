// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { Rfc9162 } from "../../../contracts/libraries/Rfc9162.sol";
import { Test } from "../support/Test.sol";
import { Trees } from "./Trees.sol";

/// The contract's loops against the definitions of RFC 9162, section 2.1, and against trees that others have computed.
contract Rfc9162Test is Test {
    uint256 private constant MOST = 40;

    /// The tree that Certificate Transparency's own tests use: roots of its first 1 to 8 leaves.
    function test_rootOf__given_the_trees_of_certificate_transparency__is_their_root() external view {
        bytes[8] memory inputs = [
            bytes(""),
            hex"00",
            hex"10",
            hex"2021",
            hex"3031",
            hex"40414243",
            hex"5051525354555657",
            hex"606162636465666768696a6b6c6d6e6f"
        ];
        bytes32[8] memory roots = [
            bytes32(0x6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d),
            0xfac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125,
            0xaeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77,
            0xd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7,
            0x4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4,
            0x76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef,
            0xddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c,
            0x5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328
        ];
        bytes32[] memory leaves = new bytes32[](8);
        for (uint256 i = 0; i < 8; ++i) {
            leaves[i] = sha256(abi.encodePacked(bytes1(0x00), inputs[i]));
            assertEq(this.rootOfRange(i + 1, leaves, 0, i + 1, new bytes32[](0)), roots[i], "root");
        }
    }

    function test_rootOf__given_every_leaf_of_every_size__leads_to_the_root() external view {
        for (uint256 size = 1; size <= MOST; ++size) {
            bytes32[] memory leaves = _leaves(size);
            bytes32 root = Trees.rootOf(Trees.Kind.Sha256, leaves);
            for (uint256 index = 0; index < size; ++index) {
                bytes32[] memory path = Trees.pathOf(Trees.Kind.Sha256, leaves, index);
                assertEq(this.pathLength(index, size), path.length, "length");
                assertEq(this.rootOf(leaves[index], index, size, path), root, "root");
            }
        }
    }

    /// No other place, size, leaf or order of siblings leads there.
    function test_rootOf__given_anything_else__leads_elsewhere(uint256 seed) external view {
        uint256 size = 2 + seed % (MOST - 1);
        uint256 index = (seed >> 16) % size;
        bytes32[] memory leaves = _leaves(size);
        bytes32 root = Trees.rootOf(Trees.Kind.Sha256, leaves);
        bytes32[] memory path = Trees.pathOf(Trees.Kind.Sha256, leaves, index);
        for (uint256 other = 0; other < size; ++other) {
            if (other == index || this.pathLength(other, size) != path.length) continue;
            assertFalse(this.rootOf(leaves[index], other, size, path) == root, "another place");
            assertFalse(this.rootOf(leaves[other], index, size, path) == root, "another leaf");
        }
        if (path.length > 1) {
            (path[0], path[1]) = (path[1], path[0]);
            assertFalse(this.rootOf(leaves[index], index, size, path) == root, "another order");
        }
    }

    function test_rootOf__given_every_range_of_every_size__leads_to_the_root() external view {
        for (uint256 size = 1; size <= 20; ++size) {
            bytes32[] memory leaves = _leaves(size);
            bytes32 root = Trees.rootOf(Trees.Kind.Sha256, leaves);
            for (uint256 first = 0; first < size; ++first) {
                for (uint256 end = first + 1; end <= size; ++end) {
                    bytes32[] memory outside = Trees.outsideOf(leaves, 0, size, first, end);
                    assertEq(this.outsideOf(size, first, end), outside.length, "hashes outside");
                    assertEq(this.rootOfRange(size, _part(leaves, first, end), first, end, outside), root, "root");
                }
            }
        }
    }

    function test_pathLength__given_large_trees__is_their_height_or_less() external view {
        assertEq(this.pathLength(0, 100_000), 17, "a leaf on the left");
        assertEq(this.pathLength(99_999, 100_000), 10, "the last one moves up");
        assertEq(this.pathLength(type(uint32).max, uint256(1) << 32), 32, "a full tree");
    }

    function rootOf(bytes32 leaf, uint256 index, uint256 size, bytes32[] calldata path)
        external
        view
        returns (bytes32)
    {
        (bytes32 root, uint256 used) = Rfc9162.rootOf(leaf, index, size, path);
        require(used == path.length, "another number of siblings");
        return root;
    }

    function pathLength(uint256 index, uint256 size) external view returns (uint256 used) {
        (, used) = Rfc9162.rootOf(bytes32(0), index, size, _none());
    }

    function rootOfRange(
        uint256 size,
        bytes32[] memory inside,
        uint256 first,
        uint256 end,
        bytes32[] calldata outside
    ) external view returns (bytes32) {
        return Rfc9162.rootOf(0, size, inside, outside, Rfc9162.Cursor(first, end, 0));
    }

    function outsideOf(uint256 size, uint256 first, uint256 end) external pure returns (uint256) {
        return Rfc9162.outsideOf(0, size, first, end);
    }

    function _none() private pure returns (bytes32[] calldata none) {
        assembly ("memory-safe") {
            none.offset := 0
            none.length := 0
        }
    }

    function _leaves(uint256 size) private pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](size);
        for (uint256 i = 0; i < size; ++i) {
            leaves[i] = keccak256(abi.encode("leaf", i));
        }
    }

    function _part(bytes32[] memory leaves, uint256 first, uint256 end) private pure returns (bytes32[] memory part) {
        part = new bytes32[](end - first);
        for (uint256 i = first; i < end; ++i) {
            part[i - first] = leaves[i];
        }
    }
}
