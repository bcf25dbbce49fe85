// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { ISignedActs } from "../../../contracts/interfaces/ISignedActs.sol";
import { ITelemetryAnchor } from "../../../contracts/interfaces/ITelemetryAnchor.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { StreamId } from "../../../contracts/types/StreamId.sol";
import { Party, Signing } from "../support/Signing.sol";
import { vm } from "../support/Vm.sol";
import { Streams } from "./Streams.sol";

contract GrantTest is Streams {
    Party private _city = Signing.party("city");

    function test_grant__given_nobody__reverts() external {
        Grant memory grant_ = _draftGrant();
        grant_.to = address(0);
        _expectRefusal(grant_, prosumer, abi.encodePacked(ITelemetryAnchor.GrantToNobody.selector));
    }

    function test_grant__given_no_window__reverts() external {
        Grant memory grant_ = _draftGrant();
        grant_.lastWindow = grant_.firstWindow - 1;
        bytes memory refusal = abi.encodeWithSelector(
            ITelemetryAnchor.GrantIsEmpty.selector, grant_.firstWindow, grant_.lastWindow
        );
        _expectRefusal(grant_, prosumer, refusal);
    }

    function test_grant__given_too_long_a_one__reverts() external {
        Grant memory grant_ = _draftGrant();
        uint256 most = anchors.MAX_SEALED();
        grant_.sealed_ = new bytes(most + 1);
        _expectRefusal(
            grant_, prosumer, abi.encodeWithSelector(ITelemetryAnchor.GrantTooLong.selector, most + 1, most)
        );
    }

    function test_grant__given_no_such_stream__reverts() external {
        Grant memory grant_ = _draftGrant();
        grant_.stream = StreamId.wrap(~StreamId.unwrap(stream));
        _expectRefusal(
            grant_, prosumer, abi.encodeWithSelector(ITelemetryAnchor.StreamUnknown.selector, grant_.stream)
        );
    }

    function test_grant__given_an_epoch_that_has_not_begun__reverts() external {
        Grant memory grant_ = _draftGrant();
        grant_.epoch = 2;
        _expectRefusal(
            grant_,
            prosumer,
            abi.encodeWithSelector(ITelemetryAnchor.EpochNotBegun.selector, stream, uint32(2), uint32(1))
        );
    }

    function test_grant__given_a_stranger_or_the_device_itself__reverts() external {
        bytes4 notAllowed = ISignedActs.SignerNotAllowed.selector;
        _expectRefusal(_draftGrant(), stranger, abi.encodeWithSelector(notAllowed, stranger.addr));
        Party memory itself = Party(device.id, device.key);
        _expectRefusal(_draftGrant(), itself, abi.encodeWithSelector(notAllowed, itself.addr));
    }

    function test_grant__given_the_device_was_sold__reverts_for_either_until_the_new_owner_s_epoch() external {
        _transfer(device.id, device, prosumer, stranger);
        bytes memory refusal = abi.encodeWithSelector(
            ITelemetryAnchor.EpochOfFormerOwner.selector, stream, prosumer.addr, stranger.addr
        );
        _expectRefusal(_draftGrant(), prosumer, refusal);
        _expectRefusal(_draftGrant(), stranger, refusal);

        _newEpoch(stream, 2, stranger);
        bytes memory notAllowed = abi.encodeWithSelector(ISignedActs.SignerNotAllowed.selector, prosumer.addr);
        _expectRefusal(_draftGrant(), prosumer, notAllowed);
        Grant memory grant_ = _draftGrant();
        grant_.epoch = 2;
        _grantAccess(grant_, _grantAct(grant_, stranger));
    }

    function test_grant__given_an_act_for_another_grant__reverts(uint256 seed) external {
        Grant memory grant_ = _draftGrant();
        Act memory act = _grantAct(grant_, prosumer);
        uint256 field = seed % 6;
        if (field == 0) grant_.stream = full;
        if (field == 1) grant_.to = stranger.addr;
        if (field == 2) grant_.epoch = 0;
        if (field == 3) grant_.firstWindow -= 1;
        if (field == 4) grant_.lastWindow += 1;
        if (field == 5) grant_.sealed_[(seed >> 8) % 40] ^= bytes1(uint8(1 + (seed >> 16) % 255));
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.WrongSignature.selector, prosumer.addr));
        _grantAccess(grant_, act);
    }

    function test_grant__given_it_was_made_before__reverts() external {
        Grant memory grant_ = _draftGrant();
        Act memory act = _grantAct(grant_, prosumer);
        _grantAccess(grant_, act);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.NonceUsed.selector, prosumer.addr, act.nonce));
        _grantAccess(grant_, act);
    }

    function test_grant__given_its_owner__tells_it() external {
        Grant memory grant_ = _draftGrant();
        Act memory act = _grantAct(grant_, prosumer);
        vm.prank(stranger.addr);
        vm.expectEmit(address(anchors));
        emit ITelemetryAnchor.AccessGranted(
            stream, _city.addr, 1, grant_.firstWindow, grant_.lastWindow, grant_.sealed_
        );
        _grantAccess(grant_, act);
    }

    function test_grant__given_a_revoked_device__is_its_owner_s_still() external {
        vm.prank(prosumer.addr);
        devices.revoke(device.id);
        Grant memory grant_ = _draftGrant();
        _grantAccess(grant_, _grantAct(grant_, prosumer));
    }

    function _draftGrant() private view returns (Grant memory) {
        uint32 window = uint32(block.timestamp / 900);
        return Grant(stream, _city.addr, 1, window, window + 95, _noise(40, 1));
    }

    function _expectRefusal(Grant memory grant_, Party memory by, bytes memory refusal) private {
        Act memory act = _grantAct(grant_, by);
        vm.expectRevert(refusal);
        _grantAccess(grant_, act);
    }
}
