// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IDeviceRegistry } from "../../../contracts/interfaces/IDeviceRegistry.sol";
import { IMeterLedger } from "../../../contracts/interfaces/IMeterLedger.sol";
import { IVault } from "../../../contracts/interfaces/IVault.sol";
import { ASK } from "../../../contracts/types/Order.sol";
import { Feeder, Home } from "../auction/Feeder.sol";
import { vm } from "../support/Vm.sol";

/// Huge exports by an owner who holds the meter's key, and suspension into a shortfall.
contract MeterTest is Feeder {
    IDeviceRegistry.Status private constant SUSPENDED = IDeviceRegistry.Status.Suspended;
    IDeviceRegistry.Status private constant REVOKED = IDeviceRegistry.Status.Revoked;
    /// What 12 kW give in a slot: 3 kWh at 0.08.
    uint256 private constant MOST = 240_000;

    Home private thief;
    Home private buyer;

    function setUp() public override {
        super.setUp();
        (thief, buyer) = (_home(2), _home(4));
    }

    // --------------------------------------------------------------------- huge exports by an owner who holds the meter's key

    function test_huge_exports__given_more_than_the_wire_carries__are_refused(uint32 exportWh) external {
        vm.warp(_endOf(SLOT));
        exportWh = uint32(_bound(exportWh, 3_001, type(uint32).max));
        bytes4 reason = _settle(thief, SLOT, 1, 0, exportWh);
        assertReason(reason, IMeterLedger.ReadingAboveCapacity.selector, "12 kW are 3,000 Wh a slot");
        assertEq(_worthOf(thief.owner.addr), 10_000_000, "nothing gained");
        assertEq(_worthOf(utility.addr), 1_000_000_000, "nothing lost");
    }

    function test_huge_exports__given_all_that_the_wire_carries__cannot_leave_in_the_window() external {
        for (uint32 slot = SLOT; slot < SLOT + 4; ++slot) {
            vm.warp(_endOf(slot));
            assertReason(_settle(thief, slot, 1, 0, 3_000), 0, "within capacity");
        }
        assertEq(_worthOf(thief.owner.addr), int256(10_000_000 + 4 * MOST), "credited");
        vm.warp(_correctionEndOf(SLOT + 3) - 1);
        assertEq(vault.withdrawableOf(thief.owner.addr), 10_000_000, "only what was its own may leave");
        vm.prank(thief.owner.addr);
        vm.expectPartialRevert(IVault.WithdrawalAboveWithdrawable.selector);
        vault.withdraw(thief.owner.addr, 10_000_001);
    }

    /// Found out after four slots: no further one is believed, and what the meter itself reads takes back the rest.
    function test_huge_exports__given_a_correction_in_the_window__brought_nothing() external {
        for (uint32 slot = SLOT; slot < SLOT + 4; ++slot) {
            vm.warp(_endOf(slot));
            _settle(thief, slot, 1, 0, 3_000);
        }
        _withdrawAll(thief);
        _setStatus(thief.device.id, REVOKED, operator);
        vm.warp(_endOf(SLOT + 6));
        bytes4 reason = _settle(thief, SLOT + 6, 1, 0, 3_000);
        assertReason(reason, IDeviceRegistry.DeviceRevoked.selector, "from the next gate on");
        for (uint32 slot = SLOT; slot < SLOT + 4; ++slot) {
            assertReason(_settle(thief, slot, 2, 0, 0), 0, "as it was");
        }
        assertEq(currency.balanceOf(thief.owner.addr), 10_000_000, "it took what was its own");
        assertEq(_worthOf(thief.owner.addr), 0, "nothing more is there, nothing is owed");
        assertEq(_availableOf(utility.addr), 1_000_000_000, "the utility has all of it again");
    }

    /// Nobody corrects: what a revoked key brought is the capacity at feed-in, slot by slot until then.
    function test_huge_exports__given_no_correction__bring_capacity_at_feed_in_until_the_revocation() external {
        for (uint32 slot = SLOT; slot < SLOT + 8; ++slot) {
            vm.warp(_endOf(slot) - 1);
            if (slot == SLOT + 4) _setStatus(thief.device.id, REVOKED, operator);
            vm.warp(_endOf(slot));
            _settle(thief, slot, 1, 0, 3_000);
        }
        assertEq(_worthOf(thief.owner.addr), int256(10_000_000 + 6 * MOST), "the sixth slot's gate had closed");
        assertEq(_worthOf(utility.addr), int256(1_000_000_000 - 6 * MOST), "that and no more");
    }

    /// A sale that was never delivered is trade money, which may leave; the correction writes down what it cost.
    function test_huge_exports__given_a_sale_that_they_cover__end_as_an_arrear() external {
        _ask(thief, 3_000, 300_000);
        _bid(buyer, 3_000, 340_000);
        vm.warp(_endOf(SLOT));
        _settle(thief, SLOT, 1, 0, 3_000);
        _withdrawAll(thief);
        assertEq(currency.balanceOf(thief.owner.addr), 10_900_000, "its own and 3 kWh at 0.30");
        assertReason(_settle(thief, SLOT, 2, 0, 0), 0, "as it was");
        assertEq(_arrearOf(thief.owner.addr), 1_080_000, "3 kWh at retail, more than the sale brought");
        assertReason(
            _place(_signedBy(thief.owner, _orderAt(SLOT + 9, thief, 1, ASK, 3_000, 300_000))),
            IVault.InArrears.selector,
            "and it sells no more"
        );
        assertReason(_settle(buyer, SLOT, 1, 3_000, 0), 0, "the buyer");
        assertEq(_worthOf(buyer.owner.addr), 10_000_000 - 1_020_000, "had what it paid for: 3 kWh at 0.34");
    }

    // ----------------------------------------------------------------------------------------- suspension into a shortfall

    /// The grid operator suspends a seller's meter once it can no longer take back its order, at whatever moment: its reading
    /// counts as if nothing had happened.
    function test_suspension_into_a_shortfall__given_the_gate_has_closed__changes_nothing(uint256 into) public {
        Home memory seller = thief;
        _ask(seller, 3_000, 200_000);
        _bid(buyer, 3_000, 240_000);
        vm.warp(_gateOf(SLOT) + _bound(into, 0, 2 * SLOT_LENGTH + 5 hours));
        uint256 start = vm.snapshotState();
        (int256 sellers, int256 operators) = _delivered(seller);
        vm.revertToState(start);
        _setStatus(seller.device.id, SUSPENDED, operator);
        (int256 suspended, int256 suspending) = _delivered(seller);
        assertEq(suspended, sellers, "3 kWh sold and delivered");
        assertEq(sellers, 10_600_000, "at 0.20");
        assertEq(suspending, operators, "and who suspended gained nothing");
    }

    /// In that second nothing can be taken back any more.
    function test_suspension_into_a_shortfall__given_the_second_of_the_gate__changes_nothing() external {
        test_suspension_into_a_shortfall__given_the_gate_has_closed__changes_nothing(0);
    }

    function test_suspension_into_a_shortfall__given_a_correction_of_that_slot__takes_it_too() external {
        Home memory seller = thief;
        _ask(seller, 3_000, 200_000);
        _bid(buyer, 3_000, 240_000);
        vm.warp(_gateOf(SLOT) + 1);
        _setStatus(seller.device.id, SUSPENDED, operator);
        vm.warp(uint256(SLOT) * SLOT_LENGTH + 1);
        _setStatus(seller.device.id, IDeviceRegistry.Status.Active, operator);
        _setStatus(seller.device.id, SUSPENDED, operator);
        vm.warp(_deadlineOf(SLOT));
        auction.clear(MARKET, SLOT);
        _settleByDefault(seller, SLOT);
        assertEq(_worthOf(seller.owner.addr), 10_600_000 - 1_080_000 - 180_000, "taken for silent");
        assertReason(_settle(seller, SLOT, 1, 0, 3_000), 0, "its reading comes");
        assertEq(_worthOf(seller.owner.addr), 10_600_000, "and all is as it should be");
        bytes4 reason = _settle(seller, SLOT + 2, 1, 0, 3_000);
        assertReason(reason, IDeviceRegistry.DeviceSuspended.selector, "a slot whose gate was open is not believed");
    }

    // ------------------------------------------------------------------------------------------------------------ helpers

    /// What the seller and the grid operator have once both have read what they traded.
    function _delivered(Home memory seller) private returns (int256 sellers, int256 operators) {
        if (block.timestamp < _endOf(SLOT)) vm.warp(_endOf(SLOT));
        assertReason(_settle(seller, SLOT, 1, 0, 3_000), 0, "it counts");
        assertReason(_settle(buyer, SLOT, 1, 3_000, 0), 0, "the buyer's");
        return (_worthOf(seller.owner.addr), _worthOf(gridOperator.addr));
    }

    function _withdrawAll(Home memory home) private {
        uint256 amount = vault.withdrawableOf(home.owner.addr);
        vm.prank(home.owner.addr);
        vault.withdraw(home.owner.addr, amount);
    }
}
