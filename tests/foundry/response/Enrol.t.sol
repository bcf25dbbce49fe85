// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IDERRegistry } from "../../../contracts/interfaces/IDERRegistry.sol";
import { IDemandResponse } from "../../../contracts/interfaces/IDemandResponse.sol";
import { IDeviceRegistry } from "../../../contracts/interfaces/IDeviceRegistry.sol";
import { ISignedActs } from "../../../contracts/interfaces/ISignedActs.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { AssetEnrolment } from "../../../contracts/types/AssetEnrolment.sol";
import { TEN_OF_TEN } from "../../../contracts/types/Measuring.sol";
import { ProgrammeTerms } from "../../../contracts/types/Programme.sol";
import { Home } from "../auction/Feeder.sol";
import { Party, Signing } from "../support/Signing.sol";
import { vm } from "../support/Vm.sol";
import { Flexible, Responding } from "./Responding.sol";

contract EnrolTest is Responding {
    uint32 private constant POWER_W = 4_000;
    int32 private constant FIXED_WH = 5_000;
    /// 1 kWh a slot, four slots, 0.30 a kWh.
    uint256 private constant BOND = 4 * 300_000;

    uint32 private programme;
    Flexible private flexible;
    Party private owner;

    function setUp() public override {
        super.setUp();
        programme = _openProgramme(_programme());
        flexible = _flexible(1);
        owner = flexible.home.owner;
    }

    function _offerHere() private view returns (AssetEnrolment memory) {
        return _offer(programme, flexible.asset, POWER_W, 120_000, FIXED_WH);
    }

    /// Enrols by acts that are signed first, so that the next revert is the enrolment's.
    function _refused(AssetEnrolment memory offer, Party memory by, bytes memory refusal) private {
        Act memory act = _enrolmentAct(offer, 1, by);
        Act memory agreement = _agreement(offer, operator);
        vm.expectRevert(refusal);
        response.enrol(offer, act, agreement);
    }

    function test_enrol__unknownProgramme__reverts() external {
        AssetEnrolment memory offer = _offerHere();
        offer.programme = 9;
        _refused(offer, owner, abi.encodeWithSelector(IDemandResponse.UnknownProgramme.selector, 9));
    }

    function test_enrol__unknownAsset__reverts() external {
        AssetEnrolment memory offer = _offerHere();
        offer.asset = 99;
        _refused(offer, owner, abi.encodeWithSelector(IDERRegistry.UnknownAsset.selector, 99));
    }

    function test_enrol__byAnother__reverts() external {
        _refused(_offerHere(), stranger, abi.encodeWithSelector(ISignedActs.SignerNotAllowed.selector, stranger.addr));
    }

    function test_enrol__signedByAnotherForTheOwner__reverts() external {
        AssetEnrolment memory offer = _offerHere();
        Act memory act = _enrolmentAct(offer, 1, stranger);
        act.signer = owner.addr;
        Act memory agreement = _agreement(offer, operator);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.WrongSignature.selector, owner.addr));
        response.enrol(offer, act, agreement);
    }

    function test_enrol__afterItsDeadline__reverts() external {
        AssetEnrolment memory offer = _offerHere();
        Act memory act = _enrolmentAct(offer, 1, owner);
        vm.warp(act.deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.ActExpired.selector, act.deadline));
        response.enrol(offer, act, Signing.none());
    }

    function test_enrol__versionUsedBefore__reverts() external {
        _enrolAsset(_offerHere(), 1, owner);
        _refused(_offerHere(), owner, abi.encodeWithSelector(IDemandResponse.EnrolmentNotNewer.selector, 1, 1));
    }

    function test_enrol__revokedDevice__reverts() external {
        _setStatus(flexible.home.device.id, IDeviceRegistry.Status.Revoked, owner);
        _refused(
            _offerHere(),
            owner,
            abi.encodeWithSelector(IDERRegistry.DeviceNotActive.selector, flexible.home.device.id)
        );
    }

    function test_enrol__aboveNameplate__reverts() external {
        AssetEnrolment memory offer = _offerHere();
        offer.committedW = CAPACITY_W + 1;
        _refused(
            offer,
            owner,
            abi.encodeWithSelector(IDemandResponse.PowerOutOfRange.selector, CAPACITY_W + 1, CAPACITY_W)
        );
    }

    function test_enrol__onAnotherFeeder__reverts() external {
        AssetEnrolment memory offer = _offerHere();
        offer.asset = _asset(flexible.home.meter, CAPACITY_W, FEEDER + 1);
        _refused(offer, owner, abi.encodeWithSelector(IDemandResponse.OtherFeeder.selector, FEEDER + 1, FEEDER));
    }

    function test_enrol__inAnotherMarket__reverts() external {
        Home memory other = _homeIn(2, 5, true, false);
        AssetEnrolment memory offer = _offerHere();
        offer.asset = _asset(other.meter, CAPACITY_W, FEEDER);
        _refused(offer, other.owner, abi.encodeWithSelector(IDemandResponse.OtherMarket.selector, 2, MARKET));
    }

    function test_enrol__askOffTheGrid__reverts() external {
        AssetEnrolment memory offer = _offerHere();
        uint64[3] memory asks = [uint64(99_999), 105_000, 420_000];
        for (uint256 i = 0; i < asks.length; ++i) {
            offer.askPrice = asks[i];
            _refused(offer, owner, abi.encodeWithSelector(IDemandResponse.AskOffGrid.selector, asks[i]));
        }
    }

    function test_enrol__fixedBaselineWhereDaysAreCompared__reverts() external {
        ProgrammeTerms memory terms = _programme();
        terms.method = TEN_OF_TEN;
        AssetEnrolment memory offer = _offerHere();
        offer.programme = _openProgramme(terms);
        _refused(offer, owner, abi.encodeWithSelector(IDemandResponse.BaselineNotDue.selector));
    }

    function test_enrol__baselineAgreedByAnother__reverts() external {
        AssetEnrolment memory offer = _offerHere();
        Act memory act = _enrolmentAct(offer, 1, owner);
        Act memory agreement = _agreement(offer, stranger);
        vm.expectRevert(abi.encodeWithSelector(IDemandResponse.NotPayer.selector, stranger.addr, operator.addr));
        response.enrol(offer, act, agreement);
    }

    function test_enrol__bondNotCovered__reverts() external {
        uint256 available = _availableOf(owner.addr);
        vm.prank(owner.addr);
        vault.withdraw(owner.addr, available - BOND + 1);
        _refused(_offerHere(), owner, abi.encodeWithSelector(IDemandResponse.BondNotPaid.selector, owner.addr, BOND));
    }

    function test_enrol__whileAnEventIsOpen__reverts() external {
        _enrolAsset(_offerHere(), 1, owner);
        _call(_announce(programme, SHED, SLOTS, POWER_W), flexible.asset);
        AssetEnrolment memory offer = _offerHere();
        Act memory act = _enrolmentAct(offer, 2, owner);
        vm.expectRevert(abi.encodeWithSelector(IDemandResponse.MeterCommitted.selector, flexible.home.meter, 1));
        response.enrol(offer, act, Signing.none());
    }

    function test_enrol__firm__locksWhatSilenceCosts() external {
        uint256 before = _availableOf(owner.addr);
        _enrolAsset(_offerHere(), 1, owner);
        assertEq(before - _availableOf(owner.addr), BOND, "four slots of 1 kWh at 0.30");
        assertEq(vault.potOf(address(response)), BOND, "it lies in the pot");
        assertEq(_enrolmentOf(programme, flexible.asset).bond(), BOND, "and is noted");
        assertEq(_enrolmentOf(programme, flexible.asset).tick(), 2, "0.12 is tick 2");
        assertEq(_enrolmentOf(programme, flexible.asset).fixedWh(), FIXED_WH, "as agreed");
    }

    function test_enrol__voluntary__locksNothing() external {
        ProgrammeTerms memory terms = _programme();
        terms.firm = false;
        AssetEnrolment memory offer = _offerHere();
        offer.programme = _openProgramme(terms);
        _enrolAsset(offer, 1, owner);
        assertEq(vault.potOf(address(response)), 0, "no penalty, no bond");
    }

    function test_enrol__withoutPower__endsItAndGivesTheBondBack() external {
        uint256 before = _availableOf(owner.addr);
        _enrolAsset(_offerHere(), 1, owner);
        AssetEnrolment memory leaving = _offerHere();
        (leaving.committedW, leaving.askPrice) = (0, 0);
        _enrolAsset(leaving, 2, owner);
        assertEq(_availableOf(owner.addr), before, "all of it");
        uint32 number = _announce(programme, SHED, SLOTS, POWER_W);
        bytes4 reason = _callReason(number, flexible.asset);
        assertEq(bytes32(reason), bytes32(IDemandResponse.NotEnrolled.selector), "not to be called");
    }
}
