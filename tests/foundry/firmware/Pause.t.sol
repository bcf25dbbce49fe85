// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IFirmwareRegistry } from "../../../contracts/interfaces/IFirmwareRegistry.sol";
import { ISignedActs } from "../../../contracts/interfaces/ISignedActs.sol";
import { Quorum } from "../../../contracts/types/KeySet.sol";
import { Rollout, RolloutState } from "../../../contracts/types/Rollout.sol";
import { DeviceKey } from "../support/Street.sol";
import { vm } from "../support/Vm.sol";
import { Fleet } from "./Fleet.sol";

/// pause and resume
contract PauseTest is Fleet {
    function test_pause__given_a_state_that_takes_no_installs__reverts() external {
        _release(1, 0);
        _expectWrongState(1, RolloutState.Proposed);
        _canary(2);
        _pause(2);
        _expectWrongState(2, RolloutState.Paused);
        _canary(3);
        _revoke(3, 1);
        _expectWrongState(3, RolloutState.Revoked);
        _full(4, 0);
        _expectWrongState(2, RolloutState.Superseded);
    }

    function test_pause__given_nobody__reverts() external {
        _canary(1);
        Quorum memory quorum = _quorumOf(_stopHash("RolloutPause", 1, 1), 0);
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.BelowThreshold.selector, 0, 1));
        firmware.pause(MODEL, 1, _deadline(), quorum);
    }

    function test_pause__given_an_unknown_key__reverts() external {
        _canary(1);
        Quorum memory quorum = _quorumOf(0, 1);
        quorum.approvals[0] = _approval(stranger, _firmwareDigest(_stopHash("RolloutPause", 1, 1)));
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.UnknownReleaseKey.selector, stranger.addr));
        firmware.pause(MODEL, 1, _deadline(), quorum);
    }

    function test_pause__given_other_keys__reverts() external {
        _canary(1);
        Quorum memory quorum = _quorumOf(_stopHash("RolloutPause", 1, 1), 1);
        quorum.keys.members[4] = stranger.addr;
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.WrongKeySet.selector, MODEL, _hashOf(_keys())));
        firmware.pause(MODEL, 1, _deadline(), quorum);
    }

    /// Else one signature would pause it again and again.
    function test_pause__again_with_the_same_signature__reverts() external {
        _canary(1);
        Quorum memory quorum = _quorumOf(_stopHash("RolloutPause", 1, 1), 1);
        firmware.pause(MODEL, 1, _deadline(), quorum);
        _resume(1);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.WrongSignature.selector, signers[0].addr));
        firmware.pause(MODEL, 1, _deadline(), quorum);
    }

    function test_pause__given_a_passed_deadline__reverts() external {
        _canary(1);
        uint256 deadline = _deadline();
        Quorum memory quorum = _quorumOf(_stopHash("RolloutPause", 1, 1), 1);
        vm.warp(deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.ActExpired.selector, deadline));
        firmware.pause(MODEL, 1, deadline, quorum);
    }

    function test_pause__given_any_one_key__stops_it() external {
        for (uint32 i = 0; i < KEYS; ++i) {
            uint32 counter = i + 1;
            _canary(counter);
            bytes32 digest = _firmwareDigest(_stopHash("RolloutPause", counter, 1));
            vm.expectEmit(address(firmware));
            emit IFirmwareRegistry.RolloutPaused(MODEL, counter, signers[i].addr, 0, 0, 2);
            firmware.pause(MODEL, counter, _deadline(), Quorum(_keys(), _signedFrom(digest, i, 1)));
            _assertState(counter, RolloutState.Paused, "by one");
        }
    }

    function test_resume__given_one_key__reverts() external {
        _canary(1);
        _pause(1);
        Quorum memory quorum = _quorumOf(_stopHash("RolloutResume", 1, 2), 2);
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.BelowThreshold.selector, 2, THRESHOLD));
        firmware.resume(MODEL, 1, _deadline(), quorum);
    }

    function test_resume__given_what_is_not_paused__reverts() external {
        _canary(1);
        Quorum memory quorum = _quorumOf(_stopHash("RolloutResume", 1, 1), THRESHOLD);
        vm.expectRevert(
            abi.encodeWithSelector(
                IFirmwareRegistry.WrongRolloutState.selector, MODEL, uint32(1), RolloutState.Canary
            )
        );
        firmware.resume(MODEL, 1, _deadline(), quorum);
    }

    function test_resume__given_a_pause_as_consent__reverts() external {
        _canary(1);
        _pause(1);
        Quorum memory quorum = _quorumOf(_stopHash("RolloutPause", 1, 2), THRESHOLD);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.WrongSignature.selector, signers[0].addr));
        firmware.resume(MODEL, 1, _deadline(), quorum);
    }

    function test_resume__given_the_threshold__goes_on_where_it_was() external {
        _canary(1);
        _pause(1);
        _resume(1);
        _assertState(1, RolloutState.Canary, "canary");
        _raise(1, 5_000);
        _pause(1);
        _resume(1);
        _assertState(1, RolloutState.Ramp, "ramp");
        assertEq(firmware.rolloutOf(MODEL, 1).shareBp, 5_000, "the same devices");
        _raise(1, WHOLE);
        _pause(1);
        _resume(1);
        _assertState(1, RolloutState.Full, "full");
        assertEq(_stepOf(1), 9, "every step counts");
    }

    function test_resume__after_failures__counts_anew() external {
        _canary(1);
        _raise(1, WHOLE);
        for (uint256 i = 0; i < LEAST; ++i) {
            _tell(_deviceAt(1, 0, WHOLE, i), 1, i < 2 ? 7 : 0);
        }
        _assertState(1, RolloutState.Paused, "two of four failed");
        _resume(1);
        DeviceKey memory next = _deviceAt(1, 0, WHOLE, 99);
        _tell(next, 1, 7);
        Rollout memory rollout = firmware.rolloutOf(MODEL, 1);
        assertEq(uint256(rollout.state), uint256(RolloutState.Full), "one is fewer than the least");
        assertEq(rollout.told, 1, "told since");
        assertEq(rollout.failures, 1, "failed since");
    }

    function _expectWrongState(uint32 counter, RolloutState state) private {
        Quorum memory quorum = _quorumOf(_stopHash("RolloutPause", counter, _stepOf(counter)), 1);
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.WrongRolloutState.selector, MODEL, counter, state));
        firmware.pause(MODEL, counter, _deadline(), quorum);
    }
}
