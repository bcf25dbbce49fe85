// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IDemandResponse } from "../../../contracts/interfaces/IDemandResponse.sol";
import { ISignedActs } from "../../../contracts/interfaces/ISignedActs.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { AssetEnrolment } from "../../../contracts/types/AssetEnrolment.sol";
import { MeterCalls } from "../../../contracts/types/MeterCalls.sol";
import { ProgrammeTerms } from "../../../contracts/types/Programme.sol";
import { Vm, vm } from "../support/Vm.sol";
import { Flexible, Responding } from "./Responding.sol";

/// Announcing, calling, opting out, cancelling, drawing and dispatching.
contract CallTest is Responding {
    uint32 private constant POWER_W = 4_000;

    uint32 private programme;
    Flexible[] private street;

    function setUp() public override {
        super.setUp();
        programme = _openProgramme(_programme());
        for (uint256 i = 0; i < 5; ++i) {
            street.push(_flexible(i));
            _enrolAsset(_offerAt(i, uint64(100_000 + 10_000 * (i / 2))), 1, street[i].home.owner);
        }
    }

    /// Asks: 0.10, 0.10, 0.11, 0.11, 0.12.
    function _offerAt(uint256 i, uint64 price) private view returns (AssetEnrolment memory) {
        return _offer(programme, street[i].asset, POWER_W, price, 5_000);
    }

    function _refusedCall(uint32 firstSlot, uint16 slots, uint32 targetW, bytes memory refusal) private {
        Act memory act = _callAct(programme, firstSlot, slots, targetW, operator);
        vm.expectRevert(refusal);
        response.announce(programme, firstSlot, slots, targetW, act);
    }

    function _all(uint256 count) private view returns (uint32[] memory assets) {
        assets = new uint32[](count);
        for (uint256 i = 0; i < count; ++i) {
            assets[i] = street[i].asset;
        }
    }

    function _called(uint32 targetW, uint256 count) private returns (uint32 number) {
        number = _announce(programme, SHED, SLOTS, targetW);
        response.call(number, _all(count));
    }

    /// Setpoints in the order of the log.
    function _dispatch(uint32 number, uint256 count) private returns (uint256[] memory setpointsW) {
        vm.recordLogs();
        response.dispatch(number, count);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        setpointsW = new uint256[](count);
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != IDemandResponse.SetpointGiven.selector) continue;
            (uint32 index, uint32 setpointW) = abi.decode(logs[i].data, (uint32, uint32));
            setpointsW[index] = setpointW;
        }
    }

    // ----------------------------------------------------------------------------------------------------------- announce

    function test_announce__byAnother__reverts() external {
        Act memory act = _callAct(programme, SHED, SLOTS, POWER_W, stranger);
        vm.expectRevert(abi.encodeWithSelector(IDemandResponse.NotPayer.selector, stranger.addr, operator.addr));
        response.announce(programme, SHED, SLOTS, POWER_W, act);
    }

    function test_announce__tooLate__reverts() external {
        uint32 soon = FIRST_SLOT + 7;
        _refusedCall(
            soon,
            SLOTS,
            POWER_W,
            abi.encodeWithSelector(
                IDemandResponse.NoticeTooShort.selector, uint256(soon) * SLOT_LENGTH, block.timestamp + NOTICE
            )
        );
    }

    function test_announce__withoutTargetOrSlots__reverts() external {
        _refusedCall(SHED, SLOTS, 0, abi.encodeWithSelector(IDemandResponse.TargetOutOfRange.selector, 0));
        _refusedCall(SHED, 0, POWER_W, abi.encodeWithSelector(IDemandResponse.TargetOutOfRange.selector, POWER_W));
    }

    function test_announce__outsideTheSeason__reverts() external {
        uint32 late = FIRST_SLOT + 60 * DAY - 2;
        _refusedCall(
            late, SLOTS, POWER_W, abi.encodeWithSelector(IDemandResponse.ResponseOutsideSeason.selector, late, SLOTS)
        );
    }

    function test_announce__overMidnight__reverts() external {
        uint32 late = FIRST_SLOT + DAY - 2;
        _refusedCall(
            late, SLOTS, POWER_W, abi.encodeWithSelector(IDemandResponse.ResponseOverMidnight.selector, late, SLOTS)
        );
    }

    function test_announce__beforeTheLastOnesEnd__reverts() external {
        _announce(programme, SHED, SLOTS, POWER_W);
        _refusedCall(
            SHED + 3,
            SLOTS,
            POWER_W,
            abi.encodeWithSelector(IDemandResponse.ResponseNotInOrder.selector, SHED + 3, SHED + SLOTS)
        );
    }

    function test_announce__aboveEachCap__reverts() external {
        _refusedCall(SHED, 5, POWER_W, abi.encodeWithSelector(IDemandResponse.ResponseCapReached.selector, 5, 4));
        _announce(programme, SHED, SLOTS, POWER_W);
        _announce(programme, SHED + 8, SLOTS, POWER_W);
        _refusedCall(SHED + 16, 1, POWER_W, abi.encodeWithSelector(IDemandResponse.ResponseCapReached.selector, 9, 8));
        for (uint32 day = 1; day < 5; ++day) {
            _announce(programme, SHED + day * DAY, SLOTS, POWER_W);
        }
        _refusedCall(
            SHED + 5 * DAY, 1, POWER_W, abi.encodeWithSelector(IDemandResponse.ResponseCapReached.selector, 25, 24)
        );
    }

    // --------------------------------------------------------------------------------------------------------------- call

    function test_call__afterTheGate__reverts() external {
        uint32 number = _announce(programme, SHED, SLOTS, POWER_W);
        _toGate(SHED);
        vm.expectRevert(abi.encodeWithSelector(IDemandResponse.CallTooLate.selector, number, block.timestamp));
        response.call(number, _all(1));
    }

    function test_call__tooMany__reverts() external {
        uint32 number = _announce(programme, SHED, SLOTS, POWER_W);
        vm.expectRevert(abi.encodeWithSelector(IDemandResponse.TooManyAssets.selector, 257, 256));
        response.call(number, new uint32[](257));
    }

    function test_call__twice__isRefused() external {
        uint32 number = _called(POWER_W, 1);
        bytes32 reason = _callReason(number, street[0].asset);
        assertEq(reason, bytes32(IDemandResponse.MeterBusy.selector), "one commitment per meter and slot");
        assertEq(_headOf(number).called, 1, "only once");
    }

    function test_call__inTwoProgrammesAtOnce__isRefused() external {
        _called(POWER_W, 1);
        uint32 other = _openProgramme(_programme());
        AssetEnrolment memory offer = _offerAt(1, 100_000);
        offer.programme = other;
        _enrolAsset(_offerAt(1, 100_000), 2, street[1].home.owner);
        (offer.asset) = street[0].asset;
        uint32 number = _announce(other, SHED + 2, SLOTS, POWER_W);
        bytes32 reason = _callReason(number, street[0].asset);
        assertEq(reason, bytes32(IDemandResponse.NotEnrolled.selector), "not enrolled there");
    }

    function test_call__longerThanAgreed__isRefused() external {
        AssetEnrolment memory offer = _offerAt(0, 100_000);
        offer.maxSlots = 2;
        _enrolAsset(offer, 2, street[0].home.owner);
        bytes32 reason = _callReason(_announce(programme, SHED, SLOTS, POWER_W), street[0].asset);
        assertEq(reason, bytes32(IDemandResponse.LongerThanAgreed.selector), "two slots at most");
    }

    function test_call__inComfortHours__isRefused() external {
        AssetEnrolment memory offer = _offerAt(0, 100_000);
        (offer.comfortFrom, offer.comfortUntil) = (43, 50);
        _enrolAsset(offer, 2, street[0].home.owner);
        uint32 number = _announce(programme, SHED, SLOTS, POWER_W);
        bytes32 reason = _callReason(number, street[0].asset);
        assertEq(reason, bytes32(IDemandResponse.InComfortHours.selector), "its last slot is slot 43 of the day");
    }

    function test_call__tickFull__isRefused() external {
        ProgrammeTerms memory terms = _programme();
        terms.firm = false;
        uint32 other = _openProgramme(terms);
        AssetEnrolment memory offer = _offerAt(0, 100_000);
        offer.programme = other;
        _enrolAsset(offer, 1, street[0].home.owner);
        uint32 number = _announce(other, SHED, SLOTS, POWER_W);
        // events lie in slot 7, the first word of an event's ladder in its slot 4; lane 0 is almost full
        bytes32 place = bytes32(uint256(keccak256(abi.encode(uint256(number), uint256(7)))) + 4);
        vm.store(address(response), place, bytes32(uint256((1 << 30) - POWER_W)));
        bytes32 reason = _callReason(number, street[0].asset);
        assertEq(reason, bytes32(IDemandResponse.TickFull.selector), "a gigawatt at one price");
    }

    function test_call__marksTheDayAndTheSlots() external {
        uint32 number = _called(POWER_W, 2);
        MeterCalls calls = MeterCalls.wrap(response.callsOf(street[1].home.meter));
        assertEq(calls.open(), 1, "one event is open");
        assertEq(calls.busyUntil(), SHED + SLOTS, "up to its end");
        assertEq(MeterCalls.unwrap(calls) >> 128, 1, "day 0 is an event day");
        assertEq(_laneOf(number, 1).asset(), street[1].asset, "its place is the second");
    }

    // ------------------------------------------------------------------------------------------------------------ opt out

    function test_optOut__byAnother__reverts() external {
        uint32 number = _called(POWER_W, 1);
        Act memory act = _optOutAct(number, 0, stranger);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.SignerNotAllowed.selector, stranger.addr));
        response.optOut(number, 0, act);
    }

    function test_optOut__twice__reverts() external {
        uint32 number = _called(POWER_W, 1);
        _optOut(number, 0, street[0].home.owner);
        Act memory act = _optOutAct(number, 0, street[0].home.owner);
        vm.expectRevert(abi.encodeWithSelector(IDemandResponse.HasOptedOut.selector, number, 0));
        response.optOut(number, 0, act);
    }

    function test_optOut__lateTwice__reverts() external {
        uint32 number = _called(POWER_W, 1);
        _toGate(SHED);
        _optOut(number, 0, street[0].home.owner);
        Act memory act = _optOutAct(number, 0, street[0].home.owner);
        vm.expectRevert(abi.encodeWithSelector(IDemandResponse.HasOptedOut.selector, number, 0));
        response.optOut(number, 0, act);
    }

    function test_optOut__afterTheEnd__reverts() external {
        uint32 number = _called(POWER_W, 1);
        _toSlot(SHED + SLOTS);
        Act memory act = _optOutAct(number, 0, street[0].home.owner);
        vm.expectRevert(
            abi.encodeWithSelector(IDemandResponse.ResponseHasEnded.selector, number, block.timestamp)
        );
        response.optOut(number, 0, act);
    }

    function test_optOut__beforeTheGate__freesItAndOthersStepIn() external {
        uint32 number = _called(2 * POWER_W, 4);
        _optOut(number, 0, street[0].home.owner);
        MeterCalls calls = MeterCalls.wrap(response.callsOf(street[0].home.meter));
        assertEq(calls.open(), 0, "nothing is open");
        assertEq(calls.busyUntil(), SHED, "its slots are free");
        assertEq(MeterCalls.unwrap(calls) >> 128, 0, "no event day");
        _toGate(SHED);
        uint256[] memory setpointsW = _dispatch(number, 4);
        assertEq(setpointsW[0], 0, "out");
        assertEq(setpointsW[1], POWER_W, "cheapest");
        assertEq(setpointsW[2] + setpointsW[3], POWER_W, "the next ones share");
    }

    function test_settle__optedOut__isRefused() external {
        uint32 number = _called(POWER_W, 1);
        _optOut(number, 0, street[0].home.owner);
        _toSlot(SHED + SLOTS);
        bytes32 reason = _settleReason(number, 0);
        assertEq(reason, bytes32(IDemandResponse.NothingCommitted.selector), "nothing is due");
    }

    // ----------------------------------------------------------------------------------------------------------- dispatch

    function test_dispatch__beforeTheGate__reverts() external {
        uint32 number = _called(POWER_W, 1);
        uint256 gateAt = uint256(SHED) * SLOT_LENGTH - GATE;
        vm.expectRevert(abi.encodeWithSelector(IDemandResponse.BeforeGate.selector, number, gateAt));
        response.dispatch(number, 1);
    }

    function test_dispatch__onceItHasStarted__reverts() external {
        uint32 number = _called(POWER_W, 1);
        _toSlot(SHED);
        vm.expectRevert(
            abi.encodeWithSelector(IDemandResponse.ResponseHasStarted.selector, number, block.timestamp)
        );
        response.dispatch(number, 1);
    }

    function test_dispatch__inBatches__meetsTheTargetToTheWatt() external {
        uint32 number = _called(2 * POWER_W + 3_001, 5);
        _toGate(SHED);
        uint256[] memory first = _dispatch(number, 3);
        uint256[] memory rest = _dispatch(number, 5);
        assertEq(first[0], POWER_W, "whole");
        assertEq(first[1], POWER_W, "whole");
        assertEq(first[2], 1_500, "half of what is left, rounded down");
        assertEq(rest[3], 1_501, "the rest of it");
        assertEq(rest[4], 0, "above the margin");
    }

    function test_dispatch__tooFew__takesAllAndTellsWhatTheyOffer() external {
        uint32 number = _called(5 * POWER_W + 1, 5);
        _toGate(SHED);
        vm.expectEmit(address(response));
        emit IDemandResponse.MarginFound(number, 64, 0, 0, 5 * POWER_W);
        response.dispatch(number, 5);
        assertEq(_bookOf(number).dispatched, 5, "all");
    }

    // ------------------------------------------------------------------------------------------------------- cancel, draw

    function test_cancel__byAnother__reverts() external {
        uint32 number = _called(POWER_W, 1);
        Act memory act = _cancellation(number, stranger);
        vm.expectRevert(abi.encodeWithSelector(IDemandResponse.NotPayer.selector, stranger.addr, operator.addr));
        response.cancel(number, act);
    }

    function test_cancel__onceItHasStarted__reverts() external {
        uint32 number = _called(POWER_W, 1);
        _toSlot(SHED);
        Act memory act = _cancellation(number, operator);
        vm.expectRevert(
            abi.encodeWithSelector(IDemandResponse.ResponseHasStarted.selector, number, block.timestamp)
        );
        response.cancel(number, act);
    }

    function test_cancel__givesTheBudgetBackAndReleasesTheCalled() external {
        uint256 before = _availableOf(operator.addr);
        uint32 number = _called(POWER_W, 1);
        _cancel(number);
        response.close(number);
        assertEq(_availableOf(operator.addr), before, "all of it");
        _settleAt(number, 0);
        assertEq(MeterCalls.wrap(response.callsOf(street[0].home.meter)).open(), 0, "released");
        vm.expectRevert(abi.encodeWithSelector(IDemandResponse.ResponseIsCancelled.selector, number));
        response.call(number, _all(1));
    }

    function _drawing(uint16 drawBps) private returns (uint32 number) {
        ProgrammeTerms memory terms = _programme();
        terms.drawBps = drawBps;
        programme = _openProgramme(terms);
        _enrolAsset(_offerAt(0, 100_000), 1, street[0].home.owner);
        number = _called(POWER_W, 1);
    }

    function test_draw__whereNothingIsDrawn__reverts() external {
        uint32 number = _called(POWER_W, 1);
        vm.expectRevert(abi.encodeWithSelector(IDemandResponse.DrawNotDue.selector, number));
        response.draw(number);
    }

    function test_draw__beforeTheGate__reverts() external {
        uint32 number = _drawing(9_999);
        uint256 gateAt = uint256(SHED) * SLOT_LENGTH - GATE;
        vm.expectRevert(abi.encodeWithSelector(IDemandResponse.BeforeGate.selector, number, gateAt));
        response.draw(number);
    }

    function test_dispatch__notDrawn__reverts() external {
        uint32 number = _drawing(9_999);
        _toGate(SHED);
        vm.expectRevert(abi.encodeWithSelector(IDemandResponse.ResponseNotDrawn.selector, number));
        response.dispatch(number, 1);
    }

    function test_draw__beforeTheBlockHasAHash__reverts() external {
        uint32 number = _drawing(9_999);
        _toGate(SHED);
        response.draw(number);
        vm.roll(block.number + 2);
        vm.expectRevert(abi.encodeWithSelector(IDemandResponse.DrawNotDue.selector, number));
        response.draw(number);
    }

    function test_draw__byTheNamedBlock__decides() external {
        uint32 number = _drawing(9_999);
        _toGate(SHED);
        response.draw(number);
        vm.roll(block.number + 3);
        response.draw(number);
        response.dispatch(number, 1);
        assertEq(_bookOf(number).dispatched, 1, "it takes place");
    }

    function test_draw__lost__cancelsIt() external {
        uint32 number = _drawing(1);
        _toGate(SHED);
        response.draw(number);
        vm.roll(block.number + 3);
        response.draw(number);
        assertTrue(_headOf(number).cancelled, "it does not take place");
    }
}
