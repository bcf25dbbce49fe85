// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IEnergyAuction } from "../../../contracts/interfaces/IEnergyAuction.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { MarketTerms } from "../../../contracts/types/MarketTerms.sol";
import { BID } from "../../../contracts/types/Order.sol";
import { Feeder, Home } from "../auction/Feeder.sol";
import { vm } from "../support/Vm.sol";

/// Trading without a wire, and silence as a strategy. The terms are the best for a thief that a market can have: the grid
/// begins at feed-in less the fee and ends at retail.
contract TradeTest is Feeder {
    uint256 private constant MIN = 40_000;
    uint256 private constant TICK = 10_000;
    uint256 private constant LAST = 32;

    Home private seller;
    Home private buyer;

    function setUp() public override {
        super.setUp();
        (seller, buyer) = (_home(2), _home(4));
    }

    function _terms() internal view override returns (MarketTerms memory terms) {
        terms = super._terms();
        (terms.minPrice, terms.tickCount) = (uint40(MIN), uint16(LAST + 1));
    }

    // ----------------------------------------------------------------------------------------------- trading without a wire

    /// Neither end of the trade has a wire. Each alone gains nothing, so neither do both in one hand.
    function test_trading_without_a_wire__given_any_prices__earns_nothing(uint256 ask, uint256 bid, uint256 energyWh)
        external
    {
        ask = _bound(ask, 0, LAST);
        bid = _bound(bid, ask, LAST);
        (int256 sold, int256 bought, int256 utilitys) = _tradeWithoutWire(_bound(energyWh, 10, 3_000), ask, bid);
        assertTrue(sold <= 0, "what was not delivered is bought at retail");
        assertTrue(bought <= 0, "what was not used brings feed-in, which is no more than price and fee");
        assertTrue(utilitys >= 0, "the utility loses nothing");
    }

    function test_trading_without_a_wire__given_the_dearest_sale__comes_out_at_nothing() external {
        (int256 sold,,) = _tradeWithoutWire(3_000, LAST, LAST);
        assertEq(sold, 0, "sold at retail, bought at retail");
    }

    function test_trading_without_a_wire__given_the_cheapest_purchase__comes_out_at_nothing() external {
        (, int256 bought,) = _tradeWithoutWire(3_000, 0, 0);
        assertEq(bought, 0, "bought at feed-in, sold at feed-in");
    }

    function test_trading_without_a_wire__given_two_meters_of_one_owner__costs_retail_and_fee_less_feed_in() external {
        (int256 sold, int256 bought,) = _tradeWithoutWire(3_000, 10, 20);
        assertEq(sold + bought, -960_000, "3 kWh x (0.36 + 0.04 - 0.08), whatever they ask of each other");
    }

    /// One tick beyond these terms the same orders would earn a tick a kWh.
    function test_trading_without_a_wire__given_terms_a_tick_wider__finds_no_such_market() external {
        MarketTerms memory terms = _terms();
        terms.tickCount += 1;
        _assertNoMarket(terms, "max is at most retail");
        terms = _terms();
        (terms.minPrice, terms.tickCount) = (uint40(MIN - TICK), terms.tickCount + 1);
        _assertNoMarket(terms, "feedIn is at most min + fee");
    }

    // ------------------------------------------------------------------------------------------------ silence as a strategy

    /// Who used no more than silence is charged for, and gave whatever it gave: silent it has at most as much as reporting, and
    /// the reading that comes late makes up for the difference.
    function test_silence_as_a_strategy__given_any_orders_and_reading__pays_no_more_than_reporting(uint256 draw) external {
        _order(seller, draw);
        _order(buyer, draw >> 64);
        Home memory silent = draw & 1 == 0 ? seller : buyer;
        vm.warp(_deadlineOf(SLOT));
        auction.clear(MARKET, SLOT);
        IEnergyAuction.Position memory position = auction.positionOf(silent.meter, SLOT);
        uint256 charged = position.side == BID && position.filledWh > 500 ? position.filledWh : 500;
        uint32 importWh = uint32((draw >> 128) % (charged + 1));
        uint32 exportWh = uint32((draw >> 160) % 3_001);

        uint256 start = vm.snapshotState();
        _settle(silent, SLOT, 1, importWh, exportWh);
        int256 reporting = _worthOf(silent.owner.addr);
        vm.revertToState(start);
        assertReason(_settleByDefault(silent, SLOT), 0, "silent");
        assertTrue(_worthOf(silent.owner.addr) <= reporting, "silence never pays");
        _settle(silent, SLOT, 1, importWh, exportWh);
        assertEq(_worthOf(silent.owner.addr), reporting, "nor does it cost who speaks in time");
    }

    /// Whoever used more hides it only as long as its signed reading stays hidden; anyone may bring that.
    function test_silence_as_a_strategy__given_more_used_than_charged_for__ends_with_the_reading() external {
        vm.warp(_deadlineOf(SLOT));
        auction.clear(MARKET, SLOT);
        _settleByDefault(buyer, SLOT);
        assertEq(_worthOf(buyer.owner.addr), 10_000_000 - 180_000, "500 of 3,000 Wh at retail");
        vm.warp(_correctionEndOf(SLOT) - 1);
        vm.prank(stranger.addr);
        assertReason(_settle(buyer, SLOT, 1, 3_000, 0), 0, "in the window's last second");
        assertEq(_worthOf(buyer.owner.addr), 10_000_000 - 1_080_000, "all of it at retail");
    }

    /// Orders do not make it cheaper either: what was bought is paid at its price, what was sold at retail.
    function test_silence_as_a_strategy__given_a_sale__costs_no_less_than_no_order() external {
        Home memory idle = _home(6);
        _ask(seller, 10, MIN + LAST * TICK);
        _bid(buyer, 10, RETAIL + FEE);
        vm.warp(_deadlineOf(SLOT));
        auction.clear(MARKET, SLOT);
        _settleByDefault(idle, SLOT);
        _settleByDefault(seller, SLOT);
        assertEq(_worthOf(idle.owner.addr), 10_000_000 - 180_000, "defaultWh at retail");
        assertEq(_worthOf(seller.owner.addr), 10_000_000 - 180_000, "no less, sold at retail though it was");
    }

    // ------------------------------------------------------------------------------------------------------------ helpers

    /// What seller, buyer and utility gain by a trade of which both read nothing.
    function _tradeWithoutWire(uint256 energyWh, uint256 askTick, uint256 bidTick)
        private
        returns (int256 sold, int256 bought, int256 utilitys)
    {
        _ask(seller, energyWh, MIN + askTick * TICK);
        _bid(buyer, energyWh, MIN + bidTick * TICK + FEE);
        vm.warp(_endOf(SLOT));
        _settle(seller, SLOT, 1, 0, 0);
        _settle(buyer, SLOT, 1, 0, 0);
        assertEq(auction.clearingOf(MARKET, SLOT).volumeWh, energyWh, "they traded");
        sold = _worthOf(seller.owner.addr) - 10_000_000;
        bought = _worthOf(buyer.owner.addr) - 10_000_000;
        utilitys = _worthOf(utility.addr) - 1_000_000_000;
    }

    /// Any order, or none.
    function _order(Home memory home, uint256 draw) private {
        uint256 energyWh = 10 + (draw >> 8) % 2_991;
        uint256 price = MIN + (draw >> 32) % (LAST + 1) * TICK;
        if (draw % 8 == 0) return;
        if (draw % 2 == 0) _bid(home, energyWh, price + FEE);
        else _ask(home, energyWh, price);
    }

    function _assertNoMarket(MarketTerms memory terms, string memory rule) private {
        Act memory create = _marketAct("CreateMarket", terms, operator);
        Act memory underwrite = _marketAct("Underwrite", terms, utility);
        vm.expectRevert(abi.encodeWithSelector(IEnergyAuction.TermsNotAllowed.selector, rule));
        auction.createMarket(terms, create, underwrite);
    }
}
