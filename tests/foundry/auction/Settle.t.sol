// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IEnergyAuction } from "../../../contracts/interfaces/IEnergyAuction.sol";
import { IMeterLedger } from "../../../contracts/interfaces/IMeterLedger.sol";
import { Cancel, SignedCancel } from "../../../contracts/types/Cancel.sol";
import { ASK, BID, Order } from "../../../contracts/types/Order.sol";
import { SignedReading } from "../../../contracts/types/Reading.sol";
import { vm } from "../support/Vm.sol";
import { Feeder, Home } from "./Feeder.sol";

/// settle
/// ├── given no such market, a slot too early or too late, too many: reverts
/// ├── given a bad reading: the ledger refuses it, nothing changes
/// └── else: collateral comes back, trade, fee and deviation are paid, and the last one closes the slot
///
/// A buyer of 1,000 Wh at 0.25 all-in and a seller of 400 Wh at 0.12 trade 400 Wh at 0.21 net.
contract SettleTest is Feeder {
    Home private buyer;
    Home private seller;

    function setUp() public override {
        super.setUp();
        buyer = _home(2);
        seller = _home(3); // with a P-256 key
        _bid(buyer, 1_000, 250_000);
        _ask(seller, 400, 120_000);
    }

    // ------------------------------------------------------------------------------------------------------ whole calls

    function test_settle__given_an_unknown_market__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IEnergyAuction.UnknownMarket.selector, 9));
        auction.settle(9, SLOT, new SignedReading[](0));
    }

    function test_settle__given_the_second_before_the_end__reverts() external {
        SignedReading[] memory readings = _readingOf(buyer, 1, 900, 0);
        vm.warp(_endOf(SLOT) - 1);
        vm.expectRevert(abi.encodeWithSelector(IMeterLedger.ReadingTooEarly.selector, SLOT, _endOf(SLOT)));
        auction.settle(MARKET, SLOT, readings);
        vm.warp(_endOf(SLOT));
        auction.settle(MARKET, SLOT, readings);
    }

    function test_settle__given_the_end_of_corrections__reverts_from_its_very_second() external {
        SignedReading[] memory readings = _readingOf(buyer, 1, 900, 0);
        vm.warp(_correctionEndOf(SLOT));
        bytes32 before = _stateOf(buyer, SLOT);
        vm.expectRevert(abi.encodeWithSelector(IEnergyAuction.ReadingTooLate.selector, SLOT, _correctionEndOf(SLOT)));
        auction.settle(MARKET, SLOT, readings);
        assertEq(_stateOf(buyer, SLOT), before, "nothing changed");
        vm.warp(_correctionEndOf(SLOT) - 1);
        auction.settle(MARKET, SLOT, readings);
    }

    function test_settle__given_too_many__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IEnergyAuction.BatchTooLarge.selector, 257, 256));
        auction.settle(MARKET, SLOT, new SignedReading[](257));
    }

    // ------------------------------------------------------------------------------------------------------ bad readings

    function test_settle__given_a_refused_reading__changes_nothing() external {
        vm.warp(_endOf(SLOT));
        auction.clear(MARKET, SLOT);
        _assertRefused(_signed(seller.device, _reading(buyer.meter, SLOT, 1, 900, 0)), "another's key");
        _assertRefused(_signed(buyer.device, _reading(buyer.meter, SLOT + 1, 1, 900, 0)), "another slot's");
        _assertRefused(_signed(buyer.device, _reading(buyer.meter, SLOT, 0, 900, 0)), "version 0");
        _assertRefused(_signed(buyer.device, _reading(buyer.meter, SLOT, 4, 900, 0)), "version 4");
        _assertRefused(_signed(buyer.device, _reading(buyer.meter, SLOT, 1, 5_001, 0)), "above 20 kW");
        _assertRefused(_signed(buyer.device, _reading(99, SLOT, 1, 900, 0)), "an unknown meter");
        SignedReading memory truncated = _signed(buyer.device, _reading(buyer.meter, SLOT, 1, 900, 0));
        truncated.s = 0;
        _assertRefused(truncated, "half a signature");
    }

    function test_settle__given_the_same_reading_again__changes_nothing() external {
        vm.warp(_endOf(SLOT));
        SignedReading memory signed = _signed(buyer.device, _reading(buyer.meter, SLOT, 1, 900, 0));
        assertReason(_settle(SLOT, signed), 0, "settled");
        _assertRefused(signed, "twice");
    }

    function test_settle__given_one_meter_twice_in_a_batch__settles_the_later_version() external {
        SignedReading[] memory readings = new SignedReading[](3);
        readings[0] = _signed(buyer.device, _reading(buyer.meter, SLOT, 1, 100, 0));
        readings[1] = _signed(buyer.device, _reading(buyer.meter, SLOT, 2, 900, 0));
        readings[2] = _signed(buyer.device, _reading(buyer.meter, SLOT, 2, 700, 0));
        vm.warp(_endOf(SLOT));
        auction.settle(MARKET, SLOT, readings);
        assertEq(_worthOf(buyer.owner.addr), 10_000_000 - 280_000, "as if version 2 had been the only one");
    }

    // ---------------------------------------------------------------------------------------------------------- success

    function test_settle__given_an_uncleared_slot__clears_it_first() external {
        vm.warp(_endOf(SLOT));
        vm.expectEmit(address(auction));
        emit IEnergyAuction.Cleared(MARKET, SLOT, true, 210_000, 210_000, 210_000, 400, BID, 400, 1_000);
        vm.expectEmit(address(auction));
        // T = -84.0, F = 16.0, V = -180.0 thousand
        emit IEnergyAuction.Settled(buyer.meter, SLOT, 1, 400, 0, -280_000);
        auction.settle(MARKET, SLOT, _readingOf(buyer, 1, 900, 0));
    }

    function test_settle__given_both_in_either_order__pays_the_same_and_closes(bool sellerFirst) external {
        vm.warp(_endOf(SLOT));
        if (sellerFirst) _settle(seller, SLOT, 1, 0, 300);
        _settle(buyer, SLOT, 1, 900, 0);
        if (!sellerFirst) _settle(seller, SLOT, 1, 0, 300);

        assertEq(_availableOf(buyer.owner.addr), 10_000_000 - 280_000, "trade 84, fee 16, 500 Wh at retail 180");
        assertEq(_availableOf(seller.owner.addr), 10_000_000 + 48_000, "trade 84, 100 Wh short at retail -36");
        assertEq(_availableOf(gridOperator.addr), 16_000, "the fee");
        assertEq(_availableOf(utility.addr), 1_000_000_000 + 216_000, "both deviations");
        assertEq(vault.potOf(address(auction)), 0, "nothing stays behind");
        assertTrue(auction.clearingOf(MARKET, SLOT).closed, "closed");
    }

    function test_settle__given_a_meter_without_an_order__pays_its_deviation() external {
        Home memory other = _home(6);
        vm.warp(_endOf(SLOT));
        _settle(other, SLOT, 1, 250, 1_000);
        assertEq(_availableOf(other.owner.addr), 10_000_000 + 60_000, "750 Wh at feed-in");
        assertEq(_heldOf(other.owner.addr), 60_000, "held for the correction window");
        _settle(other, SLOT, 2, 1_000, 0);
        assertEq(_availableOf(other.owner.addr), 10_000_000 - 360_000, "1 kWh at retail after all");
        assertEq(_heldOf(other.owner.addr), 0, "nothing is held");
    }

    /// A cancelled order has neither side nor tick: at a price at the grid's first tick that nobody is rationed at, it must not
    /// be taken for one that shares.
    function test_settle__given_a_cancelled_order_and_a_price_at_the_first_tick__pays_its_deviation() external {
        (Home memory one, Home memory other, Home memory third) = (_home(90), _home(91), _home(92));
        _assertPlaced(_place(_signedBy(one.owner, _orderAt(SLOT + 1, one, 1, BID, 100, 120_000))));
        _assertPlaced(_place(_signedBy(other.owner, _orderAt(SLOT + 1, other, 1, ASK, 100, 80_000))));
        SignedCancel[] memory cancels = new SignedCancel[](1);
        Order word = _orderAt(SLOT + 1, third, 1, 0, 0, 0);
        cancels[0] = _signedBy(third.owner, Cancel.wrap(Order.unwrap(word)));
        auction.cancel(cancels);
        vm.warp(_endOf(SLOT + 1));
        assertReason(_settle(third, SLOT + 1, 1, 1_000, 0), 0, "settled");
        assertEq(auction.clearingOf(MARKET, SLOT + 1).priceTick, 0, "the price is the first tick's");
        assertEq(_availableOf(third.owner.addr), 10_000_000 - 360_000, "1 kWh at retail");
    }

    function test_settle__given_more_delivered_than_sold__holds_the_rest_only() external {
        vm.warp(_endOf(SLOT));
        _settle(seller, SLOT, 1, 0, 900);
        assertEq(_availableOf(seller.owner.addr), 10_000_000 + 124_000, "84 for the trade, 500 Wh at feed-in 40");
        assertEq(_heldOf(seller.owner.addr), 40_000, "the trade is free at once");
    }

    function test_settle__given_no_mandate__debits_only_what_it_brings() external {
        Home memory careful = _homeIn(MARKET, 60, false, false);
        vm.warp(_endOf(SLOT));
        _settle(careful, SLOT, 1, 1_000, 0);
        assertEq(_availableOf(careful.owner.addr), 10_000_000, "nothing was taken");
        assertEq(_arrearOf(careful.owner.addr), 360_000, "an arrear is recorded");
    }

    function test_settle__given_a_utility_without_funds__records_what_it_owes() external {
        uint256 funds = vault.withdrawableOf(utility.addr);
        vm.prank(utility.addr);
        vault.withdraw(utility.addr, funds);
        vm.warp(_endOf(SLOT));
        _settle(seller, SLOT, 1, 0, 900);
        assertEq(_availableOf(seller.owner.addr), 10_000_000 + 84_000, "the trade comes out of the pot");
        assertEq(vault.owed(utility.addr, seller.owner.addr), 40_000, "feed-in is owed");

        _deposit(utility.addr, 1);
        assertEq(vault.owed(utility.addr, seller.owner.addr), 39_999, "its first money goes to its creditors");
    }

    function test_collect__given_dues__pays_what_there_is() external {
        vm.expectRevert(abi.encodeWithSelector(IEnergyAuction.UnknownMarket.selector, 9));
        auction.collect(9, seller.owner.addr);
        Home[6] memory others;
        for (uint256 i = 0; i < 6; ++i) {
            others[i] = _home(70 + i);
        }
        uint256 funds = vault.withdrawableOf(utility.addr);
        vm.prank(utility.addr);
        vault.withdraw(utility.addr, funds);
        vm.warp(_endOf(SLOT));
        for (uint256 i = 0; i < 6; ++i) {
            assertReason(_settle(others[i], SLOT, 1, 0, 1_000), 0, "fed in");
        }
        // a credit pays four creditors, the rest by collect
        _deposit(utility.addr, 1_000_000);
        assertEq(vault.owed(utility.addr, others[5].owner.addr), 80_000, "the last one waits");
        vm.prank(stranger.addr);
        assertEq(auction.collect(MARKET, others[5].owner.addr), 80_000, "anyone collects for it");
        assertEq(vault.owed(utility.addr, others[5].owner.addr), 0, "paid");
        assertEq(auction.collect(MARKET, others[5].owner.addr), 0, "once");
    }

    function test_settle__given_the_utility_s_own_meter__moves_no_money_between_it_and_itself() external {
        Home memory own;
        own.owner = utility;
        own.device = _secpDevice(900);
        _enrol(own.device, utility.addr);
        own.meter = _registerFor(_registration(own.device.id, utility.addr), utility);
        vm.warp(_endOf(SLOT));
        _settle(own, SLOT, 1, 1_000, 0);
        assertEq(_availableOf(utility.addr), 1_000_000_000, "unchanged");
    }

    // ------------------------------------------------------------------------------------------------------------ dust

    function test_settle__given_dust_among_the_bids__has_the_utility_buy_it(bool sellerLast) external {
        (Home memory one, Home memory other, Home memory third) = _dustySlot();
        if (!sellerLast) _settle(third, SLOT + 1, 1, 0, 100);
        _settle(one, SLOT + 1, 1, 49, 0);
        _settle(other, SLOT + 1, 1, 49, 0);
        if (sellerLast) {
            // the slot's pot has 98 Wh of bids only: the utility advances the rest
            _settle(third, SLOT + 1, 1, 0, 100);
        }
        assertTrue(auction.clearingOf(MARKET, SLOT + 1).closed, "closed");
        IEnergyAuction.SlotState memory state = auction.slotStateOf(MARKET, SLOT + 1);
        assertEq(state.boughtWh, 1, "99 Wh shared by two halves leave one");
        assertEq(_worthOf(third.owner.addr), 10_000_000 + 99 * 210 + 80, "the seller is paid for all 99, and feed-in for 1");
        assertEq(state.pot, 0, "nothing stays in the slot's pot");
        assertEq(
            int256(_availableOf(utility.addr)) - 1_000_000_000, -210 - 80, "the utility bought the dust and the surplus"
        );
        assertEq(_availableOf(gridOperator.addr), 2 * 49 * 40, "the operator got the fees");
    }

    function _dustySlot() private returns (Home memory one, Home memory other, Home memory third) {
        (one, other, third) = (_home(80), _home(81), _home(82));
        _assertPlaced(_place(_signedBy(one.owner, _orderAt(SLOT + 1, one, 1, BID, 100, 250_000))));
        _assertPlaced(_place(_signedBy(other.owner, _orderAt(SLOT + 1, other, 1, BID, 100, 250_000))));
        _assertPlaced(_place(_signedBy(third.owner, _orderAt(SLOT + 1, third, 1, ASK, 99, 120_000))));
        vm.warp(_endOf(SLOT + 1));
        auction.clear(MARKET, SLOT + 1);
        assertEq(auction.positionOf(one.meter, SLOT + 1).filledWh, 49, "floor(99 x 100 / 200)");
    }

    // ------------------------------------------------------------------------------------------------------------ helpers

    function _readingOf(Home memory home, uint8 version, uint32 importWh, uint32 exportWh)
        private
        view
        returns (SignedReading[] memory readings)
    {
        readings = new SignedReading[](1);
        readings[0] = _signed(home.device, _reading(home.meter, SLOT, version, importWh, exportWh));
    }

    function _assertRefused(SignedReading memory signed, string memory why) private {
        bytes32 before = _stateOf(buyer, SLOT);
        (uint8 version, uint32 importWh,) = ledger.readingOf(buyer.meter, SLOT);
        assertTrue(_settle(SLOT, signed) != 0, why);
        assertEq(_stateOf(buyer, SLOT), before, "nothing changed");
        (uint8 versionAfter, uint32 importAfter,) = ledger.readingOf(buyer.meter, SLOT);
        assertTrue(version == versionAfter && importWh == importAfter, "nor in the ledger");
    }
}
