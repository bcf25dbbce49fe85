// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IDemandResponse } from "../../../contracts/interfaces/IDemandResponse.sol";
import { ISignedActs } from "../../../contracts/interfaces/ISignedActs.sol";
import { IVault } from "../../../contracts/interfaces/IVault.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { AssetEnrolment } from "../../../contracts/types/AssetEnrolment.sol";
import { Flexible, Responding } from "../response/Responding.sol";
import { vm } from "../support/Vm.sol";

/// Who tries to get more out of demand response, or to keep others from what is theirs.
contract ResponseAttackTest is Responding {
    uint32 private constant POWER_W = 4_000;
    int256 private constant BASELINE_WH = 5_000;

    uint32 private programme;
    Flexible private honest;
    Flexible private attacker;

    function setUp() public override {
        super.setUp();
        programme = _openProgramme(_programme());
        honest = _flexible(1);
        attacker = _flexible(2);
        _enrolAsset(_offerOf(honest), 1, honest.home.owner);
        _enrolAsset(_offerOf(attacker), 1, attacker.home.owner);
    }

    function _offerOf(Flexible memory flexible) private view returns (AssetEnrolment memory) {
        return _offer(programme, flexible.asset, POWER_W, 120_000, int32(BASELINE_WH));
    }

    function _event() private returns (uint32 number) {
        number = _announce(programme, SHED, SLOTS, 2 * POWER_W);
        _call(number, honest.asset);
        _call(number, attacker.asset);
        _toGate(SHED);
        response.dispatch(number, 2);
        _toSlot(SHED + SLOTS);
    }

    /// The same act again: it would call a second event, or take the same enrolment back.
    function test_replay__ofAnyAct__reverts() external {
        Act memory act = _callAct(programme, SHED, SLOTS, POWER_W, operator);
        response.announce(programme, SHED, SLOTS, POWER_W, act);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.NonceUsed.selector, operator.addr, act.nonce));
        response.announce(programme, SHED, SLOTS, POWER_W, act);
    }

    /// An enrolment that was taken back does not come again by its old signature.
    function test_replay__ofAnOldEnrolment__reverts() external {
        Act memory first = _enrolmentAct(_offerOf(attacker), 1, attacker.home.owner);
        AssetEnrolment memory leaving = _offerOf(attacker);
        leaving.committedW = 0;
        _enrolAsset(leaving, 2, attacker.home.owner);
        Act memory agreement = _agreement(_offerOf(attacker), operator);
        vm.expectRevert(abi.encodeWithSelector(IDemandResponse.EnrolmentNotNewer.selector, 1, 2));
        response.enrol(_offerOf(attacker), first, agreement);
    }

    /// Its bond is not to be taken home before the event is settled, nor its terms to be bettered.
    function test_enrol__leavingBeforeThePenalty__reverts() external {
        _event();
        AssetEnrolment memory leaving = _offerOf(attacker);
        leaving.committedW = 0;
        Act memory act = _enrolmentAct(leaving, 2, attacker.home.owner);
        vm.expectRevert(abi.encodeWithSelector(IDemandResponse.MeterCommitted.selector, attacker.home.meter, 1));
        response.enrol(leaving, act, act);
    }

    /// The same commitment twice in one call, and its neighbour's too.
    function test_settle__sameIndexTwiceInABatch__paysOnce() external {
        uint32 number = _event();
        _record(attacker.home, SHED, SLOTS, BASELINE_WH - 1_000);
        uint256 before = _availableOf(attacker.home.owner.addr);
        uint32[] memory indices = new uint32[](3);
        (indices[0], indices[1], indices[2]) = (1, 1, 1);
        response.settle(number, indices);
        assertEq(_availableOf(attacker.home.owner.addr) - before, 4 * 120_000, "once");
        assertEq(_bookOf(number).settled, 1, "once");
    }

    /// What may still be taken back is not to be withdrawn.
    function test_withdraw__beforeReadingsAreFinal__reverts() external {
        uint32 number = _event();
        _record(attacker.home, SHED, SLOTS, BASELINE_WH - 1_000);
        address account = attacker.home.owner.addr;
        uint256 free = vault.withdrawableOf(account);
        _settleAt(number, 1);
        vm.expectRevert(
            abi.encodeWithSelector(IVault.WithdrawalAboveWithdrawable.selector, account, free, free + 1)
        );
        vm.prank(account);
        vault.withdraw(account, free + 1);
    }

    /// Using more than the baseline costs what silence costs, and touches nobody else's part.
    function test_settle__attackerUsesMore__honestIsPaidInFull() external {
        uint32 number = _event();
        _record(attacker.home, SHED, SLOTS, BASELINE_WH + 5_000);
        _record(honest.home, SHED, SLOTS, BASELINE_WH - 1_000);
        uint32[] memory indices = new uint32[](2);
        (indices[0], indices[1]) = (1, 0);
        response.settle(number, indices);
        assertEq(_netOf(number, 0), 4 * 120_000, "in full");
        assertEq(_netOf(number, 1), -4 * 300_000, "as silence");
    }

    /// Two closed events pay their budgets back once; the honest bond stays where it is.
    function test_close__ofACancelledEventTwice__reverts() external {
        uint32 number = _announce(programme, SHED, SLOTS, POWER_W);
        _cancel(number);
        response.close(number);
        vm.expectRevert(abi.encodeWithSelector(IDemandResponse.ResponseIsClosed.selector, number));
        response.close(number);
    }

    /// Settled out of a cancelled event: released, never paid.
    function test_settle__ofACancelledEvent__paysNothing() external {
        uint32 number = _announce(programme, SHED, SLOTS, POWER_W);
        _call(number, attacker.asset);
        _cancel(number);
        response.close(number);
        _settleCancelled(number);
        assertEq(_netOf(number, 0), 0, "nothing");
        assertEq(_enrolmentOf(programme, attacker.asset).bond(), 4 * 300_000, "the bond is whole");
    }

    function _settleCancelled(uint32 number) private {
        _toSlot(SHED + SLOTS);
        _record(attacker.home, SHED, SLOTS, BASELINE_WH - 1_000);
        uint256 before = _availableOf(attacker.home.owner.addr);
        _settleAt(number, 0);
        assertEq(_availableOf(attacker.home.owner.addr), before, "nothing moves");
    }
}
