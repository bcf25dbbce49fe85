// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IAccessManaged } from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import { IAccessManager } from "@openzeppelin/contracts/access/manager/IAccessManager.sol";

import { IVault } from "../../../contracts/interfaces/IVault.sol";
import { Roles } from "../../../contracts/libraries/Roles.sol";
import { Feeder, Home } from "../auction/Feeder.sol";
import { vm } from "../support/Vm.sol";

/// A module that takes whatever an account has.
contract Robber {
    IVault private immutable _vault;
    address private immutable _thief;

    constructor(IVault vault, address thief) {
        (_vault, _thief) = (vault, thief);
    }

    function rob(address victim, int96 amount) external {
        IVault.Lock[] memory items = new IVault.Lock[](2);
        items[0] = IVault.Lock(victim, amount, 0);
        items[1] = IVault.Lock(_thief, -amount, 0);
        _vault.lock(items);
    }

    /// The victim is to owe the thief, by a mandate that it never gave.
    function indebt(address victim, int96 amount) external {
        IVault.Settlement memory settlement;
        (settlement.utility, settlement.operator) = (_thief, _thief);
        settlement.legs = new IVault.Leg[](1);
        settlement.legs[0] = IVault.Leg(victim, true, 0, -amount, 0, 0);
        _vault.settle(settlement);
    }

    function collect(address debtor) external {
        _vault.collect(debtor, _thief);
    }
}

/// A malicious module before its delay ends. The admin is the thief's friend; delays are as a deployment sets them.
contract ModuleTest is Feeder {
    uint32 private constant WEEK = 7 days;

    Robber private robber;
    Home private trader;
    Home private holder;
    Home private sleeper;

    function setUp() public override {
        super.setUp();
        vm.startPrank(admin);
        authority.setGrantDelay(Roles.MODULE, WEEK);
        authority.setTargetAdminDelay(address(vault), WEEK);
        vm.stopPrank();
        robber = new Robber(vault, stranger.addr);
        (trader, holder, sleeper) = (_home(2), _home(4), _home(6));
        _grant(Roles.MODULE, address(robber));
    }

    function test_a_malicious_module__given_any_time_before_its_week_is_over__moves_nothing(uint256 after_) external {
        vm.warp(START + _bound(after_, 0, WEEK - 1));
        _assertPowerless();
        assertEq(_availableOf(trader.owner.addr), 10_000_000, "nothing moved");
        assertEq(_availableOf(stranger.addr), 0, "nothing came");
    }

    function test_a_malicious_module__given_an_admin_in_a_hurry__finds_no_shorter_way() external {
        uint64 everybody = authority.PUBLIC_ROLE();
        vm.startPrank(admin);
        authority.setGrantDelay(Roles.MODULE, 0);
        authority.setTargetAdminDelay(address(vault), 0);
        authority.revokeRole(Roles.MODULE, address(robber));
        authority.grantRole(Roles.MODULE, address(robber), 0);
        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = IVault.lock.selector;
        vm.expectPartialRevert(IAccessManager.AccessManagerNotScheduled.selector);
        authority.setTargetFunctionRole(address(vault), selectors, everybody);
        vm.expectPartialRevert(IAccessManager.AccessManagerNotScheduled.selector);
        authority.updateAuthority(address(vault), address(robber));
        vm.stopPrank();
        vm.warp(START + WEEK - 1);
        _assertPowerless();
    }

    /// One cancels its order, one waits until its credit is free; both are gone before the module can reach anything. Who
    /// stays is robbed: that is what the week is for.
    function test_a_malicious_module__given_homes_that_leave_in_its_week__robs_who_stayed() external {
        _bid(trader, 1_000, 250_000);
        assertReason(_cancelOne(_signedBy(trader.owner, _cancel(trader, 2))), 0, "cancelled");
        assertEq(_leave(trader), 10_000_000, "left on the first day, with all of it");
        _ask(holder, 1_000, 200_000);
        vm.warp(_endOf(SLOT));
        assertReason(_settle(holder, SLOT, 1, 0, 500), 0, "it exports");
        assertEq(vault.withdrawableOf(holder.owner.addr), 10_000_000, "0.04 are held");
        vm.warp(START + 6 days);
        assertEq(_leave(holder), 10_040_000, "left on the sixth, credit and all");
        _assertPowerless();

        vm.warp(START + WEEK);
        robber.rob(sleeper.owner.addr, 10_000_000);
        assertEq(_availableOf(stranger.addr), 10_000_000, "the module has come");
        assertEq(_availableOf(sleeper.owner.addr), 0, "to who stayed");
        assertEq(currency.balanceOf(trader.owner.addr), 10_000_000, "and not to who left");
        assertEq(currency.balanceOf(holder.owner.addr), 10_040_000, "nor to the other");
    }

    // ------------------------------------------------------------------------------------------------------------ helpers

    function _assertPowerless() private {
        bytes memory refusal =
            abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, address(robber));
        vm.expectRevert(refusal);
        robber.rob(sleeper.owner.addr, 1);
        vm.expectRevert(refusal);
        robber.indebt(sleeper.owner.addr, 1);
        vm.expectRevert(refusal);
        robber.collect(utility.addr);
    }

    function _leave(Home memory home) private returns (uint256 amount) {
        amount = vault.withdrawableOf(home.owner.addr);
        vm.prank(home.owner.addr);
        vault.withdraw(home.owner.addr, amount);
    }
}
