// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IFirmwareRegistry } from "../../../contracts/interfaces/IFirmwareRegistry.sol";
import { ISignedActs } from "../../../contracts/interfaces/ISignedActs.sol";
import { Approval, KeySet, Quorum } from "../../../contracts/types/KeySet.sol";
import { Release } from "../../../contracts/types/Release.sol";
import { Party } from "../support/Signing.sol";
import { vm } from "../support/Vm.sol";
import { Fleet } from "./Fleet.sol";

contract ChangeKeysTest is Fleet {
    uint8 private constant NEXT_THRESHOLD = 2;

    /// Two of the present keys stay, two are new: four, of whom two must agree.
    Party[] private _members;
    KeySet private _next;

    function setUp() public override {
        super.setUp();
        Party[] memory fresh = _parties("fresh ", 2);
        Party[] memory mixed = new Party[](4);
        (mixed[0], mixed[1], mixed[2], mixed[3]) = (signers[0], signers[4], fresh[0], fresh[1]);
        _sort(mixed);
        for (uint256 i = 0; i < 4; ++i) {
            _members.push(mixed[i]);
        }
        _next = _keySet(2, NEXT_THRESHOLD, mixed);
    }

    function test_changeKeys__given_no_such_model__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.UnknownModel.selector, 99));
        firmware.changeKeys(99, _next, _deadline(), Quorum(_keys(), new Approval[](0)));
    }

    function test_changeKeys__given_other_keys_as_the_present_ones__reverts() external {
        KeySet memory forged = _keySet(1, 1, _parties("stranger ", 1));
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.WrongKeySet.selector, MODEL, _hashOf(_keys())));
        firmware.changeKeys(MODEL, _next, _deadline(), Quorum(forged, new Approval[](0)));
    }

    function test_changeKeys__given_another_version__reverts() external {
        KeySet memory next = _next;
        next.version = 3;
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.WrongKeySetVersion.selector, 3, 2));
        firmware.changeKeys(MODEL, next, _deadline(), Quorum(_keys(), new Approval[](0)));
    }

    /// Two new keys and one old one: enough for the next threshold only.
    function test_changeKeys__given_too_few_of_the_present_keys__reverts() external {
        Approval[] memory approvals = _signedBy(_members, _changeDigest(_next));
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.BelowThreshold.selector, 2, THRESHOLD));
        firmware.changeKeys(MODEL, _next, _deadline(), Quorum(_keys(), approvals));
    }

    function test_changeKeys__given_too_few_of_the_next_keys__reverts() external {
        Approval[] memory approvals = _signed(_changeDigest(_next), 4);
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.BelowThreshold.selector, 1, NEXT_THRESHOLD));
        firmware.changeKeys(MODEL, _next, _deadline(), Quorum(_keys(), approvals));
    }

    function test_changeKeys__given_a_signer_of_neither_set__reverts() external {
        Party[] memory all = new Party[](KEYS + 1);
        for (uint256 i = 0; i < KEYS; ++i) {
            all[i] = signers[i];
        }
        all[KEYS] = stranger;
        _sort(all);
        Approval[] memory approvals = _signedBy(all, _changeDigest(_next));
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.UnknownReleaseKey.selector, stranger.addr));
        firmware.changeKeys(MODEL, _next, _deadline(), Quorum(_keys(), approvals));
    }

    function test_changeKeys__given_a_passed_deadline__reverts() external {
        Approval[] memory approvals = _signed(_changeDigest(_next), KEYS);
        uint256 deadline = _deadline();
        vm.warp(deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.ActExpired.selector, deadline));
        firmware.changeKeys(MODEL, _next, deadline, Quorum(_keys(), approvals));
    }

    function test_changeKeys__given_both_thresholds__moves_all_power_to_the_next_keys() external {
        vm.expectEmit(address(firmware));
        emit IFirmwareRegistry.ReleaseKeysChanged(MODEL, 2, NEXT_THRESHOLD, _next.members);
        // both that stay are among all five
        firmware.changeKeys(MODEL, _next, _deadline(), Quorum(_keys(), _signed(_changeDigest(_next), KEYS)));

        Release memory release = _draftRelease(1, 0);
        Quorum memory old = _quorumOf(_commitmentOf(release), KEYS);
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.WrongKeySet.selector, MODEL, _hashOf(_next)));
        firmware.release(release, old);
        old.keys = _next;
        vm.expectPartialRevert(IFirmwareRegistry.UnknownReleaseKey.selector);
        firmware.release(release, old);
        firmware.release(release, Quorum(_next, _signedBy(_members, _firmwareDigest(_commitmentOf(release)))));
    }

    function test_changeKeys__again__reverts() external {
        Quorum memory quorum = Quorum(_keys(), _signed(_changeDigest(_next), KEYS));
        firmware.changeKeys(MODEL, _next, _deadline(), quorum);
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.WrongKeySet.selector, MODEL, _hashOf(_next)));
        firmware.changeKeys(MODEL, _next, _deadline(), quorum);
        quorum.keys = _next;
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.WrongKeySetVersion.selector, 2, 3));
        firmware.changeKeys(MODEL, _next, _deadline(), quorum);
    }

    function _sort(Party[] memory parties) private pure {
        for (uint256 i = 1; i < parties.length; ++i) {
            for (uint256 k = i; k > 0 && parties[k - 1].addr > parties[k].addr; --k) {
                (parties[k - 1], parties[k]) = (parties[k], parties[k - 1]);
            }
        }
    }
}
