// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IAccessManaged } from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";

import { IVault } from "../../../contracts/interfaces/IVault.sol";
import { vm } from "../support/Vm.sol";
import { VaultTest } from "./VaultTest.sol";

contract SkimTest is VaultTest {
    address private constant FINDER = address(0xF1);

    function setUp() public override {
        super.setUp();
        _deposit(home, 100);
        _lock(home, 40);
    }

    function test_skim__given_not_the_admin__reverts() external {
        currency.mint(address(vault), 7);
        vm.prank(stranger.addr);
        vm.expectRevert(
            abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger.addr)
        );
        vault.skim(FINDER);
    }

    function test_skim__given_no_surplus__reverts() external {
        vm.prank(admin);
        vm.expectRevert(IVault.ZeroAmount.selector);
        vault.skim(FINDER);
    }

    function test_skim__given_a_bare_transfer__sends_just_that() external {
        currency.mint(address(vault), 7);

        vm.expectEmit(address(vault));
        emit IVault.Skimmed(FINDER, 7);
        vm.prank(admin);
        vault.skim(FINDER);

        assertEq(currency.balanceOf(FINDER), 7, "the surplus is sent");
        assertEq(currency.balanceOf(address(vault)), 100, "the deposits stay");
        assertEq(vault.totalTracked(), 100, "totalTracked is as before");
        _assertAccount(home, 60, 0, 0, "home");
        assertEq(vault.potOf(module), 40, "the pot is as before");
    }
}
