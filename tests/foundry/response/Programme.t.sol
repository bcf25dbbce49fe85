// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IDemandResponse } from "../../../contracts/interfaces/IDemandResponse.sol";
import { ISignedActs } from "../../../contracts/interfaces/ISignedActs.sol";
import { ResponseDesk } from "../../../contracts/libraries/ResponseDesk.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { ProgrammeTerms } from "../../../contracts/types/Programme.sol";
import { RuleTerms } from "../../../contracts/types/ResponseRule.sol";
import { Home } from "../auction/Feeder.sol";
import { vm } from "../support/Vm.sol";
import { Responding } from "./Responding.sol";

contract ProgrammeTest is Responding {
    function _refused(ProgrammeTerms memory terms, string memory rule) private {
        Act memory act = _openingAct(terms, operator);
        vm.expectRevert(abi.encodeWithSelector(IDemandResponse.ResponseTermsNotAllowed.selector, rule));
        response.openProgramme(terms, act);
    }

    function test_openProgramme__byAnotherThanThePayer__reverts() external {
        Act memory act = _openingAct(_programme(), stranger);
        vm.expectRevert(abi.encodeWithSelector(IDemandResponse.NotPayer.selector, stranger.addr, operator.addr));
        response.openProgramme(_programme(), act);
    }

    function test_openProgramme__payerIsNoOperator__reverts() external {
        ProgrammeTerms memory terms = _programme();
        terms.payer = stranger.addr;
        Act memory act = _openingAct(terms, stranger);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.SignerNotAllowed.selector, stranger.addr));
        response.openProgramme(terms, act);
    }

    function test_openProgramme__eachRuleBroken__reverts() external {
        ProgrammeTerms memory terms = _programme();
        terms.calendar = 0;
        _refused(terms, "days are counted by a calendar");
        terms = _programme();
        terms.method = 5;
        _refused(terms, "method is one of five");
        terms = _programme();
        (terms.adjusted, terms.windowSlots) = (true, 0);
        _refused(terms, "an adjustment has a window");
        terms = _programme();
        terms.tickCount = 65;
        _refused(terms, "prices are 1 to 64 ticks");
        terms = _programme();
        terms.floorBps = 10_001;
        _refused(terms, "the floor is at most all");
        terms = _programme();
        terms.lateBps = 10_000;
        _refused(terms, "late costs less than silence");
        terms = _programme();
        terms.drawBps = 0;
        _refused(terms, "some events take place");
        terms = _programme();
        terms.maxEventSlots = 97;
        _refused(terms, "an event has 1 to 96 slots");
        terms = _programme();
        terms.untilSlot = terms.firstSlot;
        _refused(terms, "the season has slots");
        terms = _programme();
        terms.optOutLead = terms.noticeLead;
        _refused(terms, "notice, then gate, then start");
        terms = _programme();
        terms.readingWindow = FINAL + 1;
        _refused(terms, "readings are due, then final");
        terms = _programme();
        terms.finalAfter = FINAL - 1;
        _refused(terms, "final covers all corrections");
        terms = _programme();
        terms.finalAfter = HOLD_LENGTH + 1;
        _refused(terms, "the Vault holds until final");
    }

    /// 0.41 x 9 is more than 3.60; at random with a chance of 0.9 it is not.
    function test_openProgramme__priceTimesEventsAboveTenRetail__reverts() external {
        ProgrammeTerms memory terms = _programme();
        terms.maxEvents = 9;
        _refused(terms, "price x events <= 10 x retail");
        terms.drawBps = 9_000;
        assertEq(_openProgramme(terms), 1, "a draw makes up for it");
    }

    function test_openProgramme__anotherCalendarInThatMarket__reverts() external {
        _openProgramme(_programme());
        ProgrammeTerms memory terms = _programme();
        ++terms.calendar;
        _refused(terms, "one calendar per market");
    }

    function test_openProgramme__numbersThemFromOne() external {
        assertEq(_openProgramme(_programme()), 1, "the first");
        assertEq(_openProgramme(_programme()), 2, "the second");
        assertEq(uint32(response.programmeOf(2)[0]), MARKET, "its market is the lowest field");
    }

    function test_openProgramme__onTheDesk__reverts() external {
        ResponseDesk desk = new ResponseDesk(address(authority), vault, ledger, ders, auction, gauge);
        Act memory act = _openingAct(_programme(), operator);
        vm.expectRevert(abi.encodeWithSelector(IDemandResponse.UnknownProgramme.selector, 0));
        desk.openProgramme(_programme(), act);
    }

    function test_openRule__eachRuleBroken__reverts() external {
        uint32 programme = _openProgramme(_programme());
        Home memory home = _wideHome(1);
        Home memory feeder = _wideHomeOf(operator, 2);
        RuleTerms memory terms = _rule(programme, home.meter);
        _ruleRefused(terms, "the meter is the payer's");
        terms = _rule(programme, feeder.meter);
        terms.hold = 0;
        _ruleRefused(terms, "the condition holds for a slot");
        terms = _rule(programme, feeder.meter);
        terms.lead = 8;
        _ruleRefused(terms, "the lead covers the notice");
    }

    function _ruleRefused(RuleTerms memory terms, string memory rule) private {
        Act memory act = _ruleAct(terms, operator);
        vm.expectRevert(abi.encodeWithSelector(IDemandResponse.ResponseTermsNotAllowed.selector, rule));
        response.openRule(terms, act);
    }

    function test_openRule__byAnother__reverts() external {
        RuleTerms memory terms = _rule(_openProgramme(_programme()), 1);
        Act memory act = _ruleAct(terms, stranger);
        vm.expectRevert(abi.encodeWithSelector(IDemandResponse.NotPayer.selector, stranger.addr, operator.addr));
        response.openRule(terms, act);
    }
}
