// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { Cancel, SignedCancel } from "../types/Cancel.sol";
import { Order, SignedOrder } from "../types/Order.sol";

/// @title Orders where they lie in the call's data
/// @notice Each with its signature behind it, or, in a schedule, bare. A cancellation is laid out as an order without side, energy
/// and limit.
/// @dev Warning: nothing here checks bounds; an index is below `count`.
library OrderLists {
    struct List {
        uint256 place; // of the first order
        uint256 count;
        uint256 stride; // bytes from one to the next
    }

    function listOf(SignedOrder[] calldata orders) internal pure returns (List memory list) {
        assembly ("memory-safe") {
            mstore(list, orders.offset)
            mstore(add(list, 0x20), orders.length)
            mstore(add(list, 0x40), 0x60)
        }
    }

    function listOf(SignedCancel[] calldata cancels) internal pure returns (List memory list) {
        assembly ("memory-safe") {
            mstore(list, cancels.offset)
            mstore(add(list, 0x20), cancels.length)
            mstore(add(list, 0x40), 0x60)
        }
    }

    function listOf(Order[] calldata orders) internal pure returns (List memory list) {
        assembly ("memory-safe") {
            mstore(list, orders.offset)
            mstore(add(list, 0x20), orders.length)
            mstore(add(list, 0x40), 0x20)
        }
    }

    function listOf(Cancel[] calldata cancels) internal pure returns (List memory list) {
        assembly ("memory-safe") {
            mstore(list, cancels.offset)
            mstore(add(list, 0x20), cancels.length)
            mstore(add(list, 0x40), 0x20)
        }
    }

    function orderAt(List memory list, uint256 index) internal pure returns (Order order) {
        assembly ("memory-safe") {
            order := calldataload(add(mload(list), mul(index, mload(add(list, 0x40)))))
        }
    }

    /// @dev Not of a schedule.
    function signatureAt(List memory list, uint256 index) internal pure returns (bytes32 r, bytes32 vs) {
        assembly ("memory-safe") {
            let place := add(mload(list), mul(index, mload(add(list, 0x40))))
            r := calldataload(add(place, 0x20))
            vs := calldataload(add(place, 0x40))
        }
    }
}
