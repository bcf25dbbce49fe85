// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// @title Words of memory by their place
/// @notice For batches that are laid out once, in the very form in which the next call or the return wants them, where the
/// compiler would copy each item from struct to struct. A place is an address in bytes; a word has 32 of them.
/// Warning: nothing here checks bounds. The caller allocates what it writes, and writes all of what it allocates.
library Words {
    /// Address of `count` fresh words, whatever they held.
    function allocate(uint256 count) internal pure returns (uint256 place) {
        assembly ("memory-safe") {
            place := mload(0x40)
            mstore(0x40, add(place, shl(5, count)))
        }
    }

    function load(uint256 place) internal pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(place)
        }
    }

    function store(uint256 place, uint256 word) internal pure {
        assembly ("memory-safe") {
            mstore(place, word)
        }
    }

    /// Calls `target` with `size` bytes from `place` on and keeps what it returns, at least `least` bytes, in fresh memory.
    /// A revert is passed on.
    function ask(address target, uint256 place, uint256 size, uint256 least) internal view returns (uint256 answer) {
        assembly ("memory-safe") {
            answer := mload(0x40)
            let done := staticcall(gas(), target, place, size, 0, 0)
            returndatacopy(answer, 0, returndatasize())
            if iszero(done) { revert(answer, returndatasize()) }
            if lt(returndatasize(), least) { revert(0, 0) }
            mstore(0x40, add(answer, and(add(returndatasize(), 31), not(31))))
        }
    }

    /// Ends the call and returns `count` words from `place` on.
    function finish(uint256 place, uint256 count) internal pure {
        assembly ("memory-safe") {
            return(place, shl(5, count))
        }
    }
}
