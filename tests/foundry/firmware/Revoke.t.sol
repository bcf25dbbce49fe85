// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IFirmwareRegistry } from "../../../contracts/interfaces/IFirmwareRegistry.sol";
import { ISignedActs } from "../../../contracts/interfaces/ISignedActs.sol";
import { Quorum } from "../../../contracts/types/KeySet.sol";
import { RolloutState } from "../../../contracts/types/Rollout.sol";
import { vm } from "../support/Vm.sol";
import { Fleet } from "./Fleet.sol";

contract RevokeTest is Fleet {
    function setUp() public override {
        super.setUp();
        vm.roll(1_000);
    }

    function test_revoke__given_an_unknown_release__reverts() external {
        Quorum memory quorum = _quorumOf(_revocationHash(9, 1), THRESHOLD);
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.UnknownRelease.selector, MODEL, 9));
        firmware.revoke(MODEL, 9, 1, _deadline(), quorum);
    }

    function test_revoke__given_no_block_or_a_future_one__reverts() external {
        _canary(1);
        uint32[2] memory blocks = [uint32(0), uint32(block.number) + 1];
        for (uint256 i = 0; i < 2; ++i) {
            Quorum memory quorum = _quorumOf(_revocationHash(1, blocks[i]), THRESHOLD);
            vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.RevocationOutOfRange.selector, blocks[i]));
            firmware.revoke(MODEL, 1, blocks[i], _deadline(), quorum);
        }
    }

    function test_revoke__given_too_few__reverts() external {
        _canary(1);
        Quorum memory quorum = _quorumOf(_revocationHash(1, 1), 2);
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.BelowThreshold.selector, 2, THRESHOLD));
        firmware.revoke(MODEL, 1, 1, _deadline(), quorum);
    }

    function test_revoke__given_another_block__reverts() external {
        _canary(1);
        Quorum memory quorum = _quorumOf(_revocationHash(1, 900), THRESHOLD);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.WrongSignature.selector, signers[0].addr));
        firmware.revoke(MODEL, 1, 901, _deadline(), quorum);
    }

    function test_revoke__again_with_no_earlier_block__reverts() external {
        _canary(1);
        _revoke(1, 900);
        for (uint32 since = 900; since < 902; ++since) {
            Quorum memory quorum = _quorumOf(_revocationHash(1, since), THRESHOLD);
            vm.expectRevert(
                abi.encodeWithSelector(IFirmwareRegistry.RevocationNotEarlier.selector, MODEL, uint32(1), uint32(900))
            );
            firmware.revoke(MODEL, 1, since, _deadline(), quorum);
        }
        _revoke(1, 899);
        assertEq(firmware.rolloutOf(MODEL, 1).revokedSince, 899, "earlier");
    }

    /// Whoever could step in between would keep it from being revoked.
    function test_revoke__given_consent_from_before_a_pause__still_revokes() external {
        _canary(1);
        Quorum memory quorum = _quorumOf(_revocationHash(1, 1_000), THRESHOLD);
        _pause(1);
        firmware.revoke(MODEL, 1, 1_000, _deadline(), quorum);
        _assertState(1, RolloutState.Revoked, "whatever it was");
    }

    function test_revoke__from_any_state__is_for_ever() external {
        _release(1, 0);
        _canary(2);
        _canary(3);
        _raise(3, 5_000);
        _canary(4);
        _pause(4);
        _full(5, 0);
        _full(6, 0);
        for (uint32 counter = 1; counter <= 6; ++counter) {
            vm.expectEmit(address(firmware));
            emit IFirmwareRegistry.ReleaseRevoked(MODEL, counter, 990);
            _revoke(counter, 990);
            _assertState(counter, RolloutState.Revoked, "revoked");
        }
        _full(7, 0);
        for (uint32 counter = 1; counter <= 6; ++counter) {
            _assertState(counter, RolloutState.Revoked, "not merely superseded");
        }
    }
}
