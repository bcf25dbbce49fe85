// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { BATCH_TYPEHASH, Batch } from "../types/Batch.sol";
import { Span } from "../types/Span.sol";

/// @title What is hashed of a batch, in scratch memory
library BatchHashes {
    /// The EIP-712 hash of what the device signs, without its domain: the batch's head.
    function headOf(Batch calldata batch) internal pure returns (bytes32 head) {
        bytes32 typeHash = BATCH_TYPEHASH;
        assembly ("memory-safe") {
            let place := mload(0x40)
            let span := calldataload(add(batch, 0x40))
            mstore(place, typeHash)
            mstore(add(place, 0x20), calldataload(batch))
            mstore(add(place, 0x40), shr(208, span))
            mstore(add(place, 0x60), and(shr(176, span), 0xffffffff))
            mstore(add(place, 0x80), and(shr(128, span), 0xffffffffffff))
            mstore(add(place, 0xa0), and(shr(80, span), 0xffffffffffff))
            mstore(add(place, 0xc0), and(shr(48, span), 0xffffffff))
            // previousHead, root, bodyHash
            calldatacopy(add(place, 0xe0), add(batch, 0x60), 0x60)
            head := keccak256(place, 0x140)
        }
    }

    /// A batch's leaf in its page. Three words, where a node is two: neither passes for the other.
    function leafOf(Span span, bytes32 root, uint256 blockNumber, uint256 anchoredAt)
        internal
        pure
        returns (bytes32 leaf)
    {
        assembly ("memory-safe") {
            let place := mload(0x40)
            mstore(place, span)
            mstore(add(place, 0x20), root)
            mstore(add(place, 0x40), or(shl(64, blockNumber), anchoredAt))
            leaf := keccak256(place, 0x60)
        }
    }
}
