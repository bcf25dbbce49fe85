// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { vm } from "./Vm.sol";

/// The few things every test says. A cheat code is only called to fail: it would make invariants ten times slower.
abstract contract Test {
    /// The invariant tester tells its handlers apart from everything else by this.
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    address[] private _targets;
    FuzzSelector[] private _selectors;

    function targetContracts() external view returns (address[] memory) {
        return _targets;
    }

    function targetSelectors() external view returns (FuzzSelector[] memory) {
        return _selectors;
    }

    function _fuzz(address handler, bytes4[] memory selectors) internal {
        _targets.push(handler);
        _selectors.push(FuzzSelector(handler, selectors));
    }

    /// `value` folded into [low, high].
    function _bound(uint256 value, uint256 low, uint256 high) internal pure returns (uint256) {
        if (value >= low && value <= high) return value;
        uint256 size = high - low + 1;
        return size == 0 ? value : low + value % size;
    }

    function _bound(int256 value, int256 low, int256 high) internal pure returns (int256) {
        uint256 folded = _bound(uint256(value) ^ (1 << 255), uint256(low) ^ (1 << 255), uint256(high) ^ (1 << 255));
        return int256(folded ^ (1 << 255));
    }

    function assertTrue(bool condition, string memory why) internal pure {
        if (!condition) vm.assertTrue(condition, why);
    }

    function assertFalse(bool condition, string memory why) internal pure {
        if (condition) vm.assertFalse(condition, why);
    }

    function assertEq(uint256 left, uint256 right, string memory why) internal pure {
        if (left != right) vm.assertEq(left, right, why);
    }

    function assertEq(int256 left, int256 right, string memory why) internal pure {
        if (left != right) vm.assertEq(left, right, why);
    }

    function assertEq(address left, address right, string memory why) internal pure {
        if (left != right) vm.assertEq(left, right, why);
    }

    function assertEq(bytes32 left, bytes32 right, string memory why) internal pure {
        if (left != right) vm.assertEq(left, right, why);
    }

    /// Reasons of refused items.
    function assertReason(bytes4 left, bytes4 right, string memory why) internal pure {
        if (left != right) vm.assertEq(bytes32(left), bytes32(right), why);
    }

    function assertEq(string memory left, string memory right, string memory why) internal pure {
        vm.assertEq(left, right, why);
    }

    function assertEq(bytes memory left, bytes memory right, string memory why) internal pure {
        vm.assertEq(left, right, why);
    }

    function assertLe(uint256 left, uint256 right, string memory why) internal pure {
        if (left > right) vm.assertLe(left, right, why);
    }

    function assertGe(uint256 left, uint256 right, string memory why) internal pure {
        if (left < right) vm.assertGe(left, right, why);
    }
}
