// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IFirmwareRegistry } from "../../../contracts/interfaces/IFirmwareRegistry.sol";
import { ISignedActs } from "../../../contracts/interfaces/ISignedActs.sol";
import { SmartWallet } from "../../../contracts/mocks/SmartWallet.sol";
import { Approval, KeySet, Quorum } from "../../../contracts/types/KeySet.sol";
import { Release } from "../../../contracts/types/Release.sol";
import { RolloutState } from "../../../contracts/types/Rollout.sol";
import { Party, Signing } from "../support/Signing.sol";
import { vm } from "../support/Vm.sol";
import { Fleet } from "./Fleet.sol";

contract ReleaseTest is Fleet {
    function test_release__given_no_such_model__reverts() external {
        Release memory release = _draftRelease(1, 0);
        release.model = 99;
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.UnknownModel.selector, 99));
        firmware.release(release, _quorumOf(_commitmentOf(release), THRESHOLD));
    }

    function test_release__given_a_counter_that_does_not_increase__reverts() external {
        _release(5, 0);
        for (uint32 counter = 4; counter <= 5; ++counter) {
            vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.CounterNotIncreasing.selector, counter, 5));
            this.releaseExternally(_draftRelease(counter, 0));
        }
    }

    function test_release__given_a_lower_floor__reverts() external {
        _full(5, 3);
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.FloorLowered.selector, 2, 3));
        this.releaseExternally(_draftRelease(6, 2));
    }

    function test_release__given_a_floor_above_itself__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.FloorAboveCounter.selector, 6, 5));
        this.releaseExternally(_draftRelease(5, 6));
    }

    function test_release__given_no_image_or_manifest__reverts() external {
        for (uint256 i = 0; i < 3; ++i) {
            Release memory release = _draftRelease(1, 0);
            if (i == 0) release.imageSize = 0;
            if (i == 1) release.imageHash = 0;
            if (i == 2) release.manifestHash = 0;
            vm.expectRevert(IFirmwareRegistry.ReleaseIncomplete.selector);
            this.releaseExternally(release);
        }
    }

    function test_release__given_a_limit_that_says_nothing__reverts() external {
        Release memory release = _draftRelease(1, 0);
        release.leastReceipts = 0;
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.FailureLimitOutOfRange.selector, 0, LIMIT));
        this.releaseExternally(release);
        release = _draftRelease(1, 0);
        release.failureLimitBp = 10_001;
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.FailureLimitOutOfRange.selector, LEAST, 10_001));
        this.releaseExternally(release);
    }

    function test_release__given_a_passed_deadline__reverts() external {
        Release memory release = _draftRelease(1, 0);
        Quorum memory quorum = _quorumOf(_commitmentOf(release), THRESHOLD);
        vm.warp(release.deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.ActExpired.selector, release.deadline));
        firmware.release(release, quorum);
    }

    function test_release__given_other_keys_than_the_models__reverts() external {
        Release memory release = _draftRelease(1, 0);
        Quorum memory quorum = _quorumOf(_commitmentOf(release), THRESHOLD);
        quorum.keys.threshold = 1;
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.WrongKeySet.selector, MODEL, _hashOf(_keys())));
        firmware.release(release, quorum);
    }

    function test_release__given_too_few__reverts() external {
        for (uint256 count = 0; count < THRESHOLD; ++count) {
            Release memory release = _draftRelease(1, 0);
            Quorum memory quorum = _quorumOf(_commitmentOf(release), count);
            vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.BelowThreshold.selector, count, THRESHOLD));
            firmware.release(release, quorum);
        }
    }

    function test_release__given_one_signer_twice__reverts() external {
        Release memory release = _draftRelease(1, 0);
        Quorum memory quorum = _quorumOf(_commitmentOf(release), THRESHOLD);
        quorum.approvals[2] = quorum.approvals[1];
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.SignersNotAscending.selector, signers[1].addr));
        firmware.release(release, quorum);
    }

    function test_release__given_unsorted_signers__reverts() external {
        Release memory release = _draftRelease(1, 0);
        Quorum memory quorum = _quorumOf(_commitmentOf(release), THRESHOLD);
        (quorum.approvals[0], quorum.approvals[1]) = (quorum.approvals[1], quorum.approvals[0]);
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.SignersNotAscending.selector, signers[0].addr));
        firmware.release(release, quorum);
    }

    function test_release__given_an_unknown_key__reverts() external {
        Release memory release = _draftRelease(1, 0);
        Approval[] memory approvals = _withWallet(stranger.addr, stranger.key, _firmwareDigest(_commitmentOf(release)));
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.UnknownReleaseKey.selector, stranger.addr));
        firmware.release(release, Quorum(_keys(), approvals));
    }

    /// A wrong signature is not merely left out of the count.
    function test_release__given_a_wrong_signature_beyond_the_threshold__reverts() external {
        Release memory release = _draftRelease(1, 0);
        Quorum memory quorum = _quorumOf(_commitmentOf(release), KEYS);
        quorum.approvals[4].signature = Signing.sign(signers[3].key, _firmwareDigest(_commitmentOf(release)));
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.WrongSignature.selector, signers[4].addr));
        firmware.release(release, quorum);
    }

    function test_release__given_the_mirrored_signature__reverts() external {
        Release memory release = _draftRelease(1, 0);
        Quorum memory quorum = _quorumOf(_commitmentOf(release), THRESHOLD);
        quorum.approvals[0].signature = Signing.mirrored(quorum.approvals[0].signature);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.WrongSignature.selector, signers[0].addr));
        firmware.release(release, quorum);
    }

    function testFuzz_release__given_any_other_field__reverts(uint256 field, uint256 seed) external {
        Release memory release = _draftRelease(10, 4);
        Quorum memory quorum = _quorumOf(_commitmentOf(release), THRESHOLD);
        Release memory other = _changed(release, field % 9, seed);
        vm.assume(_commitmentOf(other) != _commitmentOf(release));
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.WrongSignature.selector, signers[0].addr));
        firmware.release(other, quorum);
    }

    function test_release__given_another_chain__reverts() external {
        Release memory release = _draftRelease(1, 0);
        Quorum memory quorum = _quorumOf(_commitmentOf(release), THRESHOLD);
        vm.chainId(block.chainid + 1);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.WrongSignature.selector, signers[0].addr));
        firmware.release(release, quorum);
    }

    function test_release__given_the_threshold__is_proposed() external {
        Release memory release = _draftRelease(7, 3);
        vm.expectEmit(address(firmware));
        emit IFirmwareRegistry.FirmwareReleased(MODEL, 7, _commitmentOf(release), release);
        firmware.release(release, _quorumOf(_commitmentOf(release), THRESHOLD));
        _assertState(7, RolloutState.Proposed, "nobody installs it yet");
        assertEq(firmware.commitmentOf(MODEL, 7), _commitmentOf(release), "its hash");
        (IFirmwareRegistry.Line memory line,) = firmware.lineOf(MODEL);
        assertEq(line.latest, 7, "latest");
        assertEq(line.floor, 0, "the floor waits until it is full");
    }

    function testFuzz_release__given_any_three_or_more_of_five__is_proposed(uint256 mask) external {
        mask = _bound(mask, 0, 31);
        Release memory release = _draftRelease(1, 0);
        uint256 count;
        for (uint256 i = 0; i < KEYS; ++i) {
            count += (mask >> i) & 1;
        }
        Approval[] memory approvals = new Approval[](count);
        uint256 place;
        for (uint256 i = 0; i < KEYS; ++i) {
            if ((mask >> i) & 1 == 0) continue;
            approvals[place++] = _approval(signers[i], _firmwareDigest(_commitmentOf(release)));
        }
        if (count < THRESHOLD) {
            vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.BelowThreshold.selector, count, THRESHOLD));
        }
        firmware.release(release, Quorum(_keys(), approvals));
    }

    function test_release__given_a_wallet_among_the_keys__takes_its_word() external {
        Party memory owner = Signing.party("owner of a wallet");
        SmartWallet wallet = new SmartWallet(owner.addr);
        KeySet memory next = KeySet(2, 1, new address[](1));
        next.members[0] = address(wallet);
        Approval[] memory approvals = _withWallet(address(wallet), owner.key, _changeDigest(next));
        firmware.changeKeys(MODEL, next, _deadline(), Quorum(_keys(), approvals));

        Release memory release = _draftRelease(1, 0);
        approvals = new Approval[](1);
        approvals[0] = Approval(address(wallet), Signing.sign(signers[0].key, _firmwareDigest(_commitmentOf(release))));
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.WrongSignature.selector, address(wallet)));
        firmware.release(release, Quorum(next, approvals));
        approvals[0].signature = Signing.sign(owner.key, _firmwareDigest(_commitmentOf(release)));
        firmware.release(release, Quorum(next, approvals));
        _assertState(1, RolloutState.Proposed, "by the wallet alone");
    }

    function releaseExternally(Release memory release) external {
        firmware.release(release, _quorumOf(_commitmentOf(release), THRESHOLD));
    }

    /// Three release keys and one more signer, ascending.
    function _withWallet(address signer, uint256 key, bytes32 digest) private view returns (Approval[] memory approvals) {
        approvals = new Approval[](THRESHOLD + 1);
        uint256 place;
        bool done;
        for (uint256 i = 0; i < THRESHOLD; ++i) {
            if (!done && signers[i].addr > signer) {
                approvals[place++] = Approval(signer, Signing.sign(key, digest));
                done = true;
            }
            approvals[place++] = _approval(signers[i], digest);
        }
        if (!done) approvals[place] = Approval(signer, Signing.sign(key, digest));
    }

    function _changed(Release memory release, uint256 field, uint256 seed)
        private
        pure
        returns (Release memory other)
    {
        other = abi.decode(abi.encode(release), (Release));
        if (field == 0) other.counter = uint32(_bound(seed, 4, type(uint32).max));
        if (field == 1) other.floor = uint32(seed % 11);
        if (field == 2) other.imageSize = uint64(_bound(seed, 1, type(uint64).max));
        if (field == 3) other.imageHash = bytes32(_bound(seed, 1, type(uint256).max));
        if (field == 4) other.manifestHash = bytes32(_bound(seed, 1, type(uint256).max));
        if (field == 5) other.bomHash = bytes32(seed);
        if (field == 6) other.source = vm.toString(seed);
        if (field == 7) other.leastReceipts = uint32(_bound(seed, 1, type(uint32).max));
        if (field == 8) other.failureLimitBp = uint16(seed % 10_001);
    }
}
