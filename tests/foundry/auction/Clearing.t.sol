// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IEnergyAuction } from "../../../contracts/interfaces/IEnergyAuction.sol";
import { ClearingHarness } from "../../../contracts/mocks/ClearingHarness.sol";
import { ASK, BID } from "../../../contracts/types/Order.sol";
import { Test } from "../support/Test.sol";
import { NaiveBook } from "./NaiveBook.sol";

/// Clearing over words against the definitions of docs/market.md, tick by tick.
contract ClearingTest is Test {
    uint256 private constant TICKS = 1024;
    uint256 private constant NONE = 0xffff;

    ClearingHarness private auction;
    NaiveBook private naive;

    function setUp() public {
        auction = new ClearingHarness();
        naive = new NaiveBook();
    }

    // ------------------------------------------------------------------------------------------------- against brute force

    /// Few ticks far apart: empty words and groups between them.
    function test_clear__given_scattered_books__finds_what_brute_force_finds(uint256 seed) external {
        _fuzz(seed, 12, TICKS, 3_000);
    }

    /// All on a handful of ticks: ties, rationing and exact balance.
    function test_clear__given_crowded_books__finds_what_brute_force_finds(uint256 seed) external {
        _fuzz(seed, 24, 9, 3);
    }

    /// Around the borders of a word and a group.
    function test_clear__given_books_at_a_border__finds_what_brute_force_finds(uint256 seed) external {
        uint256 border = 32 * (1 + (seed >> 128) % 31);
        for (uint256 i = 0; i < 16; ++i) {
            uint256 draw = uint256(keccak256(abi.encode(seed, i)));
            _add(draw % 2 == 0 ? BID : ASK, border - 2 + (draw >> 8) % 4, 1 + (draw >> 64) % 4);
        }
        _compare();
    }

    function test_clear__given_largest_energies__does_not_overflow(uint256 seed) external {
        for (uint256 i = 0; i < 40; ++i) {
            uint256 draw = uint256(keccak256(abi.encode(seed, i)));
            uint256 tick = 32 * (draw % 32) + (draw >> 16) % 32;
            uint8 side = (draw >> 8) % 2 == 0 ? BID : ASK;
            if (naive.groupEnergy(side, tick / 32) == 0) _add(side, tick, (1 << 30) - 1);
        }
        _compare();
    }

    // --------------------------------------------------------------------------------------------------- one by one

    function test_clear__given_an_empty_book__does_not_trade() external view {
        IEnergyAuction.Clearing memory found = auction.clear();
        assertTrue(found.cleared && !found.traded, "cleared without a trade");
        assertEq(found.lowTick, NONE, "no best bid");
        assertEq(found.highTick, NONE, "no best ask");
    }

    function test_clear__given_only_bids__publishes_the_best() external {
        _add(BID, 7, 10);
        _add(BID, 900, 10);
        IEnergyAuction.Clearing memory found = _compare();
        assertEq(found.lowTick, 900, "best bid");
        assertEq(found.highTick, NONE, "no best ask");
    }

    function test_clear__given_only_asks__publishes_the_best() external {
        _add(ASK, 0, 10);
        _add(ASK, 900, 10);
        IEnergyAuction.Clearing memory found = _compare();
        assertEq(found.lowTick, NONE, "no best bid");
        assertEq(found.highTick, 0, "best ask");
    }

    function test_clear__given_no_overlap__does_not_trade() external {
        _add(BID, 100, 10);
        _add(ASK, 101, 10);
        IEnergyAuction.Clearing memory found = _compare();
        assertFalse(found.traded, "no trade");
        assertEq(found.lowTick, 100, "best bid");
        assertEq(found.highTick, 101, "best ask");
    }

    function test_clear__given_exact_balance__takes_the_middle_of_the_interval() external {
        _add(BID, 1023, 10);
        _add(ASK, 0, 10);
        IEnergyAuction.Clearing memory found = _compare();
        assertEq(found.lowTick, 0, "low");
        assertEq(found.highTick, 1023, "high");
        assertEq(found.priceTick, 511, "floor of the middle");
        assertEq(found.longSide, 0, "nobody is rationed");
    }

    function test_clear__given_more_bids_at_the_price__shares_among_them() external {
        _add(BID, 50, 10);
        _add(ASK, 40, 7);
        IEnergyAuction.Clearing memory found = _compare();
        assertEq(found.priceTick, 50, "the marginal bid sets the price");
        assertEq(found.longSide, BID, "bids are rationed");
        assertEq(found.sharedWh, 7, "what they share");
        assertEq(found.longWh, 10, "their energy");
        assertEq(auction.fill(found, BID, 50, 3), 2, "floor(7 x 3 / 10)");
    }

    function test_clear__given_a_stale_book__reads_it_as_empty() external {
        _add(BID, 50, 10);
        _add(ASK, 40, 7);
        auction.turn();
        assertFalse(auction.clear().traded, "the words of another turn are empty");
        naive = new NaiveBook();
        _add(BID, 51, 1);
        _compare();
    }

    // ------------------------------------------------------------------------------------------------------------- ladder

    function test_add__given_a_full_group__refuses_and_changes_nothing() external {
        _add(BID, 32, (1 << 30) - 2);
        (bool done,) = address(auction).call(abi.encodeCall(auction.add, (BID, 63, 2)));
        assertFalse(done, "no room for 2");
        assertEq(auction.energyAt(BID, 63), 0, "nothing was put there");
        _add(BID, 63, 1);
        assertEq(auction.energyAt(BID, 63), 1, "room for 1");
        assertEq(auction.energyAt(BID, 32), (1 << 30) - 2, "its neighbour stays");
    }

    function test_remove__given_what_was_added__leaves_the_rest(uint256 seed) external {
        uint256[] memory ticks = new uint256[](30);
        for (uint256 i = 0; i < ticks.length; ++i) {
            uint256 draw = uint256(keccak256(abi.encode(seed, i)));
            ticks[i] = draw % TICKS;
            _add(uint8(1 + i % 2), ticks[i], 1 + i);
        }
        for (uint256 i = 0; i < ticks.length; i += 3) {
            auction.remove(uint8(1 + i % 2), ticks[i], 1 + i);
            naive.remove(uint8(1 + i % 2), ticks[i], 1 + i);
        }
        for (uint256 i = 0; i < ticks.length; ++i) {
            assertEq(auction.energyAt(BID, ticks[i]), naive.energy(BID, ticks[i]), "bids at the tick");
            assertEq(auction.energyAt(ASK, ticks[i]), naive.energy(ASK, ticks[i]), "asks at the tick");
        }
        _compare();
    }

    // ------------------------------------------------------------------------------------------------------------ helpers

    function _fuzz(uint256 seed, uint256 orders, uint256 span, uint256 most) private {
        uint256 first = seed % (TICKS - span + 1);
        for (uint256 i = 0; i < 1 + seed % orders; ++i) {
            uint256 draw = uint256(keccak256(abi.encode(seed, i)));
            _add(draw % 2 == 0 ? BID : ASK, first + (draw >> 8) % span, 1 + (draw >> 64) % most);
        }
        _compare();
    }

    function _add(uint8 side, uint256 tick, uint256 energyWh) private {
        auction.add(side, tick, energyWh);
        naive.add(side, tick, energyWh);
    }

    function _compare() private view returns (IEnergyAuction.Clearing memory found) {
        found = auction.clear();
        IEnergyAuction.Clearing memory wanted = naive.clear();
        assertTrue(found.traded == wanted.traded, "traded");
        assertEq(found.lowTick, wanted.lowTick, "low = least t with D(t + 1) <= S(t)");
        assertEq(found.highTick, wanted.highTick, "high = next tick with energy if D(low + 1) = S(low)");
        assertEq(found.priceTick, wanted.priceTick, "price = floor((low + high) / 2)");
        assertEq(found.volumeWh, wanted.volumeWh, "volume = min(D(price), S(price))");
        assertEq(found.longSide, wanted.longSide, "long side");
        assertEq(found.sharedWh, wanted.sharedWh, "shared at the price");
        assertEq(found.longWh, wanted.longWh, "energy at the price");
        if (found.traded) naive.assertMost(found.volumeWh);
    }
}
