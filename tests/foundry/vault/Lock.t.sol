// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IAccessManaged } from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";

import { IVault } from "../../../contracts/interfaces/IVault.sol";
import { vm } from "../support/Vm.sol";
import { VaultTest } from "./VaultTest.sol";

contract LockTest is VaultTest {
    function setUp() public override {
        super.setUp();
        _deposit(home, 100);
    }

    function test_lock__given_not_a_module__reverts() external {
        vm.prank(stranger.addr);
        vm.expectRevert(
            abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger.addr)
        );
        vault.lock(new IVault.Lock[](1));
    }

    function test_lock__given_more_out_than_the_pot_holds__reverts() external {
        _lock(home, 10);
        IVault.Lock[] memory items = new IVault.Lock[](1);
        items[0] = IVault.Lock(home, -11, REF);
        vm.prank(module);
        vm.expectRevert(abi.encodeWithSelector(IVault.PotTooSmall.selector, module, 10, 11));
        vault.lock(items);
    }

    function test_lock__given_another_modules_pot__reverts() external {
        _lock(home, 10);
        address other = address(0x30E);
        _grant(3, other);
        IVault.Lock[] memory items = new IVault.Lock[](1);
        items[0] = IVault.Lock(home, -1, REF);
        vm.prank(other);
        vm.expectRevert(abi.encodeWithSelector(IVault.PotTooSmall.selector, other, 0, 1));
        vault.lock(items);
    }

    function test_lock__given_the_least_amount_out__reverts_without_overflow() external {
        IVault.Lock[] memory items = new IVault.Lock[](1);
        items[0] = IVault.Lock(home, type(int96).min, REF);
        vm.prank(module);
        vm.expectRevert(abi.encodeWithSelector(IVault.PotTooSmall.selector, module, 0, uint256(1) << 95));
        vault.lock(items);
    }

    function test_lock__given_too_little_available__refuses_that_item_alone() external {
        IVault.Lock[] memory items = new IVault.Lock[](4);
        items[0] = IVault.Lock(home, 60, "first");
        items[1] = IVault.Lock(home, 41, "too much");
        items[2] = IVault.Lock(neighbour, 1, "nothing there");
        items[3] = IVault.Lock(home, 40, "last");
        vm.prank(module);
        bytes4[] memory reasons = vault.lock(items);

        assertEq(reasons.length, 4, "a reason per item");
        assertReason(reasons[0], 0, "first");
        assertReason(reasons[1], IVault.AvailableTooSmall.selector, "too much");
        assertReason(reasons[2], IVault.AvailableTooSmall.selector, "nothing there");
        assertReason(reasons[3], 0, "last");
        assertEq(_availableOf(home), 0, "available == 100 - 60 - 40");
        assertEq(vault.potOf(module), 100, "pot == 60 + 40");
    }

    function test_lock__given_the_most_an_item_can_ask__refuses_it() external {
        assertReason(_lock(home, type(int96).max), IVault.AvailableTooSmall.selector, "2^95 - 1");
        assertEq(_availableOf(home), 100, "nothing moved");
    }

    function test_lock__given_an_arrear__refuses_more_but_lets_out() external {
        _lock(home, 20);
        _owe(home, utility.addr, 5);

        assertReason(_lock(home, 1), IVault.InArrears.selector, "in");
        assertReason(_lock(home, 0), 0, "nothing");
        assertReason(_lock(home, -8), 0, "out");

        _assertAccount(home, 83, 0, 0, "what came out paid the arrear first");
        assertEq(_availableOf(utility.addr), 5, "the utility is paid");
    }

    function test_lock__given_a_debt_to_the_account__counts_only_what_it_has() external {
        _owe(utility.addr, neighbour, 50);
        assertReason(_lock(neighbour, 1), IVault.AvailableTooSmall.selector, "a claim is no collateral");
    }

    function test_lock__given_enough__moves_into_the_callers_pot() external {
        vm.expectEmit(address(vault));
        emit IVault.Locked(home, module, REF, 60, 40);
        assertReason(_lock(home, 60), 0, "locked");

        vm.expectEmit(address(vault));
        emit IVault.Locked(home, module, REF, -25, 65);
        assertReason(_lock(home, -25), 0, "released");

        assertEq(vault.potOf(module), 35, "pot == 60 - 25");
        assertEq(vault.totalTracked(), 100, "totalTracked is as before");
    }

    function test_lock__given_amount_zero__moves_and_logs_nothing() external {
        vm.recordLogs();
        assertReason(_lock(home, 0), 0, "nothing");
        assertEq(vm.getRecordedLogs().length, 0, "no event");
    }
}
