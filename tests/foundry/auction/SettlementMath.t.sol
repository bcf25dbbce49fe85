// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { SettlementHarness } from "../../../contracts/mocks/SettlementHarness.sol";
import { MarketTerms } from "../../../contracts/types/MarketTerms.sol";
import { ASK, BID } from "../../../contracts/types/Order.sol";
import { Test } from "../support/Test.sol";

/// The cash of one meter, against exact sums of thousandths.
contract SettlementMathTest is Test {
    SettlementHarness private auction;

    function setUp() public {
        auction = new SettlementHarness();
    }

    // --------------------------------------------------------------------------------------------------------------- cash

    function test_cash__given_any_meter__pays_floors_that_sum_to_zero(
        uint256 prices,
        uint32 traded,
        bool sells,
        uint32 importWh,
        uint32 exportWh
    ) external view {
        MarketTerms memory terms = _terms(prices);
        uint256 price = (prices >> 96) % (uint256(terms.retailPrice) + 1);
        (uint256 bought, uint256 sold) = sells ? (uint256(0), uint256(traded)) : (uint256(traded), uint256(0));
        (int256 trade, int256 account, int256 operator, int256 hold) =
            auction.cash(terms, price, bought, sold, importWh, exportWh);

        int256 net = int256(sold) - int256(bought);
        int256 t = int256(price) * net;
        int256 f = int256(uint256(terms.gridFee)) * int256(bought);
        int256 d = int256(uint256(exportWh)) - int256(uint256(importWh)) - net;
        int256 v = d >= 0 ? int256(uint256(terms.feedInPrice)) * d : int256(uint256(terms.retailPrice)) * d;
        _assertFloor(trade, t, "pot = -floor(T / 1000)");
        _assertFloor(trade + account, t - f + v, "account = floor((T - F + V) / 1000)");
        _assertFloor(-account - operator, -v, "utility = floor(-V / 1000)");
        _assertGe(operator, 0, "operator >= 0");
        if (v > 0) _assertFloor(hold, v, "hold = floor(V / 1000)");
        else assertEq(hold, 0, "nothing to hold");
    }

    function test_cash__given_reading_as_traded__moves_trade_and_fee_alone() external view {
        (int256 trade, int256 account, int256 operator, int256 hold) =
            auction.cash(_worked(), 210_000, 1_500, 0, 1_500, 0);
        assertEq(trade, -315_000, "1.5 kWh at 0.21");
        assertEq(account, -60_000, "and 0.04 a kWh to the grid");
        assertEq(operator, 60_000, "which the operator gets");
        assertEq(hold, 0, "nothing beyond the trade");
    }

    function test_cash__given_a_seller_short_of_energy__buys_the_rest_at_retail() external view {
        (int256 trade, int256 account,, int256 hold) = auction.cash(_worked(), 210_000, 0, 2_000, 0, 1_500);
        assertEq(trade, 420_000, "2 kWh at 0.21");
        assertEq(account, -180_000, "0.5 kWh at 0.36");
        assertEq(hold, 0, "no gain");
    }

    // --------------------------------------------------------------------------------------------------------- collateral

    function test_collateral__given_any_fill__covers_what_it_may_cost(uint256 prices, uint32 energyWh, uint256 draw)
        external
        view
    {
        MarketTerms memory terms = _terms(prices);
        uint256 energy = 1 + energyWh % (1 << 30);
        uint256 tick = draw % terms.tickCount;
        uint256 filled = (draw >> 32) % (energy + 1);
        uint256 bidPrice = terms.minPrice + (draw >> 64) % (tick + 1) * terms.tickSize;
        (int256 trade,,,) = auction.cash(terms, bidPrice, filled, 0, 0, 0);
        uint256 locked = auction.collateral(terms, BID, tick, energy);
        _assertGe(int256(locked) + trade, 0, "a bid's collateral covers its trade at any price up to its own");
        uint256 kept = auction.collateral(terms, BID, tick, filled);
        _assertGe(int256(kept) + trade, 0, "and so does what is kept of it after a release");
        assertLe(kept, locked, "a part of it never costs more");
        assertLe(auction.collateral(terms, ASK, tick, filled), auction.collateral(terms, ASK, tick, energy), "asks too");
    }

    function test_collateral__given_little_energy__is_the_dust_lock() external view {
        assertEq(auction.collateral(_worked(), BID, 0, 1), 1_000, "a bid of 1 Wh");
        assertEq(auction.collateral(_worked(), ASK, 0, 1), 1_000, "an ask of 1 Wh");
        assertEq(auction.collateral(_worked(), BID, 0, 0), 0, "nothing for nothing");
    }

    function test_collateral__given_an_ask__is_what_its_energy_would_cost_at_retail() external view {
        // tick 13 is 0.21
        assertEq(auction.collateral(_worked(), ASK, 13, 1_001), 150_150, "ceil((0.36 - 0.21) x 1.001)");
        assertEq(auction.collateral(_worked(), BID, 13, 1_001), 250_250, "ceil((0.21 + 0.04) x 1.001)");
    }

    function test_defaultImport__given_either_party__never_pays_for_silence() external view {
        assertEq(auction.defaultImport(_worked(), 700), 700, "a buyer used what it bought");
        assertEq(auction.defaultImport(_worked(), 100), 500, "and at least defaultWh");
        assertEq(auction.defaultImport(_worked(), 0), 500, "and so did a seller");
    }

    // ------------------------------------------------------------------------------------------------------------ helpers

    function _worked() private pure returns (MarketTerms memory terms) {
        terms.minPrice = 80_000;
        terms.tickSize = 10_000;
        terms.tickCount = 28;
        terms.gridFee = 40_000;
        terms.feedInPrice = 80_000;
        terms.retailPrice = 360_000;
        terms.defaultWh = 500;
    }

    function _terms(uint256 draw) private pure returns (MarketTerms memory terms) {
        terms.tickSize = uint32(1 + draw % 1_000);
        terms.tickCount = uint16(1 + (draw >> 16) % 1_024);
        terms.minPrice = uint40((draw >> 32) % 1_000_000);
        terms.gridFee = uint40((draw >> 56) % 100 * terms.tickSize);
        terms.retailPrice = uint40(
            (uint256(terms.minPrice) / terms.tickSize + 1 + terms.tickCount + (draw >> 72) % 1_000) * terms.tickSize
        );
        terms.feedInPrice = uint40((draw >> 84) % (uint256(terms.minPrice) + terms.gridFee + 1));
        terms.defaultWh = 500;
    }

    /// quotient = floor(dividend / 1000)
    function _assertFloor(int256 quotient, int256 dividend, string memory why) private pure {
        assertTrue(quotient * 1_000 <= dividend && dividend < (quotient + 1) * 1_000, why);
    }

    function _assertGe(int256 left, int256 right, string memory why) private pure {
        assertTrue(left >= right, why);
    }
}
