// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IDeviceRegistry } from "../../../contracts/interfaces/IDeviceRegistry.sol";
import { ISignedActs } from "../../../contracts/interfaces/ISignedActs.sol";
import { ITelemetryAnchor } from "../../../contracts/interfaces/ITelemetryAnchor.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { Batch, Tip } from "../../../contracts/types/Batch.sol";
import { StreamId } from "../../../contracts/types/StreamId.sol";
import { Party } from "../support/Signing.sol";
import { vm } from "../support/Vm.sol";
import { Streams } from "./Streams.sol";

///   prosumer owns the device    | sells it           | stranger begins an epoch
///   ----------------------------|--------------------|--------------------------> t
///   epoch 1, batches            | nothing anchored   | epoch 2, batches
contract NewEpochTest is Streams {
    function setUp() public override {
        super.setUp();
        _anchorNext(stream, 10);
        _anchorNext(stream, 10);
        _anchorNext(stream, 10);
    }

    function test_newEpoch__given_no_such_stream__reverts() external {
        StreamId unknown = StreamId.wrap(StreamId.unwrap(stream) ^ bytes32(uint256(1)));
        Act memory act = _epochAct(unknown, 2, prosumer);
        Tip memory tip = _tipOf(stream);
        vm.expectRevert(abi.encodeWithSelector(ITelemetryAnchor.StreamUnknown.selector, unknown));
        anchors.newEpoch(unknown, 2, tip, act);
    }

    function test_newEpoch__given_the_present_epoch_or_an_earlier_one__reverts() external {
        _newEpoch(stream, 5, prosumer);
        for (uint32 epoch = 4; epoch <= 5; ++epoch) {
            _expectRefusal(
                epoch,
                prosumer,
                abi.encodeWithSelector(ITelemetryAnchor.EpochNotNewer.selector, stream, epoch, uint32(5))
            );
        }
    }

    /// Else whoever sells a device begins the last epoch there is before, and its stream has ended.
    function test_newEpoch__given_one_that_is_far_ahead__reverts() external {
        _newEpoch(stream, 257, prosumer);
        uint32[2] memory far = [uint32(514), type(uint32).max];
        for (uint256 i = 0; i < far.length; ++i) {
            bytes memory reason =
                abi.encodeWithSelector(ITelemetryAnchor.EpochTooFar.selector, stream, far[i], uint256(513));
            _expectRefusal(far[i], prosumer, reason);
        }
        _newEpoch(stream, 513, prosumer);
    }

    function test_newEpoch__given_a_stranger__reverts() external {
        _expectRefusal(2, stranger, abi.encodeWithSelector(ISignedActs.SignerNotAllowed.selector, stranger.addr));
    }

    function test_newEpoch__given_the_former_owner__reverts() external {
        _transfer(device.id, device, prosumer, stranger);
        _expectRefusal(2, prosumer, abi.encodeWithSelector(ISignedActs.SignerNotAllowed.selector, prosumer.addr));
    }

    function test_newEpoch__given_an_earlier_tip__reverts() external {
        Tip memory tip = _tipOf(stream);
        _anchorNext(stream, 1);
        Act memory act = _epochAct(stream, 2, prosumer);
        vm.expectRevert(
            abi.encodeWithSelector(
                ITelemetryAnchor.TipDiffers.selector,
                stream,
                keccak256(abi.encodePacked(tip.span, tip.head, tip.peaks)),
                _tipHashOf(stream)
            )
        );
        anchors.newEpoch(stream, 2, tip, act);
    }

    function test_newEpoch__given_an_act_for_another_stream_or_epoch__reverts() external {
        Act memory act = _epochAct(stream, 2, prosumer);
        Tip memory tip = _tipOf(stream);
        Tip memory other = _tipOf(full);
        bytes memory refusal = abi.encodeWithSelector(ISignedActs.WrongSignature.selector, prosumer.addr);
        vm.expectRevert(refusal);
        anchors.newEpoch(stream, 3, tip, act);
        vm.expectRevert(refusal);
        anchors.newEpoch(full, 2, other, act);
    }

    function test_newEpoch__given_its_owner__is_the_epoch_of_what_follows() external {
        Act memory act = _epochAct(stream, 2, prosumer);
        Tip memory tip = _tipOf(stream);
        vm.expectEmit(address(anchors));
        emit ITelemetryAnchor.EpochBegun(stream, prosumer.addr, 2, _rekeyed(stream, 2));
        anchors.newEpoch(stream, 2, tip, act);
        tipSpans[stream] = _rekeyed(stream, 2);
        assertEq(anchors.tipHashOf(stream), _tipHashOf(stream), "nothing else of the tip moves");
        (, uint32 epoch) = anchors.keeperOf(stream);
        assertEq(epoch, 2, "epoch");
        _anchorNext(stream, 4);
        assertEq(anchors.tipHashOf(stream), _tipHashOf(stream), "the stream goes on");
    }

    function test_anchor__given_the_epoch_before__reverts() external {
        Batch memory batch = _signedBatch(stream, 10);
        _newEpoch(stream, 2, prosumer);
        _expectEpochRunsBack(batch);
    }

    function _expectEpochRunsBack(Batch memory old) private {
        Batch memory batch = _draftBatch(stream, 10);
        batch.span = old.span;
        _signBatch(device, batch);
        vm.expectRevert(
            abi.encodeWithSelector(ITelemetryAnchor.EpochRunsBack.selector, stream, uint32(1), uint32(2))
        );
        anchors.anchor(batch);
    }

    function test_anchor__given_the_device_was_sold__reverts_until_its_owner_begins_an_epoch() external {
        _transfer(device.id, device, prosumer, stranger);
        Batch memory batch = _signedBatch(stream, 10);
        vm.expectRevert(
            abi.encodeWithSelector(
                ITelemetryAnchor.EpochOfFormerOwner.selector, stream, prosumer.addr, stranger.addr
            )
        );
        anchors.anchor(batch);

        _newEpoch(stream, 2, stranger);
        (address owner,) = anchors.keeperOf(stream);
        assertEq(owner, stranger.addr, "the stream is its new owner's");
        _anchorNext(stream, 10);
        assertEq(anchors.tipHashOf(stream), _tipHashOf(stream), "the stream goes on");
    }

    function test_newEpoch__given_the_device_was_sold_back__needs_none() external {
        _transfer(device.id, device, prosumer, stranger);
        _transfer(device.id, device, stranger, prosumer);
        _anchorNext(stream, 10);
        assertEq(anchors.tipHashOf(stream), _tipHashOf(stream), "nobody else began one");
    }

    function test_newEpoch__given_a_revoked_device__is_its_owner_s_still() external {
        vm.prank(prosumer.addr);
        devices.revoke(device.id);
        _newEpoch(stream, 2, prosumer);
        assertEq(anchors.tipHashOf(stream), _tipHashOf(stream), "the epoch has begun");
    }

    function _expectRefusal(uint32 epoch, Party memory by, bytes memory refusal) private {
        Act memory act = _epochAct(stream, epoch, by);
        Tip memory tip = _tipOf(stream);
        vm.expectRevert(refusal);
        anchors.newEpoch(stream, epoch, tip, act);
    }
}
