// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IFirmwareRegistry } from "../../../contracts/interfaces/IFirmwareRegistry.sol";
import { ISignedActs } from "../../../contracts/interfaces/ISignedActs.sol";
import { Quorum } from "../../../contracts/types/KeySet.sol";
import { Release } from "../../../contracts/types/Release.sol";
import { Rollout, RolloutState } from "../../../contracts/types/Rollout.sol";
import { vm } from "../support/Vm.sol";
import { Fleet } from "./Fleet.sol";

contract BeginTest is Fleet {
    function test_begin__given_what_was_not_released__reverts() external {
        Release memory release = _draftRelease(1, 0);
        Quorum memory quorum = _quorumOf(_startHash(1, CANARY), THRESHOLD);
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.UnknownRelease.selector, MODEL, 1));
        firmware.begin(release, CANARY, _deadline(), quorum);
    }

    /// Its limits and its floor would be another's.
    function test_begin__given_another_release_under_that_counter__reverts() external {
        Release memory release = _release(1, 0);
        bytes32 commitment = _commitmentOf(release);
        release.failureLimitBp = WHOLE;
        Quorum memory quorum = _quorumOf(_startHash(1, CANARY), THRESHOLD);
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.WrongRelease.selector, MODEL, 1, commitment));
        firmware.begin(release, CANARY, _deadline(), quorum);
    }

    function test_begin__given_nobody_or_more_than_a_tenth__reverts() external {
        Release memory release = _release(1, 0);
        uint16[3] memory shares = [0, firmware.CANARY_BP() + 1, WHOLE];
        for (uint256 i = 0; i < 3; ++i) {
            Quorum memory quorum = _quorumOf(_startHash(1, shares[i]), THRESHOLD);
            vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.CanaryOutOfRange.selector, shares[i], 1_000));
            firmware.begin(release, shares[i], _deadline(), quorum);
        }
    }

    function test_begin__given_too_few__reverts() external {
        Release memory release = _release(1, 0);
        Quorum memory quorum = _quorumOf(_startHash(1, CANARY), 2);
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.BelowThreshold.selector, 2, THRESHOLD));
        firmware.begin(release, CANARY, _deadline(), quorum);
    }

    function test_begin__given_the_release_as_consent__reverts() external {
        Release memory release = _release(1, 0);
        Quorum memory quorum = _quorumOf(_commitmentOf(release), THRESHOLD);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.WrongSignature.selector, signers[0].addr));
        firmware.begin(release, CANARY, _deadline(), quorum);
    }

    function test_begin__given_another_share__reverts() external {
        Release memory release = _release(1, 0);
        Quorum memory quorum = _quorumOf(_startHash(1, CANARY), THRESHOLD);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.WrongSignature.selector, signers[0].addr));
        firmware.begin(release, CANARY + 1, _deadline(), quorum);
    }

    function test_begin__given_a_passed_deadline__reverts() external {
        Release memory release = _release(1, 0);
        uint256 deadline = _deadline();
        Quorum memory quorum = _quorumOf(_startHash(1, CANARY), THRESHOLD);
        vm.warp(deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.ActExpired.selector, deadline));
        firmware.begin(release, CANARY, deadline, quorum);
    }

    function test_begin__given_any_other_state__reverts() external {
        Release memory release = _canary(1);
        _expectWrongState(release, RolloutState.Canary);
        _pause(1);
        _expectWrongState(release, RolloutState.Paused);
        Release memory early = _release(2, 0);
        _full(3, 0);
        _expectWrongState(early, RolloutState.Superseded);
        Release memory bad = _release(4, 0);
        _revoke(4, uint32(block.number));
        _expectWrongState(bad, RolloutState.Revoked);
    }

    function test_begin__given_the_threshold__opens_the_canary() external {
        Release memory release = _release(3, 2);
        vm.roll(77);
        vm.expectEmit(address(firmware));
        emit IFirmwareRegistry.RolloutStepped(MODEL, 3, RolloutState.Canary, CANARY, 1);
        _begin(release, CANARY);
        Rollout memory rollout = firmware.rolloutOf(MODEL, 3);
        assertEq(uint256(rollout.state), uint256(RolloutState.Canary), "state");
        assertEq(rollout.shareBp, CANARY, "share");
        assertEq(rollout.leastReceipts, LEAST, "the release's own limit");
        assertEq(rollout.failureLimitBp, LIMIT, "and its share");
        assertEq(rollout.floor, 2, "floor");
        assertEq(rollout.begunAt, 77, "block");
    }

    function _expectWrongState(Release memory release, RolloutState state) private {
        Quorum memory quorum = _quorumOf(_startHash(release.counter, CANARY), THRESHOLD);
        vm.expectRevert(
            abi.encodeWithSelector(IFirmwareRegistry.WrongRolloutState.selector, MODEL, release.counter, state)
        );
        firmware.begin(release, CANARY, _deadline(), quorum);
    }
}
