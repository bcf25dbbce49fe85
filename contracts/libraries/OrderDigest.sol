// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { CANCEL_TYPEHASH } from "../types/Cancel.sol";
import { ORDER_TYPEHASH, Order } from "../types/Order.sol";
import { OrderLists } from "./OrderLists.sol";

/// @title What an account signs
/// @notice The EIP-712 digest of an order, or of a cancellation, whose type ends with the deadline; and of a schedule, which is
/// an account and an array of either.
library OrderDigest {
    using OrderLists for OrderLists.List;

    bytes32 private constant SCHEDULE_TYPEHASH = keccak256(
        "Schedule(address account,Order[] orders)Order(uint32 market,uint32 slot,uint32 meter,uint16 version,uint40 deadline,uint8 side,uint32 energyWh,uint64 limitPrice)"
    );
    bytes32 private constant CANCEL_SCHEDULE_TYPEHASH = keccak256(
        "CancelSchedule(address account,Cancel[] cancels)Cancel(uint32 market,uint32 slot,uint32 meter,uint16 version,uint40 deadline)"
    );
    uint256 private constant ORDER_WORDS = 9;
    uint256 private constant CANCEL_WORDS = 6;

    /// @param domain the auction's domain separator
    function digest(Order order, bytes32 domain, bool cancelling) internal pure returns (bytes32) {
        return seal(_structHash(order, cancelling), domain);
    }

    /// hashStruct of each order.
    function hashesOf(OrderLists.List memory list, bool cancelling) internal pure returns (bytes32[] memory hashes) {
        hashes = new bytes32[](list.count);
        for (uint256 i = 0; i < hashes.length; ++i) {
            hashes[i] = _structHash(list.orderAt(i), cancelling);
        }
    }

    /// @param hashes those of the schedule's orders or cancellations
    function digestOfSchedule(bytes32[] memory hashes, address account, bytes32 domain, bool cancelling)
        internal
        pure
        returns (bytes32)
    {
        bytes32 typeHash = cancelling ? CANCEL_SCHEDULE_TYPEHASH : SCHEDULE_TYPEHASH;
        return seal(keccak256(abi.encode(typeHash, account, keccak256(abi.encodePacked(hashes)))), domain);
    }

    function _structHash(Order order, bool cancelling) private pure returns (bytes32 hash) {
        bytes32 typeHash = cancelling ? CANCEL_TYPEHASH : ORDER_TYPEHASH;
        uint256 size = (cancelling ? CANCEL_WORDS : ORDER_WORDS) * 0x20;
        assembly ("memory-safe") {
            // beyond the free pointer, and not kept
            let place := mload(0x40)
            mstore(place, typeHash)
            mstore(add(place, 0x20), shr(224, order))
            mstore(add(place, 0x40), and(shr(192, order), 0xffffffff))
            mstore(add(place, 0x60), and(shr(160, order), 0xffffffff))
            mstore(add(place, 0x80), and(shr(144, order), 0xffff))
            mstore(add(place, 0xa0), and(shr(104, order), 0xffffffffff))
            mstore(add(place, 0xc0), and(shr(96, order), 0xff))
            mstore(add(place, 0xe0), and(shr(64, order), 0xffffffff))
            mstore(add(place, 0x100), and(order, 0xffffffffffffffff))
            hash := keccak256(place, size)
        }
    }

    /// The digest of a struct in a domain.
    function seal(bytes32 structHash, bytes32 domain) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let place := mload(0x40)
            mstore(place, hex"1901")
            mstore(add(place, 0x02), domain)
            mstore(add(place, 0x22), structHash)
            hash := keccak256(place, 0x42)
        }
    }
}
