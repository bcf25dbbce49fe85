// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { Test } from "./Test.sol";
import { CallGas, vm } from "./Vm.sol";

/// Measures calls as transactions of their own: all that one touches is cold, its 21,000 and its bytes are paid. Forge makes a
/// transaction of each call where the contract says so (isolate, in its first line).
abstract contract Gas is Test {
    uint256 private constant INTRINSIC = 21_000;

    event log_named_uint(string key, uint256 val);
    event GasPerItem(string what, uint256 gas);

    /// Says what something costs; scripts/tools/gas.py keeps it in benchmarks/snapshots.
    function _snap(string memory what, uint256 gas, uint256 limit) internal {
        emit log_named_uint(what, gas);
        assertLe(gas, limit, what);
    }

    function _assertPerItem(string memory what, uint256 gas, uint256 items, uint256 limit) internal {
        emit GasPerItem(what, gas / items);
        assertLe(gas / items, limit, what);
    }

    /// Gas of the transaction that makes this call, nothing taken off for refunds.
    function _transactionGas(address target, bytes memory data) internal returns (uint256) {
        (bool done,) = address(0).call("");
        assertGe(vm.lastCallGas().gasTotalUsed, INTRINSIC, "a test that measures is isolated");
        (done,) = target.call(data);
        assertTrue(done, "the measured call succeeds");
        CallGas memory gas = vm.lastCallGas();
        return gas.gasTotalUsed + uint64(gas.gasRefunded);
    }

    /// What of that is execution.
    function _executionGas(address target, bytes memory data) internal returns (uint256 gas) {
        gas = _transactionGas(target, data) - INTRINSIC;
        for (uint256 i = 0; i < data.length; ++i) {
            gas -= data[i] == 0 ? 4 : 16;
        }
    }
}
