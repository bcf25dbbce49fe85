// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IEnergyAuction } from "../../../contracts/interfaces/IEnergyAuction.sol";
import { ASK, BID, SignedOrder } from "../../../contracts/types/Order.sol";
import { vm } from "../support/Vm.sol";
import { Feeder, Home } from "./Feeder.sol";

/// Words are used again 256 slots later: SLOT and LATER share all of them.
contract RingTest is Feeder {
    uint32 private constant LATER = SLOT + 256;

    Home private home;
    Home private neighbour;

    function setUp() public override {
        super.setUp();
        home = _home(2);
        neighbour = _home(3);
        _bid(home, 1_000, 250_000);
    }

    function test_place__given_an_earlier_slot_that_is_still_open__is_refused_RingBusy() external {
        bytes32 before = _stateOf(home, SLOT);
        _warpToLater();
        SignedOrder memory signed = _signedBy(home.owner, _orderAt(LATER, home, 1, ASK, 500, 200_000));
        assertReason(_place(signed), IEnergyAuction.RingBusy.selector, "uncleared");
        auction.clear(MARKET, SLOT);
        assertReason(_place(signed), IEnergyAuction.RingBusy.selector, "cleared, and the bid neither settled nor released");
        vm.expectRevert(IEnergyAuction.RingBusy.selector);
        auction.clear(MARKET, LATER);
        assertTrue(before != 0 && auction.positionOf(home.meter, SLOT).energyWh == 1_000, "the position stands");

        assertReason(_release(home, SLOT), 0, "released, and so closed");
        _assertPlaced(_place(signed));
    }

    function test_place__given_an_earlier_slot_settled_by_default__reuses_its_words() external {
        _ask(neighbour, 600, 120_000);
        _warpToLater();
        auction.clear(MARKET, SLOT);
        assertReason(_settleByDefault(home, SLOT), 0, "long after its deadline");
        assertReason(_settleByDefault(neighbour, SLOT), 0, "both");
        assertTrue(auction.clearingOf(MARKET, SLOT).closed, "closed");
        assertEq(auction.slotStateOf(MARKET, SLOT).pot, 0, "and empty");
        _assertPlaced(_place(_signedBy(home.owner, _orderAt(LATER, home, 1, BID, 300, 250_000))));
        assertEq(auction.positionOf(home.meter, LATER).version, 1, "versions begin anew");
        assertEq(auction.depthOf(MARKET, LATER, BID)[13], 300, "the ladder begins empty");
        assertEq(auction.depthOf(MARKET, LATER, ASK)[4], 0, "on both sides");
        assertEq(auction.slotStateOf(MARKET, LATER).openBidWh, 300, "and so do the books");
        assertFalse(auction.clearingOf(MARKET, LATER).cleared, "not cleared yet");
    }

    function test_place__given_a_refused_order__leaves_the_place_to_the_earlier_slot() external {
        _ask(neighbour, 600, 120_000);
        _warpToLater();
        auction.clear(MARKET, SLOT);
        _settleByDefault(home, SLOT);
        _settleByDefault(neighbour, SLOT);
        SignedOrder memory signed = _signedBy(neighbour.owner, _orderAt(LATER, home, 1, BID, 300, 250_000));
        assertReason(_place(signed), IEnergyAuction.WrongSigner.selector, "refused");
        assertTrue(auction.clearingOf(MARKET, SLOT).closed, "the place is still SLOT's");
    }

    function test_settleByDefault__given_a_place_taken_over__reverts() external {
        _takeOver();
        bytes32 before = _stateOf(home, LATER);
        vm.expectRevert(IEnergyAuction.SlotForgotten.selector);
        auction.settleByDefault(MARKET, SLOT, _one(neighbour.meter));
        vm.expectRevert(IEnergyAuction.SlotForgotten.selector);
        auction.clear(MARKET, SLOT);
        vm.expectRevert(IEnergyAuction.SlotForgotten.selector);
        auction.release(MARKET, SLOT, _one(home.meter));
        vm.expectRevert(IEnergyAuction.SlotForgotten.selector);
        auction.clearingOf(MARKET, SLOT);
        assertEq(_stateOf(home, LATER), before, "the later slot is untouched");
    }

    function test_settleByDefault__given_a_word_of_a_later_slot__reverts() external {
        _warpToLater();
        uint32 empty = SLOT + 1;
        auction.clear(MARKET, empty);
        _assertPlaced(_place(_signedBy(home.owner, _orderAt(empty + 256, home, 1, BID, 300, 250_000))));
        vm.expectRevert(IEnergyAuction.SlotForgotten.selector);
        auction.settleByDefault(MARKET, empty, _one(home.meter));
        assertEq(auction.positionOf(home.meter, empty + 256).energyWh, 300, "the newer word stands");
    }

    function test_clear__given_a_slot_out_of_reach__reverts() external {
        vm.warp(START + (uint256(8) << 20) * SLOT_LENGTH + 8 * SLOT_LENGTH);
        vm.expectRevert(IEnergyAuction.SlotForgotten.selector);
        auction.clear(MARKET, SLOT);
    }

    function _warpToLater() private {
        vm.warp((uint256(LATER) - 100) * SLOT_LENGTH);
    }

    function _takeOver() private {
        _warpToLater();
        auction.clear(MARKET, SLOT);
        _release(home, SLOT);
        _assertPlaced(_place(_signedBy(home.owner, _orderAt(LATER, home, 1, BID, 300, 250_000))));
    }
}
