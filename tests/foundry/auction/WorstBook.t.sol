// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { ClearingHarness } from "../../../contracts/mocks/ClearingHarness.sol";
import { ASK, BID } from "../../../contracts/types/Order.sol";
import { Test } from "../support/Test.sol";
import { vm } from "../support/Vm.sol";
import { WorstBook } from "./WorstBook.sol";

/// Looks for the book that is dearest to clear, by hill climbing from random and from hostile books. What it finds stands in
/// WorstBook.sol, which ClearGas.t.sol clears in the real auction. When a change of the search makes another book worse, the
/// test fails and says which.
contract WorstBookTest is Test {
    uint256 private constant CLIMBS = 6;
    uint256 private constant STEPS = 120;
    uint256 private constant ORDERS = 6;

    event log_named_uint(string key, uint256 val);

    ClearingHarness private auction;
    /// side << 32 | tick << 16 | energy
    uint256[ORDERS] private book;

    function setUp() public {
        auction = new ClearingHarness();
        // every word has been written before, as in a ring that has turned
        for (uint256 tick = 0; tick < 1024; tick += 8) {
            auction.add(BID, tick, 1);
            auction.add(ASK, tick, 1);
        }
    }

    function test_clear__given_a_search_for_the_worst_book__finds_none_worse_than_the_one_kept() external {
        (uint8[] memory sides, uint256[] memory ticks, uint256[] memory energies) = WorstBook.orders();
        auction.turn();
        for (uint256 i = 0; i < ticks.length; ++i) {
            auction.add(sides[i], ticks[i], energies[i]);
        }
        uint256 kept = _gas();
        emit log_named_uint("gas of finding the price of the book kept", kept);
        for (uint256 climb = 0; climb < CLIMBS; ++climb) {
            uint256 worst = _climb(climb);
            emit log_named_uint("a climb found", worst);
            if (worst > kept) _print();
            assertLe(worst, kept, "put the book printed above into WorstBook.sol");
        }
    }

    /// Changes one order at a time, and keeps what costs more.
    function _climb(uint256 seed) private returns (uint256 worst) {
        for (uint256 i = 0; i < ORDERS; ++i) {
            book[i] = _draw(seed, i);
        }
        worst = _gasOfBook();
        for (uint256 step = 0; step < STEPS; ++step) {
            uint256 draw = uint256(keccak256(abi.encode(seed, step, "step")));
            uint256 i = draw % ORDERS;
            uint256 before = book[i];
            book[i] = _draw(draw, step);
            uint256 gas = _gasOfBook();
            if (gas > worst) worst = gas;
            else book[i] = before;
        }
    }

    /// Any tick, or, half of the time, one at the border of a group or word or at an end of the grid.
    function _draw(uint256 seed, uint256 number) private pure returns (uint256) {
        uint256 draw = uint256(keccak256(abi.encode(seed, number)));
        uint256 tick = (draw >> 8) % 1024;
        uint256 kind = (draw >> 32) % 6;
        if (kind == 0) tick = tick / 32 * 32;
        if (kind == 1) tick = tick / 32 * 32 + 31;
        if (kind == 2) tick = tick / 8 * 8 + 7;
        if (kind == 3) tick = (draw >> 40) % 2 == 0 ? (draw >> 48) % 32 : 1023 - (draw >> 48) % 32;
        uint256 side = draw % 2 == 0 ? BID : ASK;
        uint256 energy = (draw >> 64) % 3 == 0 ? 1 + (draw >> 72) % 1_000 : 10;
        // sometimes no order at all
        return (draw >> 96) % 8 == 0 ? 0 : (side << 32) | (tick << 16) | energy;
    }

    function _gasOfBook() private returns (uint256) {
        auction.turn();
        for (uint256 i = 0; i < ORDERS; ++i) {
            if (book[i] != 0) auction.add(uint8(book[i] >> 32), (book[i] >> 16) & 0xffff, book[i] & 0xffff);
        }
        return _gas();
    }

    function _gas() private returns (uint256) {
        vm.cool(address(auction));
        return this.measure();
    }

    /// A call of its own, whose memory begins empty.
    function measure() external view returns (uint256 gas) {
        gas = gasleft();
        auction.clear();
        gas -= gasleft();
    }

    function _print() private {
        for (uint256 i = 0; i < ORDERS; ++i) {
            emit log_named_uint("side", book[i] >> 32);
            emit log_named_uint("tick", (book[i] >> 16) & 0xffff);
            emit log_named_uint("Wh", book[i] & 0xffff);
        }
    }
}
