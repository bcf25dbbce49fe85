// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// @title Calls laid out once
/// @notice A batch writes its items straight into the call that takes them and reads the answer where it lies; the compiler would
/// copy each from struct to struct on either side. Places are addresses in memory.
/// Warning: nothing here checks bounds. The caller opens room for all that it sets, and sets all of it.
library Calls {
    /// Room for a call of `selector` with `count` words of arguments.
    /// @return arguments the place of the first
    function open(bytes4 selector, uint256 count) internal pure returns (uint256 arguments) {
        assembly ("memory-safe") {
            let place := mload(0x40)
            mstore(place, shr(224, selector))
            arguments := add(place, 0x20)
            mstore(0x40, add(arguments, shl(5, count)))
        }
    }

    /// Makes it a call of another function with the same arguments.
    function retarget(uint256 arguments, bytes4 selector) internal pure {
        assembly ("memory-safe") {
            mstore(sub(arguments, 0x20), shr(224, selector))
        }
    }

    function set(uint256 place, uint256 index, uint256 word) internal pure {
        assembly ("memory-safe") {
            mstore(add(place, shl(5, index)), word)
        }
    }

    function get(uint256 place, uint256 index) internal pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(place, shl(5, index)))
        }
    }

    /// Asks `target` with `count` words of arguments by static call; a revert is passed on.
    /// @return answer the place of what it returned, at least `least` words
    function ask(address target, uint256 arguments, uint256 count, uint256 least)
        internal
        view
        returns (uint256 answer)
    {
        assembly ("memory-safe") {
            answer := mload(0x40)
            // the selector lies in the four bytes before the arguments
            let done := staticcall(gas(), target, sub(arguments, 4), add(shl(5, count), 4), 0, 0)
            returndatacopy(answer, 0, returndatasize())
            if iszero(done) { revert(answer, returndatasize()) }
            if lt(returndatasize(), shl(5, least)) { revert(0, 0) }
            mstore(0x40, add(answer, and(add(returndatasize(), 31), not(31))))
        }
    }

    /// The same by a call that may change something.
    function send(address target, uint256 arguments, uint256 count, uint256 least) internal returns (uint256 answer) {
        assembly ("memory-safe") {
            answer := mload(0x40)
            let done := call(gas(), target, 0, sub(arguments, 4), add(shl(5, count), 4), 0, 0)
            returndatacopy(answer, 0, returndatasize())
            if iszero(done) { revert(answer, returndatasize()) }
            if lt(returndatasize(), shl(5, least)) { revert(0, 0) }
            mstore(0x40, add(answer, and(add(returndatasize(), 31), not(31))))
        }
    }
}
