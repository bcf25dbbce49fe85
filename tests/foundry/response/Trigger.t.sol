// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IDemandResponse } from "../../../contracts/interfaces/IDemandResponse.sol";
import { RuleTerms } from "../../../contracts/types/ResponseRule.sol";
import { Home } from "../auction/Feeder.sol";
import { vm } from "../support/Vm.sol";
import { Flexible, Responding } from "./Responding.sol";

/// Its readings rise above 50 kWh in two slots before NOW.
contract TriggerTest is Responding {
    uint32 private constant NOW = FIRST_SLOT + 30;
    int256 private constant PEAK_WH = 60_000;

    uint32 private programme;
    uint32 private rule;
    Home private feeder;
    Flexible private flexible;

    function setUp() public override {
        super.setUp();
        programme = _openProgramme(_programme());
        feeder = _wideHomeOf(operator, 1);
        rule = _openRule(_rule(programme, feeder.meter));
        flexible = _flexible(2);
        _enrolAsset(_offer(programme, flexible.asset, 4_000, 120_000, 5_000), 1, flexible.home.owner);
        _toSlot(NOW);
    }

    function _peak(uint32 slot) private {
        _record(feeder, slot - 1, 2, PEAK_WH);
    }

    function test_trigger__unknownRule__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IDemandResponse.UnknownRule.selector, 9));
        response.trigger(9, NOW - 1);
    }

    function test_trigger__endedRule__reverts() external {
        _endRule(rule);
        _peak(NOW - 1);
        vm.expectRevert(abi.encodeWithSelector(IDemandResponse.ResponseRuleIsEnded.selector, rule));
        response.trigger(rule, NOW - 1);
    }

    function test_trigger__staleReadings__reverts() external {
        _peak(NOW - 3);
        vm.expectRevert(abi.encodeWithSelector(IDemandResponse.TriggerStale.selector, NOW - 3, NOW));
        response.trigger(rule, NOW - 3);
    }

    function test_trigger__readingMissing__reverts() external {
        _record(feeder, NOW - 1, 1, PEAK_WH);
        vm.expectRevert(
            abi.encodeWithSelector(IDemandResponse.TriggerReadingMissing.selector, feeder.meter, NOW - 2)
        );
        response.trigger(rule, NOW - 1);
    }

    function test_trigger__conditionNotMetInOneSlot__reverts() external {
        _record(feeder, NOW - 2, 1, PEAK_WH);
        _record(feeder, NOW - 1, 1, 50_000);
        vm.expectRevert(abi.encodeWithSelector(IDemandResponse.ConditionNotMet.selector, NOW - 1, int256(50_000)));
        response.trigger(rule, NOW - 1);
    }

    function test_trigger__foreignMeterPeaks__reverts() external {
        _record(flexible.home, NOW - 2, 2, PEAK_WH);
        vm.expectRevert(
            abi.encodeWithSelector(IDemandResponse.TriggerReadingMissing.selector, feeder.meter, NOW - 2)
        );
        response.trigger(rule, NOW - 1);
    }

    function test_trigger__withTheSameReadings__reverts() external {
        _peak(NOW - 1);
        response.trigger(rule, NOW - 1);
        vm.expectRevert(abi.encodeWithSelector(IDemandResponse.TriggerNotNewer.selector, NOW - 1, NOW + 3));
        response.trigger(rule, NOW - 1);
    }

    function test_trigger__inTheCooldown__reverts() external {
        _peak(NOW - 1);
        response.trigger(rule, NOW - 1);
        _toSlot(NOW + 3);
        _peak(NOW + 2);
        vm.expectRevert(abi.encodeWithSelector(IDemandResponse.TriggerNotNewer.selector, NOW + 2, NOW + 3));
        response.trigger(rule, NOW + 2);
    }

    function test_trigger__aboveItsCapPerDay__reverts() external {
        RuleTerms memory terms = _rule(programme, feeder.meter);
        terms.maxPerDay = 1;
        rule = _openRule(terms);
        _peak(NOW - 1);
        response.trigger(rule, NOW - 1);
        _toSlot(NOW + 5);
        _peak(NOW + 4);
        vm.expectRevert(abi.encodeWithSelector(IDemandResponse.RuleCapReached.selector, 2, 1));
        response.trigger(rule, NOW + 4);
    }

    function test_trigger__budgetNotCovered__reverts() external {
        uint256 all = vault.withdrawableOf(operator.addr);
        vm.prank(operator.addr);
        vault.withdraw(operator.addr, all);
        _peak(NOW - 1);
        // 3 kW for an hour at 0.41, and the bounty
        vm.expectRevert(
            abi.encodeWithSelector(IDemandResponse.BudgetNotPaid.selector, operator.addr, 1_230_000 + 1_000_000)
        );
        response.trigger(rule, NOW - 1);
    }

    function test_trigger__byAStranger__announcesAndLocksTheBudget() external {
        _peak(NOW - 1);
        vm.prank(stranger.addr);
        uint32 number = response.trigger(rule, NOW - 1);
        assertEq(number, (programme << 16) | 1, "the programme's first");
        assertEq(_headOf(number).firstSlot, NOW + 10, "ten slots on");
        assertEq(_headOf(number).noticeAt, block.timestamp, "notice is now");
        uint256 bond = _enrolmentOf(programme, flexible.asset).bond();
        assertEq(vault.potOf(address(response)), bond + 2_230_000, "budget and bounty");
    }

    function test_close__somethingWasDispatched__paysTheBounty() external {
        _peak(NOW - 1);
        vm.prank(stranger.addr);
        uint32 number = response.trigger(rule, NOW - 1);
        _call(number, flexible.asset);
        _toGate(NOW + 10);
        response.dispatch(number, 1);
        _toFinal(NOW + 14);
        _settleAt(number, 0);
        response.close(number);
        assertEq(_availableOf(stranger.addr), 1_000_000, "the bounty");
    }

    function test_close__nothingWasDispatched__keepsTheBountyForALaterTrigger() external {
        uint256 before = _availableOf(operator.addr);
        _peak(NOW - 1);
        vm.prank(stranger.addr);
        uint32 number = response.trigger(rule, NOW - 1);
        _toFinal(NOW + 14);
        response.close(number);
        assertEq(_availableOf(stranger.addr), 0, "no bounty");
        assertEq(_availableOf(operator.addr), before, "all is back");
        (, uint256 tally) = response.ruleOf(rule);
        assertEq(uint16(tally >> 64), 0, "and can be earned again");
    }

    function test_trigger__bountiesSpent__announcesWithoutOne() external {
        _peak(NOW - 1);
        response.trigger(rule, NOW - 1);
        _toSlot(NOW + 5);
        _peak(NOW + 4);
        uint256 before = _availableOf(operator.addr);
        response.trigger(rule, NOW + 4);
        assertEq(before - _availableOf(operator.addr), 1_230_000, "its cap for the season is one");
    }
}
