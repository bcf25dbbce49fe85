// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IDeviceRegistry } from "../../../contracts/interfaces/IDeviceRegistry.sol";
import { IERC1056 } from "../../../contracts/interfaces/IERC1056.sol";
import { ISignedActs } from "../../../contracts/interfaces/ISignedActs.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { Life } from "../support/Life.sol";
import { Party } from "../support/Signing.sol";
import { DeviceKey } from "../support/Street.sol";
import { vm } from "../support/Vm.sol";

/// A device's key is known to somebody else.
///
///     block 10       30          50                 80
///     enrolled   in doubt from   noticed   key replaced, reinstated
contract CompromiseTest is Life {
    DeviceKey private _stolen;
    DeviceKey private _next;

    function setUp() public override {
        super.setUp();
        (_stolen, _next) = (_secpDevice(1), _secpDevice(2));
        vm.roll(10);
        _enrol(_stolen, prosumer.addr);
        vm.roll(50);
    }

    function test_noteCompromise__given_an_unknown_device__reverts() external {
        Act memory act = _notice(_next.id, 30, operator);
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.UnknownDevice.selector, _next.id));
        devices.noteCompromise(_next.id, 30, _pointOf(_next), act);
    }

    function test_noteCompromise__given_a_stranger__reverts() external {
        Party[2] memory others = [maker, stranger];
        for (uint256 i = 0; i < 2; ++i) {
            Act memory act = _notice(_stolen.id, 30, others[i]);
            vm.expectRevert(abi.encodeWithSelector(ISignedActs.SignerNotAllowed.selector, others[i].addr));
            devices.noteCompromise(_stolen.id, 30, _pointOf(_stolen), act);
        }
    }

    function test_noteCompromise__given_a_block_that_is_none_or_to_come__reverts() external {
        uint32[2] memory blocks = [0, uint32(block.number + 1)];
        for (uint256 i = 0; i < 2; ++i) {
            Act memory act = _notice(_stolen.id, blocks[i], operator);
            vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.BlockOutOfRange.selector, blocks[i]));
            devices.noteCompromise(_stolen.id, blocks[i], _pointOf(_stolen), act);
        }
    }

    function test_noteCompromise__given_another_key__reverts() external {
        Act memory act = _notice(_stolen.id, 30, operator);
        vm.expectRevert(
            abi.encodeWithSelector(IDeviceRegistry.WrongKey.selector, _stolen.id, _stolen.id, _next.id)
        );
        devices.noteCompromise(_stolen.id, 30, _pointOf(_next), act);
    }

    function test_noteCompromise__given_no_earlier_block__reverts() external {
        _noteCompromise(_stolen.id, _stolen, 30, operator);
        uint32[2] memory blocks = [uint32(30), 31];
        for (uint256 i = 0; i < 2; ++i) {
            Act memory act = _notice(_stolen.id, blocks[i], prosumer);
            vm.expectRevert(
                abi.encodeWithSelector(IDeviceRegistry.DoubtNotEarlier.selector, _stolen.id, uint256(30))
            );
            devices.noteCompromise(_stolen.id, blocks[i], _pointOf(_stolen), act);
        }
    }

    function test_noteCompromise__given_an_active_device__suspends_it_and_ends_its_key() external {
        Act memory act = _notice(_stolen.id, 30, prosumer);
        vm.expectEmit(address(devices));
        emit IDeviceRegistry.DeviceCompromised(_stolen.id, 30, prosumer.addr);
        vm.expectEmit(address(devices));
        emit IERC1056.DIDAttributeChanged(_stolen.id, _attributeOf(_stolen), _compressed(_stolen), 0, 10);
        vm.expectEmit(address(devices));
        emit IDeviceRegistry.DeviceStatusChanged(_stolen.id, IDeviceRegistry.Status.Suspended, prosumer.addr);
        devices.noteCompromise(_stolen.id, 30, _pointOf(_stolen), act);
        IDeviceRegistry.Device memory found = devices.deviceOf(_stolen.id);
        assertTrue(found.status == IDeviceRegistry.Status.Suspended, "suspended");
        assertEq(found.compromisedSince, 30, "in doubt since");
        assertEq(devices.changed(_stolen.id), 50, "told in this block");
    }

    function test_noteCompromise__given_an_earlier_block__moves_the_doubt() external {
        _noteCompromise(_stolen.id, _stolen, 30, operator);
        _noteCompromise(_stolen.id, _stolen, 20, prosumer);
        assertFalse(devices.isTrustedAt(_stolen.id, 20), "in doubt");
        assertTrue(devices.isTrustedAt(_stolen.id, 19), "before");
    }

    function test_noteCompromise__given_it_is_revoked__notes_it() external {
        _setStatus(_stolen.id, IDeviceRegistry.Status.Revoked, prosumer);
        _noteCompromise(_stolen.id, _stolen, 30, operator);
        assertFalse(devices.isTrustedAt(_stolen.id, 40), "in doubt");
        assertTrue(
            devices.deviceOf(_stolen.id).status == IDeviceRegistry.Status.Revoked, "what is revoked stays it"
        );
    }

    /// The thief cannot stay in: no rotation, no handover, no veto; nor can the owner put in a key without an operator.
    function test_noteCompromise__given_the_key_in_doubt__it_does_nothing_more() external {
        _noteCompromise(_stolen.id, _stolen, 30, prosumer);
        IDeviceRegistry.Rotation memory rotation = _rotationOf(_stolen.id, _stolen, _next);
        bytes32[2] memory signature = _signRotation(_stolen, KEY_ROTATION_TYPEHASH, rotation);
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.DeviceSuspended.selector, _stolen.id));
        devices.rotate(rotation, signature);

        _offerTo(_stolen.id, stranger.addr, prosumer);
        Act memory acceptance = _acceptance(_stolen.id, prosumer.addr, stranger);
        bytes32[2] memory handover = _handover(_stolen.id, _stolen, prosumer.addr, acceptance);
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.KeyCompromised.selector, _stolen.id, uint256(30)));
        devices.acceptTransfer(_stolen.id, _pointOf(_stolen), acceptance, handover);

        Act memory act = _statusAct(_stolen.id, IDeviceRegistry.Status.Active, operator);
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.KeyCompromised.selector, _stolen.id, uint256(30)));
        devices.setStatus(_stolen.id, IDeviceRegistry.Status.Active, act);
    }

    function test_isTrustedAt__given_an_unknown_device__is_false() external view {
        assertFalse(devices.isTrustedAt(_next.id, 50), "nobody");
    }

    function test_isTrustedAt__given_a_new_key__doubts_just_the_span_of_the_old_one() public {
        _noteCompromise(_stolen.id, _stolen, 30, prosumer);
        _propose(_stolen.id, _next, prosumer);
        vm.warp(START + 7 days);
        vm.roll(80);
        _complete(_stolen.id, _stolen, _next);
        _setStatus(_stolen.id, IDeviceRegistry.Status.Active, operator);
        vm.roll(90);
        uint256[4] memory bounds = [uint256(29), 30, 79, 80];
        bool[4] memory trusted = [true, false, false, true];
        for (uint256 i = 0; i < 4; ++i) {
            assertTrue(devices.isTrustedAt(_stolen.id, bounds[i]) == trusted[i], "up to the doubt, from the new key on");
        }
        assertEq(devices.deviceOf(_stolen.id).compromisedSince, 0, "the new key is trusted");
    }

    function test_isTrustedAt__given_two_thefts__doubts_both_spans() external {
        test_isTrustedAt__given_a_new_key__doubts_just_the_span_of_the_old_one();
        _noteCompromise(_stolen.id, _next, 85, operator);
        assertFalse(devices.isTrustedAt(_stolen.id, 40), "the first");
        assertTrue(devices.isTrustedAt(_stolen.id, 84), "between");
        assertFalse(devices.isTrustedAt(_stolen.id, 85), "the second");
    }
}
