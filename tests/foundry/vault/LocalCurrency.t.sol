// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IAccessManaged } from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";

import { House } from "../support/House.sol";
import { vm } from "../support/Vm.sol";

contract LocalCurrencyTest is House {
    function test_mint__given_not_a_minter__reverts() external {
        vm.prank(stranger.addr);
        vm.expectRevert(
            abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger.addr)
        );
        currency.mint(stranger.addr, 1);
    }

    function test_mint__given_a_minter__issues() external {
        currency.mint(prosumer.addr, 7);
        assertEq(currency.balanceOf(prosumer.addr), 7, "balance");
        assertEq(currency.totalSupply(), 7, "supply");
    }

    function test_decimals__given_the_currency__are_six() external view {
        assertEq(currency.decimals(), 6, "millionths");
        assertEq(currency.name(), "Gridweave Local Currency", "name");
        assertEq(currency.symbol(), "GWC", "symbol");
    }
}
