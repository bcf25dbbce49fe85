// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IFirmwareRegistry } from "../../../contracts/interfaces/IFirmwareRegistry.sol";
import { ISignedActs } from "../../../contracts/interfaces/ISignedActs.sol";
import { Quorum } from "../../../contracts/types/KeySet.sol";
import { Release } from "../../../contracts/types/Release.sol";
import { RolloutState } from "../../../contracts/types/Rollout.sol";
import { vm } from "../support/Vm.sol";
import { Fleet } from "./Fleet.sol";

contract RaiseShareTest is Fleet {
    function test_raiseShare__given_an_unknown_release__reverts() external {
        Quorum memory quorum = _quorumOf(_raiseHash(9, 2_000, 0), THRESHOLD);
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.UnknownRelease.selector, MODEL, 9));
        firmware.raiseShare(MODEL, 9, 2_000, _deadline(), quorum);
    }

    function test_raiseShare__given_a_state_that_does_not_rise__reverts() external {
        _release(1, 0);
        _expectWrongState(1, RolloutState.Proposed);
        _canary(2);
        _pause(2);
        _expectWrongState(2, RolloutState.Paused);
        _full(3, 0);
        _expectWrongState(3, RolloutState.Full);
        _expectWrongState(2, RolloutState.Superseded);
        _canary(4);
        _revoke(4, 1);
        _expectWrongState(4, RolloutState.Revoked);
    }

    function test_raiseShare__given_no_higher_share__reverts() external {
        _canary(1);
        _raise(1, 2_000);
        uint16[4] memory shares = [0, 1_999, 2_000, WHOLE + 1];
        for (uint256 i = 0; i < 4; ++i) {
            Quorum memory quorum = _quorumOf(_raiseHash(1, shares[i], 2), THRESHOLD);
            vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.ShareNotRaised.selector, shares[i], 2_000));
            firmware.raiseShare(MODEL, 1, shares[i], _deadline(), quorum);
        }
    }

    function test_raiseShare__given_too_few__reverts() external {
        _canary(1);
        Quorum memory quorum = _quorumOf(_raiseHash(1, 2_000, 1), 2);
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.BelowThreshold.selector, 2, THRESHOLD));
        firmware.raiseShare(MODEL, 1, 2_000, _deadline(), quorum);
    }

    /// What was agreed before somebody paused it must not go on as if nobody had.
    function test_raiseShare__given_consent_from_before_a_pause__reverts() external {
        _canary(1);
        Quorum memory quorum = _quorumOf(_raiseHash(1, 2_000, 1), THRESHOLD);
        _pause(1);
        _resume(1);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.WrongSignature.selector, signers[0].addr));
        firmware.raiseShare(MODEL, 1, 2_000, _deadline(), quorum);
    }

    function test_raiseShare__given_a_passed_deadline__reverts() external {
        _canary(1);
        uint256 deadline = _deadline();
        Quorum memory quorum = _quorumOf(_raiseHash(1, 2_000, 1), THRESHOLD);
        vm.warp(deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.ActExpired.selector, deadline));
        firmware.raiseShare(MODEL, 1, 2_000, deadline, quorum);
    }

    function test_raiseShare__below_the_whole__is_a_ramp() external {
        _canary(1);
        vm.expectEmit(address(firmware));
        emit IFirmwareRegistry.RolloutStepped(MODEL, 1, RolloutState.Ramp, 9_999, 2);
        _raise(1, 9_999);
        _assertState(1, RolloutState.Ramp, "not yet for all");
    }

    function test_raiseShare__to_the_whole__supersedes_what_is_older() external {
        _full(1, 0);
        _canary(2);
        _release(3, 0);
        _canary(4);
        _raise(4, WHOLE);
        _assertState(4, RolloutState.Full, "the newest");
        _assertState(1, RolloutState.Superseded, "was full");
        _assertState(2, RolloutState.Superseded, "was a canary");
        _assertState(3, RolloutState.Superseded, "was proposed");
        _canary(5);
        _assertState(4, RolloutState.Full, "until another one is full");
    }

    function test_raiseShare__to_the_whole__brings_the_floor_into_force() external {
        vm.roll(100);
        Release memory release = _release(5, 4);
        _begin(release, CANARY);
        assertEq(firmware.floorAt(MODEL, 100), 0, "not while some cannot have it");
        vm.roll(200);
        vm.expectEmit(address(firmware));
        emit IFirmwareRegistry.FloorRaised(MODEL, 4);
        _raise(5, WHOLE);
        assertEq(firmware.floorAt(MODEL, 199), 0, "before");
        assertEq(firmware.floorAt(MODEL, 200), 4, "from that block on");
        assertEq(firmware.floorAt(MODEL, type(uint256).max), 4, "ever after");
    }

    /// Released while a lower floor was in force, full after an older one raised it.
    function test_raiseShare__given_a_floor_raised_meanwhile__leaves_it() external {
        Release memory older = _release(6, 5);
        Release memory newer = _release(7, 0);
        _begin(older, CANARY);
        _raise(6, WHOLE);
        _begin(newer, CANARY);
        _raise(7, WHOLE);
        (IFirmwareRegistry.Line memory line,) = firmware.lineOf(MODEL);
        assertEq(line.full, 7, "the newer one is full");
        assertEq(line.floor, 5, "the floor stays");
        assertEq(firmware.floorAt(MODEL, block.number), 5, "and so does its history");
    }

    function _expectWrongState(uint32 counter, RolloutState state) private {
        Quorum memory quorum = _quorumOf(_raiseHash(counter, 9_000, _stepOf(counter)), THRESHOLD);
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.WrongRolloutState.selector, MODEL, counter, state));
        firmware.raiseShare(MODEL, counter, 9_000, _deadline(), quorum);
    }
}
