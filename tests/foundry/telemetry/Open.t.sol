// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IDeviceRegistry } from "../../../contracts/interfaces/IDeviceRegistry.sol";
import { ISignedActs } from "../../../contracts/interfaces/ISignedActs.sol";
import { ITelemetryAnchor } from "../../../contracts/interfaces/ITelemetryAnchor.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { Span } from "../../../contracts/types/Span.sol";
import { Mode, StreamId } from "../../../contracts/types/StreamId.sol";
import { Party } from "../support/Signing.sol";
import { DeviceKey } from "../support/Street.sol";
import { vm } from "../support/Vm.sol";
import { Streams } from "./Streams.sol";

contract OpenTest is Streams {
    DeviceKey private _other;

    function setUp() public override {
        super.setUp();
        _other = _secpDevice(2);
        _enrol(_other, prosumer.addr);
    }

    function test_open__given_no_mode__reverts() external {
        _expectRefusal(_other.id, Mode.None, prosumer, abi.encodePacked(ITelemetryAnchor.StreamModeMissing.selector));
    }

    function test_open__given_it_is_open__reverts() external {
        bytes memory refusal = abi.encodeWithSelector(ITelemetryAnchor.StreamAlreadyOpen.selector, stream);
        _expectRefusal(device.id, Mode.Hash, prosumer, refusal);
    }

    function test_open__given_a_stranger__reverts() external {
        bytes memory refusal = abi.encodeWithSelector(ISignedActs.SignerNotAllowed.selector, stranger.addr);
        _expectRefusal(_other.id, Mode.Hash, stranger, refusal);
    }

    function test_open__given_an_unknown_device__reverts() external {
        // under ERC-1056 whatever is no device owns itself
        Party memory itself = Party(_secpDevice(3).id, _secpDevice(3).key);
        bytes memory refusal = abi.encodeWithSelector(ISignedActs.SignerNotAllowed.selector, itself.addr);
        _expectRefusal(itself.addr, Mode.Hash, itself, refusal);
    }

    function test_open__given_a_former_owner__reverts() external {
        _transfer(_other.id, _other, prosumer, stranger);
        bytes memory refusal = abi.encodeWithSelector(ISignedActs.SignerNotAllowed.selector, prosumer.addr);
        _expectRefusal(_other.id, Mode.Hash, prosumer, refusal);
    }

    function test_open__given_the_act_has_expired__reverts() external {
        Act memory act = _openAct(_other.id, Mode.Hash, prosumer);
        vm.warp(act.deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.ActExpired.selector, act.deadline));
        anchors.open(_other.id, schemaHash, Mode.Hash, act);
    }

    function test_open__given_an_act_for_another_mode_schema_or_device__reverts() external {
        Act memory act = _openAct(_other.id, Mode.Hash, prosumer);
        bytes memory refusal = abi.encodeWithSelector(ISignedActs.WrongSignature.selector, prosumer.addr);
        vm.expectRevert(refusal);
        anchors.open(_other.id, schemaHash, Mode.Full, act);
        vm.expectRevert(refusal);
        anchors.open(_other.id, keccak256("another schema"), Mode.Hash, act);
        DeviceKey memory third = _secpDevice(3);
        _enrol(third, prosumer.addr);
        vm.expectRevert(refusal);
        anchors.open(third.id, schemaHash, Mode.Hash, act);
    }

    function test_open__given_its_owner__begins_epoch_1_of_a_stream_named_by_what_it_is() external {
        StreamId id = anchors.streamOf(_other.id, schemaHash, Mode.Full);
        assertEq(StreamId.unwrap(id), bytes32(abi.encodePacked(_other.id, uint8(1), bytes11(schemaHash))), "name");
        Act memory act = _openAct(_other.id, Mode.Full, prosumer);
        vm.expectEmit(address(anchors));
        emit ITelemetryAnchor.StreamOpened(id, _other.id, schemaHash, Mode.Full);
        vm.expectEmit(address(anchors));
        emit ITelemetryAnchor.EpochBegun(id, prosumer.addr, 1, Span.wrap(1 << 48));
        StreamId opened = anchors.open(_other.id, schemaHash, Mode.Full, act);
        assertEq(StreamId.unwrap(opened), StreamId.unwrap(id), "the same name");
        (address owner, uint32 epoch) = anchors.keeperOf(id);
        assertEq(owner, prosumer.addr, "owner");
        assertEq(epoch, 1, "epoch");
        assertEq(anchors.tipHashOf(id), keccak256(abi.encode(uint256(1 << 48), bytes32(0))), "tip without a reading");
    }

    function test_open__given_the_same_device_and_another_schema__opens_another_stream() external {
        schemaHash = keccak256("temperature");
        StreamId opened = _open(device.id, Mode.Hash, prosumer);
        assertNotEq(StreamId.unwrap(opened), StreamId.unwrap(stream), "another name");
        _anchorNext(opened, 3);
        _anchorNext(stream, 2);
    }

    /// A device out of service still has its owner, whose data it is.
    function test_open__given_a_suspended_device__opens_the_stream_and_anchors_nothing() external {
        _setStatus(_other.id, IDeviceRegistry.Status.Suspended, operator);
        StreamId opened = _open(_other.id, Mode.Hash, prosumer);
        (address owner,) = anchors.keeperOf(opened);
        assertEq(owner, prosumer.addr, "owner");
    }

    function test_keeperOf__given_no_stream__is_nobody() external view {
        (address owner, uint32 epoch) = anchors.keeperOf(StreamId.wrap(bytes32(uint256(1))));
        assertEq(owner, address(0), "nobody");
        assertEq(epoch, 0, "no epoch");
    }

    function assertNotEq(bytes32 left, bytes32 right, string memory why) private pure {
        assertFalse(left == right, why);
    }

    function _expectRefusal(address device_, Mode mode, Party memory by, bytes memory refusal) private {
        Act memory act = _openAct(device_, mode, by);
        vm.expectRevert(refusal);
        anchors.open(device_, schemaHash, mode, act);
    }
}
