// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { Test } from "./Test.sol";
import { vm } from "./Vm.sol";

/// Measures what one call costs inside the contract: its arguments are encoded before, and all it touches is cold. What a
/// test stores in its setUp counts as an earlier transaction; what it stores in the test itself does not.
abstract contract Gas is Test {
    event GasPerItem(string what, uint256 gas);

    function _measure(address target, bytes memory data, address[] memory touched) internal returns (uint256 used) {
        for (uint256 i = 0; i < touched.length; ++i) {
            vm.cool(touched[i]);
        }
        bool done;
        // By assembly, because the compiler would copy the arguments once more, word by word, at our cost.
        assembly ("memory-safe") {
            used := gas()
            done := call(gas(), target, 0, add(data, 0x20), mload(data), 0, 0)
            used := sub(used, gas())
        }
        assertTrue(done, "the measured call succeeds");
    }

    function _assertPerItem(string memory what, uint256 gas, uint256 items, uint256 limit) internal {
        emit GasPerItem(what, gas / items);
        assertLe(gas / items, limit, what);
    }
}
