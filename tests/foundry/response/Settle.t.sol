// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IDemandResponse } from "../../../contracts/interfaces/IDemandResponse.sol";
import { ProgrammeTerms } from "../../../contracts/types/Programme.sol";
import { vm } from "../support/Vm.sol";
import { Flexible, Responding } from "./Responding.sol";

/// One home of 5 kWh a slot that promised 4 kW, 1 kWh a slot, for an hour at 0.12: 0.12 a slot, 0.30 for a kWh that is missing.
contract SettleTest is Responding {
    uint32 private constant POWER_W = 4_000;
    int256 private constant BASELINE_WH = 5_000;
    int256 private constant PAY = 120_000; // a slot
    int256 private constant PENALTY = 300_000; // a slot

    uint32 private programme;
    uint32 private number;
    Flexible private flexible;
    address private account;

    function setUp() public override {
        super.setUp();
        flexible = _flexible(1);
        account = flexible.home.owner.addr;
        _begin(_programme());
    }

    /// Up to its setpoint.
    function _begin(ProgrammeTerms memory terms) private {
        programme = _openProgramme(terms);
        uint256 version = 1;
        _enrolAsset(
            _offer(programme, flexible.asset, POWER_W, 120_000, int32(BASELINE_WH)), version, flexible.home.owner
        );
        _dispatchAt(SHED);
    }

    function _dispatchAt(uint32 slot) private {
        number = _announce(programme, slot, SLOTS, POWER_W);
        _call(number, flexible.asset);
        _toGate(slot);
        response.dispatch(number, 1);
    }

    function _another(ProgrammeTerms memory terms) private {
        programme = _openProgramme(terms);
        _settleSilence();
        _enrolAsset(_offer(programme, flexible.asset, POWER_W, 120_000, int32(BASELINE_WH)), 1, flexible.home.owner);
        _dispatchAt(SHED + 2 * DAY);
    }

    /// Ends the first event, so that the meter is free.
    function _settleSilence() private {
        _toSlot(SHED + SLOTS + 4);
        _settleAt(number, 0);
    }

    function _shed(uint32 slot, int256 deliveredWh) private {
        _toSlot(slot + SLOTS);
        _record(flexible.home, slot, SLOTS, BASELINE_WH - deliveredWh);
    }

    function test_settle__beforeTheEnd__reverts() external {
        _toSlot(SHED + SLOTS - 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IDemandResponse.ResponseNotEnded.selector, number, uint256(SHED + SLOTS) * SLOT_LENGTH
            )
        );
        response.settle(number, _one(0));
    }

    function test_settle__noSuchCommitment__reverts() external {
        _toSlot(SHED + SLOTS);
        vm.expectRevert(abi.encodeWithSelector(IDemandResponse.UnknownCommitment.selector, number, 1));
        response.settle(number, _one(1));
    }

    function test_settle__unknownEvent__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IDemandResponse.UnknownResponse.selector, 7));
        response.settle(7, _one(0));
    }

    function test_settle__tooMany__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IDemandResponse.TooManyAssets.selector, 65, 64));
        response.settle(number, new uint32[](65));
    }

    function test_settle__readingsMissingInTime__isRefused() external {
        _toSlot(SHED + SLOTS);
        bytes32 reason = _settleReason(number, 0);
        assertEq(reason, bytes32(IDemandResponse.ReadingsMissing.selector), "wait for them");
    }

    function test_settle__delivered__paysOutOfTheBudget() external {
        _shed(SHED, 1_000);
        uint256 before = _availableOf(account);
        _settleAt(number, 0);
        assertEq(int256(_availableOf(account) - before), 4 * PAY, "four slots");
        assertEq(_heldOf(account), uint256(4 * PAY), "held while a reading can change it");
        assertEq(int256(uint256(_bookOf(number).spent)), 4 * PAY, "out of the budget");
    }

    function test_settle__moreThanPromised__paysWhatWasPromised() external {
        _shed(SHED, 4_000);
        _settleAt(number, 0);
        assertEq(_netOf(number, 0), 4 * PAY, "no more");
    }

    function test_settle__usedMore__chargesTheBond() external {
        _shed(SHED, -500);
        uint256 payer = _availableOf(operator.addr);
        uint256 before = _availableOf(account);
        _settleAt(number, 0);
        assertEq(_netOf(number, 0), -4 * PENALTY, "as silence, not more");
        assertEq(_availableOf(account), before, "its account is not touched");
        assertEq(_enrolmentOf(programme, flexible.asset).bond(), 0, "its bond is");
        assertEq(int256(_availableOf(operator.addr) - payer), 4 * PENALTY, "the payer has it");
    }

    function test_settle__partly__paysTheDifference() external {
        _shed(SHED, 600);
        _settleAt(number, 0);
        // 0.072 for 600 Wh, 0.12 for 400 Wh short
        assertEq(_netOf(number, 0), 4 * (72_000 - 120_000), "pay less penalty");
    }

    function test_settle__silent__chargesAfterTheDeadline() external {
        _toSlot(SHED + SLOTS + 4);
        _settleAt(number, 0);
        assertEq(_netOf(number, 0), -4 * PENALTY, "nothing delivered");
    }

    function test_settle__silentButTheOperatorKeepsTheMeter__chargesNothing() external {
        ProgrammeTerms memory terms = _programme();
        terms.keptByOperator = true;
        _another(terms);
        _toSlot(SHED + 2 * DAY + SLOTS + 4);
        _settleAt(number, 0);
        assertEq(_netOf(number, 0), 0, "no pay, no penalty");
    }

    function test_settle__voluntary__neverCharges() external {
        ProgrammeTerms memory terms = _programme();
        terms.firm = false;
        _another(terms);
        _shed(SHED + 2 * DAY, 400);
        _settleAt(number, 0);
        assertEq(_netOf(number, 0), 4 * 48_000, "0.048 a slot for 400 Wh");
    }

    function test_settle__upwards__paysForUsingMore() external {
        ProgrammeTerms memory terms = _programme();
        terms.up = true;
        _another(terms);
        _shed(SHED + 2 * DAY, -800);
        _settleAt(number, 0);
        assertEq(_netOf(number, 0), 4 * (96_000 - 60_000), "800 Wh more, 200 short");
    }

    function test_settle__twice__isRefused() external {
        _shed(SHED, 1_000);
        _settleAt(number, 0);
        uint256 before = _availableOf(account);
        bytes32 reason = _settleReason(number, 0);
        assertEq(reason, bytes32(IDemandResponse.SettlementUnchanged.selector), "nothing has changed");
        assertEq(_availableOf(account), before, "nothing moves");
    }

    function test_settle__laterReadingShowsLess__takesTheDifferenceBack() external {
        _shed(SHED, 1_000);
        _settleAt(number, 0);
        uint256 before = _availableOf(account);
        uint256 payer = _availableOf(operator.addr);
        _recordOne(flexible.home, SHED, 2, BASELINE_WH - 500);
        _settleAt(number, 0);
        assertEq(_netOf(number, 0), 3 * PAY + 60_000 - 150_000, "500 Wh short in one slot");
        assertEq(before - _availableOf(account), 60_000 + 150_000, "from the account");
        assertEq(_availableOf(operator.addr) - payer, 60_000 + 150_000, "to the payer");
    }

    function test_settle__lateReadingAfterSilence__givesThePenaltyBackAndPays() external {
        _toSlot(SHED + SLOTS + 4);
        _settleAt(number, 0);
        uint256 before = _availableOf(account);
        _record(flexible.home, SHED, SLOTS, BASELINE_WH - 1_000);
        _settleAt(number, 0);
        assertEq(_netOf(number, 0), 4 * PAY, "as if it had come at once");
        assertEq(int256(_availableOf(account) - before), 4 * (PAY + PENALTY), "pay, and the penalty from the payer");
    }

    function test_settle__upAndDownAgain__endsAsTheLastReadingAlone() external {
        _shed(SHED, 1_000);
        _settleAt(number, 0);
        for (uint32 slot = SHED; slot < SHED + SLOTS; ++slot) {
            _recordOne(flexible.home, slot, 2, BASELINE_WH);
        }
        _settleAt(number, 0);
        assertEq(_netOf(number, 0), -4 * PENALTY, "nothing delivered");
        for (uint32 slot = SHED; slot < SHED + SLOTS; ++slot) {
            _recordOne(flexible.home, slot, 3, BASELINE_WH - 1_000);
        }
        uint256 before = _availableOf(account) + _enrolmentOf(programme, flexible.asset).bond();
        _settleAt(number, 0);
        assertEq(_netOf(number, 0), 4 * PAY, "as at first");
        uint256 now_ = _availableOf(account) + _enrolmentOf(programme, flexible.asset).bond();
        assertEq(int256(now_ - before), 4 * (PAY + PENALTY), "whatever the path");
    }

    function test_settle__optedOutLate__costsLessThanSilence() external {
        _toSlot(SHED + 2);
        _optOut(number, 0, flexible.home.owner);
        _toSlot(SHED + SLOTS);
        _record(flexible.home, SHED, SLOTS, BASELINE_WH - 1_000);
        _settleAt(number, 0);
        assertEq(_netOf(number, 0), 2 * PAY - 2 * PENALTY / 2, "two slots delivered, two at half the rate");
    }

    function test_settle__neverDispatched__isReleased() external {
        _toSlot(SHED + SLOTS + 4);
        _settleAt(number, 0);
        uint32 next = _announce(programme, SHED + DAY, SLOTS, POWER_W);
        bytes32 reason = _callReason(next, flexible.asset);
        assertEq(reason, bytes32(IDemandResponse.BondSpent.selector), "its bond is gone");
    }

    /// It exports 2 kWh a slot that it never sold, of which 1 kWh is the response: the market pays that at feed-in already.
    function test_settle__marketCreditsTheSameEnergy__paysTheRest() external {
        _another(_programme());
        _toSlot(SHED + 2 * DAY + SLOTS);
        _record(flexible.home, SHED + 2 * DAY, SLOTS, BASELINE_WH - 7_000);
        _settleAt(number, 0);
        assertEq(_netOf(number, 0), 4 * (120_000 - 80_000), "0.12 less 0.08 that the market pays");
    }

    // ------------------------------------------------------------------------------------------------------------- close

    function test_close__beforeItIsFinal__reverts() external {
        _shed(SHED, 1_000);
        _settleAt(number, 0);
        uint256 finalAt = uint256(SHED + SLOTS) * SLOT_LENGTH + FINAL;
        vm.expectRevert(abi.encodeWithSelector(IDemandResponse.ResponseNotFinal.selector, number, finalAt));
        response.close(number);
    }

    function test_close__unsettled__reverts() external {
        _toFinal(SHED + SLOTS);
        vm.expectRevert(abi.encodeWithSelector(IDemandResponse.ResponseNotSettled.selector, number, 0, 1));
        response.close(number);
    }

    function test_close__settled__givesTheRestBack() external {
        _shed(SHED, 1_000);
        _settleAt(number, 0);
        _toFinal(SHED + SLOTS);
        uint256 before = _availableOf(operator.addr);
        response.close(number);
        // 4 kWh at 0.41 less 0.48
        assertEq(_availableOf(operator.addr) - before, 1_640_000 - 480_000, "what was not paid");
        assertEq(
            vault.potOf(address(response)), _enrolmentOf(programme, flexible.asset).bond(), "only the bond stays"
        );
    }

    function test_close__twice__reverts() external {
        _shed(SHED, 1_000);
        _settleAt(number, 0);
        _toFinal(SHED + SLOTS);
        response.close(number);
        vm.expectRevert(abi.encodeWithSelector(IDemandResponse.ResponseIsClosed.selector, number));
        response.close(number);
        vm.expectRevert(abi.encodeWithSelector(IDemandResponse.ResponseIsClosed.selector, number));
        response.settle(number, _one(0));
    }

    // ------------------------------------------------------------------------------------------------------- monotonicity

    /// Delivering more never pays less, whatever the terms.
    function testFuzz_settle__moreDelivered__neverPaysLess(uint256 less, uint256 more) external {
        int256 low = int256(_bound(less, 0, 300) * 10) - 1_000;
        int256 high = int256(_bound(more, 0, 300) * 10) - 1_000;
        if (low > high) (low, high) = (high, low);
        _toSlot(SHED + SLOTS);
        uint256 state = vm.snapshotState();
        _record(flexible.home, SHED, SLOTS, BASELINE_WH - low);
        _settleAt(number, 0);
        int256 first = _netOf(number, 0);
        vm.revertToState(state);
        _record(flexible.home, SHED, SLOTS, BASELINE_WH - high);
        _settleAt(number, 0);
        assertTrue(_netOf(number, 0) >= first, "more delivered, no less paid");
    }
}
