// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { READING_TYPEHASH, Reading } from "../types/Reading.sol";

/// @title The EIP-712 digest that a device signs, in scratch memory
library ReadingDigest {
    function digest(Reading reading, bytes32 domain) internal pure returns (bytes32 hash) {
        bytes32 typeHash = READING_TYPEHASH;
        assembly ("memory-safe") {
            let place := mload(0x40)
            mstore(place, typeHash)
            mstore(add(place, 0x20), shr(224, reading))
            mstore(add(place, 0x40), and(shr(192, reading), 0xffffffff))
            mstore(add(place, 0x60), and(shr(184, reading), 0xff))
            mstore(add(place, 0x80), and(shr(152, reading), 0xffffffff))
            mstore(add(place, 0xa0), and(shr(120, reading), 0xffffffff))
            let structHash := keccak256(place, 0xc0)
            mstore(place, hex"1901")
            mstore(add(place, 0x02), domain)
            mstore(add(place, 0x22), structHash)
            hash := keccak256(place, 0x42)
        }
    }
}
