// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IEnergyAuction } from "../../../contracts/interfaces/IEnergyAuction.sol";
import { ASK, BID } from "../../../contracts/types/Order.sol";
import { vm } from "../support/Vm.sol";
import { Feeder, Home } from "./Feeder.sol";

/// clear
/// ├── given no such market, before the gate, twice, out of reach: reverts
/// └── else: finds the price; a slot without live orders closes at once
contract ClearTest is Feeder {
    Home private buyer;
    Home private seller;

    function setUp() public override {
        super.setUp();
        buyer = _home(2);
        seller = _home(3);
    }

    function test_clear__given_an_unknown_market_or_a_slot_before_it__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IEnergyAuction.UnknownMarket.selector, 9));
        auction.clear(9, SLOT);
        vm.expectRevert(abi.encodeWithSelector(IEnergyAuction.UnknownMarket.selector, MARKET));
        auction.clear(MARKET, FIRST_SLOT - 1);
    }

    function test_clear__given_the_second_before_the_gate__reverts() external {
        vm.warp(_gateOf(SLOT) - 1);
        vm.expectRevert(abi.encodeWithSelector(IEnergyAuction.GateNotClosed.selector, SLOT, _gateOf(SLOT)));
        auction.clear(MARKET, SLOT);
        vm.warp(_gateOf(SLOT));
        auction.clear(MARKET, SLOT);
    }

    function test_clear__given_a_cleared_slot__reverts() external {
        vm.warp(_gateOf(SLOT));
        auction.clear(MARKET, SLOT);
        vm.expectRevert(abi.encodeWithSelector(IEnergyAuction.AlreadyCleared.selector, MARKET, SLOT));
        auction.clear(MARKET, SLOT);
    }

    function test_clear__given_no_order__closes_without_a_trade() external {
        vm.warp(_gateOf(SLOT));
        uint256 none = type(uint256).max;
        vm.expectEmit(address(auction));
        emit IEnergyAuction.Cleared(MARKET, SLOT, false, 0, none, none, 0, 0, 0, 0);
        vm.expectEmit(address(auction));
        emit IEnergyAuction.SlotClosed(MARKET, SLOT, 0, 0, 0);
        auction.clear(MARKET, SLOT);
        assertTrue(auction.clearingOf(MARKET, SLOT).closed, "closed");
    }

    function test_clear__given_no_overlap__publishes_best_bid_and_best_ask() external {
        _bid(buyer, 1_000, 160_000);
        _ask(seller, 1_000, 200_000);
        vm.warp(_gateOf(SLOT));
        vm.expectEmit(address(auction));
        emit IEnergyAuction.Cleared(MARKET, SLOT, false, 0, 120_000, 200_000, 0, 0, 0, 0);
        auction.clear(MARKET, SLOT);
        assertFalse(auction.clearingOf(MARKET, SLOT).closed, "collateral is still in it");
    }

    function test_clear__given_a_trade__publishes_the_price_net_of_the_fee() external {
        _bid(buyer, 1_000, 250_000);
        _ask(seller, 400, 120_000);
        vm.warp(_gateOf(SLOT));
        vm.expectEmit(address(auction));
        emit IEnergyAuction.Cleared(MARKET, SLOT, true, 210_000, 210_000, 210_000, 400, BID, 400, 1_000);
        auction.clear(MARKET, SLOT);

        IEnergyAuction.Clearing memory clearing = auction.clearingOf(MARKET, SLOT);
        assertTrue(clearing.cleared && clearing.traded && !clearing.closed, "traded and open");
        assertEq(clearing.priceTick, 13, "tick 13 is 0.21");
        IEnergyAuction.SlotState memory state = auction.slotStateOf(MARKET, SLOT);
        assertEq(state.boughtWh, 400, "bought, to be settled");
        assertEq(state.soldWh, 400, "sold, to be settled");
        assertEq(auction.positionOf(buyer.meter, SLOT).filledWh, 400, "the buyer's fill");
        assertEq(auction.positionOf(seller.meter, SLOT).filledWh, 400, "the seller's");
    }

    function test_clear__given_the_middle_of_an_interval__is_worth_the_same_to_both() external {
        _bid(buyer, 1_000, 250_000);
        _ask(seller, 1_000, 120_000);
        vm.warp(_gateOf(SLOT));
        auction.clear(MARKET, SLOT);
        IEnergyAuction.Clearing memory clearing = auction.clearingOf(MARKET, SLOT);
        assertEq(clearing.lowTick, 4, "0.12");
        assertEq(clearing.highTick, 13, "0.21");
        assertEq(clearing.priceTick, 8, "floor of the middle");
        assertEq(clearing.longSide, 0, "nobody is rationed");
    }

    function test_clear__given_any_caller__is_open_to_all() external {
        vm.warp(_gateOf(SLOT));
        vm.prank(stranger.addr);
        auction.clear(MARKET, SLOT);
        assertTrue(auction.clearingOf(MARKET, SLOT).cleared, "cleared");
    }
}
