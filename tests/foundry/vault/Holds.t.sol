// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IVault } from "../../../contracts/interfaces/IVault.sol";
import { vm } from "../support/Vm.sol";
import { VaultTest } from "./VaultTest.sol";

/// Held money can serve as collateral at once and be withdrawn only later:
///
///     periods    |     p      |   p + 1    |   p + 2    |
///     now             x
///     near hold       ^----------> free from here on
///     far hold        ^-----------------------> free from here on
contract HoldsTest is VaultTest {
    uint256 private _now;

    function setUp() public override {
        super.setUp();
        // A third into a hold period.
        _now = (START / HOLD_LENGTH + 1) * HOLD_LENGTH + HOLD_LENGTH / 3;
        vm.warp(_now);
        _deposit(utility.addr, 1_000);
    }

    function test_settle__given_a_hold_beyond_the_next_period__reverts() external {
        uint256 limit = (_now / HOLD_LENGTH + 2) * HOLD_LENGTH;
        IVault.Settlement memory settlement = _settlement(0);
        settlement.holdUntil = uint40(limit);
        vm.prank(module);
        vm.expectRevert(abi.encodeWithSelector(IVault.HoldTooFar.selector, limit, limit));
        vault.settle(settlement);
    }

    function test_withdraw__given_held_money__reverts() external {
        _hold(100, 30, _now + 1 days);
        vm.prank(home);
        vm.expectRevert(abi.encodeWithSelector(IVault.WithdrawalAboveWithdrawable.selector, home, 70, 71));
        vault.withdraw(home, 71);
    }

    function test_settle__given_a_hold_one_hold_length_ahead__is_never_too_far(uint256 time) external {
        time = _bound(time, _now, _now + 100 * uint256(HOLD_LENGTH));
        vm.warp(time);
        _hold(100, 30, time + HOLD_LENGTH);
        _assertAccount(home, 100, 30, 0, "home");
    }

    function test_lock__given_held_money__takes_it_as_collateral() external {
        _hold(100, 100, _now + 1 days);
        assertReason(_lock(home, 100), 0, "collateral at once");
        assertReason(_lock(home, -100), 0, "and back");
        assertEq(vault.withdrawableOf(home), 0, "which frees nothing");
    }

    function test_settle__given_a_past_hold__holds_nothing() external {
        _hold(100, 30, (_now / HOLD_LENGTH) * HOLD_LENGTH - 1);
        _assertAccount(home, 100, 0, 0, "home");
    }

    function test_settle__given_less_held_later__frees_the_difference_and_never_more() external {
        _hold(100, 30, _now + 1 days);
        _hold(0, -10, _now + 1 days);
        _assertAccount(home, 100, 20, 0, "held == 30 - 10");
        _hold(0, -25, _now + 1 days);
        _assertAccount(home, 100, 0, 0, "held is not below zero");
    }

    function test_settle__given_both_buckets__reduces_its_own() external {
        _hold(100, 30, _now + 1 days);
        _hold(0, 20, _now + HOLD_LENGTH);
        _hold(0, -50, _now + 1 days);
        _assertAccount(home, 100, 20, 0, "the far hold stays");
    }

    function test_accountOf__given_time_passes__frees_near_then_far() external {
        _hold(100, 30, _now + 1 days);
        _hold(0, 20, _now + HOLD_LENGTH);
        uint256 next = (_now / HOLD_LENGTH + 1) * HOLD_LENGTH;

        vm.warp(next - 1);
        assertEq(_heldOf(home), 50, "both are held until the period ends");
        vm.warp(next);
        assertEq(_heldOf(home), 20, "the near one is free");
        vm.warp(next + HOLD_LENGTH - 1);
        assertEq(_heldOf(home), 20, "the far one is held until its period ends");
        vm.warp(next + HOLD_LENGTH);
        assertEq(_heldOf(home), 0, "the far one is free");
    }

    function test_accountOf__given_a_write_in_between__keeps_the_far_hold() external {
        _hold(100, 20, _now + HOLD_LENGTH);
        vm.warp(_now + HOLD_LENGTH);
        _deposit(home, 1);
        assertEq(_heldOf(home), 20, "far became near, and was written so");
        vm.warp(_now + 2 * HOLD_LENGTH);
        assertEq(_heldOf(home), 0, "free a period later");
    }

    function test_accountOf__given_more_than_16_bits_of_periods__counts_on() external {
        uint256 last = (_now / HOLD_LENGTH + 65_536) * HOLD_LENGTH;
        for (uint256 i = 0; i < 3; ++i) {
            vm.warp(last + i * 3 * HOLD_LENGTH);
            _hold(10, 10, block.timestamp + HOLD_LENGTH);
            vm.warp(block.timestamp + HOLD_LENGTH);
            assertEq(_heldOf(home), 10, "held in the next period");
            vm.warp(block.timestamp + HOLD_LENGTH);
            assertEq(_heldOf(home), 0, "free in the one after");
        }
    }

    function test_settle__given_more_held_than_56_bits__keeps_the_most() external {
        _hold(0, type(int96).max, _now + 1 days);
        assertEq(_heldOf(home), type(uint56).max, "held == 2^56 - 1");
        _hold(0, type(int96).min, _now + 1 days);
        assertEq(_heldOf(home), 0, "held == 0");
    }

    /// What is held until u cannot be withdrawn before u, and can at the latest one hold length after it.
    function test_accountOf__given_any_hold__ends_between_its_time_and_one_hold_length_later(
        uint256 start,
        uint256 ahead,
        uint256 wait
    ) external {
        start = _bound(start, _now, _now + 1_000 * uint256(HOLD_LENGTH));
        uint256 until = start + _bound(ahead, 0, HOLD_LENGTH);
        vm.warp(start);
        _hold(100, 30, until);

        uint256 time = start + _bound(wait, 0, 4 * uint256(HOLD_LENGTH));
        vm.warp(time);
        if (time <= until) assertEq(_heldOf(home), 30, "held until its time");
        if (time > until + HOLD_LENGTH) assertEq(_heldOf(home), 0, "free one hold length later");
        assertEq(vault.withdrawableOf(home), 100 - _heldOf(home), "withdrawable == available - held");
    }

    function _hold(int96 credit, int96 hold, uint256 until) private {
        IVault.Settlement memory settlement = _settlement(1);
        settlement.holdUntil = uint40(until);
        settlement.legs[0] = IVault.Leg(home, true, 0, credit, hold, REF);
        _settle(settlement);
    }
}
