// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IEnergyAuction } from "../../../contracts/interfaces/IEnergyAuction.sol";
import { ISignedActs } from "../../../contracts/interfaces/ISignedActs.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { MarketTerms } from "../../../contracts/types/MarketTerms.sol";
import { BID } from "../../../contracts/types/Order.sol";
import { vm } from "../support/Vm.sol";
import { Feeder, Home } from "./Feeder.sol";

/// changeMarket, and slots on both sides of a change. Collecting many calls in one.
contract ChangeMarketTest is Feeder {
    uint32 private constant FROM = FIRST_SLOT + 193;

    function test_changeMarket__given_a_slot_within_the_horizon__reverts() external {
        _expectRule(_changed(FROM - 1), "a change begins beyond the horizon");
    }

    function test_changeMarket__given_another_utility__reverts() external {
        MarketTerms memory terms = _changed(FROM);
        terms.utility = stranger.addr;
        Act memory change = _changeAct("ChangeMarket", terms, operator);
        Act memory underwrite = _changeAct("UnderwriteChange", terms, stranger);
        vm.expectRevert(abi.encodeWithSelector(IEnergyAuction.TermsNotAllowed.selector, "the utility stays"));
        auction.changeMarket(MARKET, terms, change, underwrite);
    }

    function test_changeMarket__given_a_change_ahead__reverts_until_it_is_in_force() external {
        _change(_changed(FROM));
        _expectRule(_changed(FROM + 1), "the change before it is in force");
        vm.warp(uint256(FROM) * SLOT_LENGTH);
        _change(_changed(FROM + 193));
    }

    function test_changeMarket__given_terms_that_are_none__reverts() external {
        MarketTerms memory terms = _changed(FROM);
        terms.feedInPrice = uint40(RETAIL);
        _expectRule(terms, "feedIn is at most min + fee");
    }

    function test_changeMarket__given_an_unknown_market__reverts() external {
        MarketTerms memory terms = _changed(FROM);
        (Act memory change, Act memory underwrite) = _changeActs(terms);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.WrongSignature.selector, operator.addr));
        auction.changeMarket(MARKET + 1, terms, change, underwrite);
    }

    function test_changeMarket__given_no_role_or_no_utility__reverts() external {
        MarketTerms memory terms = _changed(FROM);
        Act memory change = _changeAct("ChangeMarket", terms, stranger);
        Act memory underwrite = _changeAct("UnderwriteChange", terms, utility);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.SignerNotAllowed.selector, stranger.addr));
        auction.changeMarket(MARKET, terms, change, underwrite);
        change = _changeAct("ChangeMarket", terms, operator);
        underwrite = _changeAct("UnderwriteChange", terms, stranger);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.SignerNotAllowed.selector, stranger.addr));
        auction.changeMarket(MARKET, terms, change, underwrite);
    }

    function test_changeMarket__given_acts_of_its_creation__reverts() external {
        MarketTerms memory terms = _changed(FROM);
        Act memory create = _marketAct("CreateMarket", terms, operator);
        Act memory underwrite = _marketAct("Underwrite", terms, utility);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.WrongSignature.selector, operator.addr));
        auction.changeMarket(MARKET, terms, create, underwrite);
    }

    function test_changeMarket__given_all_that_is_due__holds_from_its_slot_on() external {
        MarketTerms memory terms = _changed(FROM);
        vm.expectEmit(address(auction));
        emit IEnergyAuction.MarketChanged(MARKET, 2, terms);
        _change(terms);
        assertEq(auction.termsOf(MARKET, FROM - 1).gridFee, FEE, "as before up to it");
        assertEq(auction.termsOf(MARKET, FROM).gridFee, 0, "changed from it on");

        // a schedule across the change would be beyond the horizon now; one slot later it is not
        Home memory home = _home(1);
        vm.warp(START + SLOT_LENGTH);
        _assertPlaced(_place(_signedBy(home.owner, _orderAt(FROM - 1, home, 1, BID, 1_000, 200_000))));
        _assertPlaced(_place(_signedBy(home.owner, _orderAt(FROM, home, 1, BID, 1_000, 200_000))));
        assertEq(auction.positionOf(home.meter, FROM - 1).tick, 8, "0.20 less a fee of 0.04");
        assertEq(auction.positionOf(home.meter, FROM).tick, 12, "0.20 without one");
    }

    /// One batch over both versions, back and forth.
    function test_placeSchedule__given_slots_on_both_sides_of_a_change__judges_each_by_its_terms() external {
        _change(_changed(FROM));
        Home memory home = _home(1);
        vm.warp(START + SLOT_LENGTH);
        uint32[4] memory slots = [FROM, FROM - 1, FROM - 2, FROM];
        for (uint16 i = 0; i < 4; ++i) {
            // the highest bid of the old grid is dearer than any of the new one, and alone fits it
            bytes4 reason = _place(_signedBy(home.owner, _orderAt(slots[i], home, i + 1, BID, 1_000, 390_000)));
            assertReason(reason, slots[i] == FROM ? IEnergyAuction.PriceOffGrid.selector : bytes4(0), "by its own grid");
        }
    }

    function test_multicall__given_slots_of_a_night__clears_them_in_one_transaction() external {
        Home memory home = _home(1);
        for (uint32 i = 0; i < 3; ++i) {
            _assertPlaced(_place(_signedBy(home.owner, _orderAt(SLOT + i, home, 1, BID, 1_000, 200_000))));
        }
        vm.warp(_endOf(SLOT + 3));
        bytes[] memory calls = new bytes[](6);
        for (uint32 i = 0; i < 3; ++i) {
            calls[2 * i] = abi.encodeCall(auction.clear, (MARKET, SLOT + i));
            calls[2 * i + 1] = abi.encodeCall(auction.release, (MARKET, SLOT + i, _one(home.meter)));
        }
        auction.multicall(calls);
        assertTrue(auction.clearingOf(MARKET, SLOT + 2).closed, "cleared, released and closed");
        assertEq(_availableOf(home.owner.addr), 10_000_000, "all of it is back");
    }

    function test_multicall__given_the_stop__places_nothing() external {
        vm.prank(admin);
        authority.setTargetClosed(address(auction), true);
        bytes[] memory calls = new bytes[](1);
        calls[0] = abi.encodeWithSelector(auction.place.selector, uint256(0x20), uint256(0));
        vm.expectRevert();
        auction.multicall(calls);
    }

    // ------------------------------------------------------------------------------------------------------------ helpers

    /// The same market without a fee, its feed-in so much lower.
    function _changed(uint32 fromSlot) private view returns (MarketTerms memory terms) {
        terms = _terms();
        terms.gridFee = 0;
        terms.fromSlot = fromSlot;
    }

    function _change(MarketTerms memory terms) private {
        (Act memory change, Act memory underwrite) = _changeActs(terms);
        auction.changeMarket(MARKET, terms, change, underwrite);
    }

    function _expectRule(MarketTerms memory terms, string memory rule) private {
        (Act memory change, Act memory underwrite) = _changeActs(terms);
        vm.expectRevert(abi.encodeWithSelector(IEnergyAuction.TermsNotAllowed.selector, rule));
        auction.changeMarket(MARKET, terms, change, underwrite);
    }
}
