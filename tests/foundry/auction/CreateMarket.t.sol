// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { EnergyAuction } from "../../../contracts/EnergyAuction.sol";
import { IEnergyAuction } from "../../../contracts/interfaces/IEnergyAuction.sol";
import { ISignedActs } from "../../../contracts/interfaces/ISignedActs.sol";
import { AuctionDesk } from "../../../contracts/libraries/AuctionDesk.sol";
import { Roles } from "../../../contracts/libraries/Roles.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { MarketTerms } from "../../../contracts/types/MarketTerms.sol";
import { Party } from "../support/Signing.sol";
import { vm } from "../support/Vm.sol";
import { Feeder } from "./Feeder.sol";

/// createMarket
/// ├── given terms that break a rule: TermsNotAllowed names it
/// ├── given a consent that is missing, wrong, expired or used: reverts
/// └── else: the market begins in the current slot
contract CreateMarketTest is Feeder {
    // -------------------------------------------------------------------------------------------------------------- terms

    function test_createMarket__given_terms_that_break_a_rule__names_it() external {
        MarketTerms memory terms = _terms();
        terms.tickSize = 0;
        _assertRule(terms, "tickSize is positive");
        terms = _terms();
        terms.tickCount = 0;
        _assertRule(terms, "tickCount is 1 to 1024");
        terms.tickCount = 1_025;
        _assertRule(terms, "tickCount is 1 to 1024");
        terms = _terms();
        terms.gridFee += 1;
        _assertRule(terms, "fee, feedIn, retail are multiples of the tick");
        terms = _terms();
        terms.feedInPrice = 130_000;
        _assertRule(terms, "feedIn is at most min + fee");
        terms = _terms();
        terms.retailPrice = 340_000;
        _assertRule(terms, "max is at most retail");
        terms = _terms();
        terms.minEnergyWh = 0;
        _assertRule(terms, "minEnergyWh is positive");
        terms = _terms();
        terms.retailPrice = 1_099_511_620_000;
        terms.defaultWh = 1_001; // retail of which is just above 2^40
        _assertRule(terms, "a default costs at most 2^40");
        terms = _terms();
        terms.gateLead = 0;
        _assertRule(terms, "the gate closes before the slot");
        terms.gateLead = 192 * SLOT_LENGTH;
        _assertRule(terms, "the gate is within the horizon");
        terms = _terms();
        terms.readingWindow = 0;
        _assertRule(terms, "the reading deadline lies after the slot's end");
        terms.readingWindow = terms.correctionWindow;
        _assertRule(terms, "corrections end after the reading deadline");
        terms = _terms();
        terms.correctionWindow = HOLD_LENGTH + 1;
        _assertRule(terms, "the Vault holds for the correction window");
        terms = _terms();
        terms.utility = address(0);
        _assertRule(terms, "utility and operator are accounts");
        terms = _terms();
        terms.operator = address(0);
        _assertRule(terms, "utility and operator are accounts");
        terms = _terms();
        terms.correctionWindow = 62 * SLOT_LENGTH + 1;
        _assertRule(terms, "the ring covers horizon and corrections");
    }

    function test_createMarket__given_the_longest_window__is_created() external {
        MarketTerms memory terms = _terms();
        terms.correctionWindow = 62 * SLOT_LENGTH;
        assertEq(_createMarket(terms), 2, "192 + 63 + 1 = 256");
    }

    // ------------------------------------------------------------------------------------------------------------ consent

    function test_createMarket__given_no_operator__reverts() external {
        MarketTerms memory terms = _terms();
        Act memory act = _marketAct("CreateMarket", terms, stranger);
        _assertReverts(
            terms, act, _marketAct("Underwrite", terms, utility), ISignedActs.SignerNotAllowed.selector
        );
    }

    function test_createMarket__given_another_utility__reverts() external {
        MarketTerms memory terms = _terms();
        Act memory act = _marketAct("Underwrite", terms, stranger);
        _assertReverts(
            terms, _marketAct("CreateMarket", terms, operator), act, ISignedActs.SignerNotAllowed.selector
        );
    }

    function test_createMarket__given_consent_to_other_terms__reverts() external {
        MarketTerms memory terms = _terms();
        Act memory create = _marketAct("CreateMarket", terms, operator);
        Act memory underwrite = _marketAct("Underwrite", terms, utility);
        terms.feedInPrice = 120_000;
        _assertReverts(terms, create, underwrite, ISignedActs.WrongSignature.selector);
        create = _marketAct("CreateMarket", terms, operator);
        _assertReverts(terms, create, underwrite, ISignedActs.WrongSignature.selector);
    }

    function test_createMarket__given_a_consent_of_the_other_kind__reverts() external {
        MarketTerms memory terms = _terms();
        Act memory create = _marketAct("CreateMarket", terms, operator);
        _assertReverts(
            terms, create, _marketAct("CreateMarket", terms, utility), ISignedActs.WrongSignature.selector
        );
    }

    function test_createMarket__given_an_old_consent__reverts() external {
        MarketTerms memory terms = _terms();
        Act memory create = _marketAct("CreateMarket", terms, operator);
        Act memory underwrite = _marketAct("Underwrite", terms, utility);
        vm.warp(block.timestamp + 1 hours + 1);
        _assertReverts(terms, create, underwrite, ISignedActs.ActExpired.selector);
        vm.warp(block.timestamp - 1);
        auction.createMarket(terms, create, underwrite);
        _assertReverts(terms, create, underwrite, ISignedActs.NonceUsed.selector);
    }

    // ------------------------------------------------------------------------------------------------------------ success

    function test_createMarket__given_both_consents__begins_in_the_current_slot() external {
        MarketTerms memory terms = _terms();
        terms.fromSlot = 77;
        Act memory create = _marketAct("CreateMarket", terms, operator);
        Act memory underwrite = _marketAct("Underwrite", terms, utility);
        MarketTerms memory first = _terms();
        first.fromSlot = FIRST_SLOT;
        vm.expectEmit(address(auction));
        emit IEnergyAuction.MarketCreated(2, 1, first);
        vm.prank(stranger.addr);
        assertEq(auction.createMarket(terms, create, underwrite), 2, "anyone may relay");

        assertEq(auction.marketCount(), 2, "two markets");
        assertEq(
            keccak256(abi.encode(auction.termsOf(2, FIRST_SLOT))), keccak256(abi.encode(first)), "its terms, field by field"
        );
        vm.expectRevert(abi.encodeWithSelector(IEnergyAuction.UnknownMarket.selector, 2));
        auction.termsOf(2, FIRST_SLOT - 1);
        assertTrue(auction.isNonceUsed(operator.addr, create.nonce), "used");
    }

    function test_createMarket__given_any_terms__keeps_every_field(uint256 draw) external {
        MarketTerms memory terms = _terms();
        terms.tickSize = uint32(1 + draw % 1e6);
        terms.tickCount = uint16(1 + (draw >> 32) % 1_024);
        terms.minPrice = uint40((draw >> 48) % 1e9);
        terms.gridFee = uint40(terms.tickSize * ((draw >> 80) % 1_000));
        terms.feedInPrice = 0;
        terms.retailPrice = uint40((terms.minPrice / terms.tickSize + 1_100) * uint256(terms.tickSize));
        terms.minEnergyWh = uint32(1 + (draw >> 96) % 1e6);
        // What a silent meter is charged stays below 2^40 at the dearest retail drawn, 2.1e9.
        terms.defaultWh = uint32((draw >> 128) % 500_000);
        terms.gateLead = uint32(1 + (draw >> 160) % 100_000);
        uint32 market = _createMarket(terms);
        terms.fromSlot = FIRST_SLOT;
        assertEq(
            keccak256(abi.encode(auction.termsOf(market, SLOT))), keccak256(abi.encode(terms)), "what was signed is stored"
        );
    }

    /// The part that creates markets is nobody's auction on its own.
    function test_createMarket__given_the_desk_itself__reverts() external {
        AuctionDesk desk = new AuctionDesk(address(authority), vault, ledger, ders);
        MarketTerms memory terms = _terms();
        Act memory create = _marketAct("CreateMarket", terms, operator);
        vm.expectRevert(abi.encodeWithSelector(IEnergyAuction.UnknownMarket.selector, 0));
        desk.createMarket(terms, create, create);
        vm.expectRevert(abi.encodeWithSelector(IEnergyAuction.UnknownMarket.selector, 0));
        desk.collect(1, stranger.addr);
    }

    // ------------------------------------------------------------------------------------------------------------ helpers

    function _assertRule(MarketTerms memory terms, string memory rule) private {
        Act memory create = _marketAct("CreateMarket", terms, operator);
        Act memory underwrite = _marketAct("Underwrite", terms, utility);
        vm.expectRevert(abi.encodeWithSelector(IEnergyAuction.TermsNotAllowed.selector, rule));
        auction.createMarket(terms, create, underwrite);
        assertEq(auction.marketCount(), 1, "no market");
        assertFalse(auction.isNonceUsed(operator.addr, create.nonce), "no nonce used");
    }

    function _assertReverts(MarketTerms memory terms, Act memory create, Act memory underwrite, bytes4 error_) private {
        uint32 count = auction.marketCount();
        vm.expectPartialRevert(error_);
        auction.createMarket(terms, create, underwrite);
        assertEq(auction.marketCount(), count, "no market");
    }
}
