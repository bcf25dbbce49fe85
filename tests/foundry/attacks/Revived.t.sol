// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IEnergyAuction } from "../../../contracts/interfaces/IEnergyAuction.sol";
import { IVault } from "../../../contracts/interfaces/IVault.sol";
import { BID, SignedOrder } from "../../../contracts/types/Order.sol";
import { Feeder, Home } from "../auction/Feeder.sol";
import { vm } from "../support/Vm.sol";

/// A refused order revived: it is a signed word for as long as its deadline says, so whoever has it may bring it again. What
/// the home signed it for is what it may cost, and a newer version or a cancellation ends it before.
contract RevivedTest is Feeder {
    Home private home;
    SignedOrder private refused;

    /// A home without money orders, and is refused.
    function setUp() public override {
        super.setUp();
        home = _home(2);
        vm.prank(home.owner.addr);
        vault.withdraw(home.owner.addr, 10_000_000);
        refused = _signedBy(home.owner, _order(home, 1, BID, 1_000, 250_000));
        assertReason(_place(refused), IVault.AvailableTooSmall.selector, "no money");
    }

    function test_a_refused_order__given_money_later__is_placed_by_anyone_once_and_for_its_limit() external {
        _deposit(home.owner.addr, 1_000_000);
        vm.warp(block.timestamp + 1 hours);
        _assertPlaced(_revive());
        assertEq(_availableOf(home.owner.addr), 750_000, "0.25 x 1 kWh, as signed");
        assertReason(_revive(), IEnergyAuction.VersionNotNewer.selector, "once");
        assertEq(_availableOf(home.owner.addr), 750_000, "no more than that");
    }

    function test_a_refused_order__given_its_deadline_has_passed__is_dead() external {
        _deposit(home.owner.addr, 1_000_000);
        vm.warp(block.timestamp + 1 hours + 1);
        assertReason(_revive(), IEnergyAuction.OrderExpired.selector, "whoever brings it");
        assertEq(_availableOf(home.owner.addr), 1_000_000, "nothing is locked");
    }

    function test_a_refused_order__given_its_gate_has_closed__is_dead() external {
        refused = _signedBy(home.owner, _pack(MARKET, SLOT, home.meter, 1, type(uint40).max, BID, 1_000, 250_000));
        _deposit(home.owner.addr, 1_000_000);
        vm.warp(_gateOf(SLOT));
        assertReason(_revive(), IEnergyAuction.GateClosed.selector, "whatever its deadline");
        assertEq(_availableOf(home.owner.addr), 1_000_000, "nothing is locked");
    }

    function test_a_refused_order__given_a_newer_version__is_dead() external {
        _deposit(home.owner.addr, 1_000_000);
        _assertPlaced(_place(_signedBy(home.owner, _order(home, 2, BID, 10, 250_000))));
        assertReason(_revive(), IEnergyAuction.VersionNotNewer.selector, "the home thought better of it");
        assertEq(_availableOf(home.owner.addr), 1_000_000 - 2_500, "10 Wh are locked");
    }

    /// There is nothing to cancel yet; the cancellation is kept all the same, and costs nothing.
    function test_a_refused_order__given_a_cancellation__is_dead_before_the_money_comes() external {
        assertReason(_cancelOne(_signedBy(home.owner, _cancel(home, 1))), 0, "kept, by a home without money");
        _deposit(home.owner.addr, 1_000_000);
        assertReason(_revive(), IEnergyAuction.VersionNotNewer.selector, "cancelled before it was placed");
        assertEq(_availableOf(home.owner.addr), 1_000_000, "nothing is locked");
    }

    function test_a_refused_order__given_a_utility_that_owed__waits_for_its_payment() external {
        Home memory neighbour = _home(4);
        uint256 amount = vault.withdrawableOf(utility.addr);
        vm.prank(utility.addr);
        vault.withdraw(utility.addr, amount);
        vm.warp(_endOf(FIRST_SLOT));
        assertReason(_settle(neighbour, FIRST_SLOT, 1, 0, 3_000), 0, "it owes 0.24");
        _deposit(home.owner.addr, 1_000_000);
        assertReason(_revive(), IEnergyAuction.UtilityInArrears.selector, "while it owes");
        _deposit(utility.addr, amount);
        _assertPlaced(_revive());
        assertEq(_availableOf(home.owner.addr), 750_000, "as signed");
        assertEq(_availableOf(neighbour.owner.addr), 10_240_000, "and the neighbour has its due");
    }

    /// Anybody has the bytes: they stand in the transaction that was refused.
    function _revive() private returns (bytes4) {
        SignedOrder memory signed = refused;
        SignedOrder[] memory orders = new SignedOrder[](1);
        orders[0] = signed;
        vm.recordLogs();
        vm.prank(stranger.addr);
        auction.place(orders);
        return _reasonsOf(vm.getRecordedLogs(), 1)[0];
    }
}
