// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IDeviceRegistry } from "../../../contracts/interfaces/IDeviceRegistry.sol";
import { IERC1056 } from "../../../contracts/interfaces/IERC1056.sol";
import { ISignedActs } from "../../../contracts/interfaces/ISignedActs.sol";
import { Life } from "../support/Life.sol";
import { DeviceKey } from "../support/Street.sol";
import { vm } from "../support/Vm.sol";

/// A device gives itself another key.
contract RotateTest is Life {
    bytes32 private constant DIGEST = keccak256("what the device says");

    DeviceKey private _first;
    DeviceKey private _second;

    function setUp() public override {
        super.setUp();
        (_first, _second) = (_secpDevice(1), _secpDevice(2));
        _enrol(_first, prosumer.addr);
    }

    function test_rotate__given_an_unknown_device__reverts() external {
        _expectRefusal(
            _second.id, _second, _first, abi.encodeWithSelector(IDeviceRegistry.UnknownDevice.selector, _second.id)
        );
    }

    function test_rotate__given_it_is_suspended__reverts() external {
        _setStatus(_first.id, IDeviceRegistry.Status.Suspended, operator);
        _expectRefusal(
            _first.id, _first, _second, abi.encodeWithSelector(IDeviceRegistry.DeviceSuspended.selector, _first.id)
        );
    }

    function test_rotate__given_it_is_revoked__reverts() external {
        _setStatus(_first.id, IDeviceRegistry.Status.Revoked, operator);
        _expectRefusal(
            _first.id, _first, _second, abi.encodeWithSelector(IDeviceRegistry.DeviceRevoked.selector, _first.id)
        );
    }

    function test_rotate__given_another_present_key__reverts() external {
        _expectRefusal(
            _first.id,
            _second,
            _second,
            abi.encodeWithSelector(IDeviceRegistry.WrongKey.selector, _first.id, _first.id, _second.id)
        );
    }

    function test_rotate__given_the_same_key__reverts() external {
        _expectRefusal(
            _first.id, _first, _first, abi.encodeWithSelector(IDeviceRegistry.KeyUnchanged.selector, _first.id)
        );
    }

    function test_rotate__given_a_key_off_its_curve__reverts() external {
        DeviceKey memory off = _second;
        off.y = bytes32(uint256(off.y) ^ 1);
        _expectRefusal(
            _first.id, _first, off, abi.encodeWithSelector(IDeviceRegistry.KeyNotOnCurve.selector, off.x, off.y)
        );
    }

    function test_rotate__given_the_new_key_signed__reverts() external {
        IDeviceRegistry.Rotation memory rotation = _rotationOf(_first.id, _first, _second);
        _expectInvalid(rotation, _signRotation(_second, KEY_ROTATION_TYPEHASH, rotation));
    }

    function test_rotate__given_the_key_signed_an_adoption__reverts() external {
        IDeviceRegistry.Rotation memory rotation = _rotationOf(_first.id, _first, _second);
        _expectInvalid(rotation, _signRotation(_first, KEY_ADOPTION_TYPEHASH, rotation));
    }

    function test_rotate__given_anything_else_than_was_signed__reverts(uint256 which) external {
        IDeviceRegistry.Rotation memory rotation = _rotationOf(_first.id, _first, _second);
        bytes32[2] memory signature = _signRotation(_first, KEY_ROTATION_TYPEHASH, rotation);
        DeviceKey memory third = _secpDevice(3);
        which %= 3;
        if (which == 0) rotation.next = _pointOf(third);
        if (which == 1) ++rotation.deadline;
        if (which == 2) vm.chainId(block.chainid + 1);
        _expectInvalid(rotation, signature);
    }

    function test_rotate__given_it_has_expired__reverts() external {
        IDeviceRegistry.Rotation memory rotation = _rotationOf(_first.id, _first, _second);
        bytes32[2] memory signature = _signRotation(_first, KEY_ROTATION_TYPEHASH, rotation);
        vm.warp(rotation.deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.ActExpired.selector, rotation.deadline));
        devices.rotate(rotation, signature);
    }

    /// Back and forth: what was signed for the first turn is no word in the third.
    function test_rotate__given_a_word_used_before__reverts() external {
        IDeviceRegistry.Rotation memory rotation = _rotationOf(_first.id, _first, _second);
        bytes32[2] memory signature = _signRotation(_first, KEY_ROTATION_TYPEHASH, rotation);
        devices.rotate(rotation, signature);
        _rotate(_first.id, _second, _first);
        _expectInvalid(rotation, signature);
    }

    function test_rotate__given_no_room_for_another_act__reverts() external {
        _spend(16_382);
        _expectRefusal(
            _first.id, _first, _second, abi.encodeWithSelector(IDeviceRegistry.DeviceSpent.selector, _first.id)
        );
        _spend(16_381);
        _rotate(_first.id, _first, _second);
        assertEq(devices.nonce(_first.id), 16_382, "the last");
    }

    /// Writes the device's nonce, which nobody has time to reach.
    function _spend(uint256 nonce) private {
        bytes32 slot = keccak256(abi.encode(_first.id, uint256(4)));
        uint256 word = uint256(vm.load(address(devices), slot));
        assertEq(address(uint160(word >> 96)), _first.id, "its standing");
        word = (word & ~(uint256(0x3fff) << 64)) | (nonce << 64);
        vm.store(address(devices), slot, bytes32(word));
    }

    function test_rotate__given_its_word__changes_the_key_and_nothing_else() external {
        vm.warp(START + 1 hours);
        vm.roll(100);
        IDeviceRegistry.Device memory before = devices.deviceOf(_first.id);
        uint256 told = devices.changed(_first.id);
        IDeviceRegistry.Rotation memory rotation = _rotationOf(_first.id, _first, _second);
        bytes32[2] memory signature = _signRotation(_first, KEY_ROTATION_TYPEHASH, rotation);
        vm.expectEmit(address(devices));
        emit IERC1056.DIDAttributeChanged(_first.id, _attributeOf(_first), _compressed(_first), 0, told);
        vm.expectEmit(address(devices));
        emit IERC1056.DIDAttributeChanged(
            _first.id, _attributeOf(_second), _compressed(_second), type(uint256).max, told
        );
        vm.prank(stranger.addr);
        devices.rotate(rotation, signature);

        IDeviceRegistry.Device memory found = devices.deviceOf(_first.id);
        assertEq(found.key, _second.id, "the new key");
        assertEq(found.keyVersion, 2, "the second");
        assertEq(found.nonce, before.nonce + 1, "one act");
        assertEq(devices.changed(_first.id), 100, "the block");
        assertEq(found.owner, before.owner, "the owner stays");
        assertEq(found.statusSince, before.statusSince, "the status stays");
        assertTrue(devices.isAuthentic(_first.id, DIGEST, _sign(_second)), "the new key speaks");
        assertFalse(devices.isAuthentic(_first.id, DIGEST, _sign(_first)), "the old one does not");
    }

    function test_rotate__given_either_curve_to_either__speaks_by_the_new_key() external {
        DeviceKey[4] memory keys = [_secpDevice(10), _p256Device(11), _p256Device(12), _secpDevice(13)];
        _enrol(keys[0], prosumer.addr);
        for (uint256 i = 1; i < 4; ++i) {
            _rotate(keys[0].id, keys[i - 1], keys[i]);
            bytes memory brought = abi.encodePacked(_sign(keys[i]), keys[i].x, keys[i].y);
            assertTrue(devices.isAuthentic(keys[0].id, DIGEST, brought), "with its key behind");
            bool isP256 = keys[i].kind == IDeviceRegistry.KeyKind.P256;
            assertTrue(devices.isAuthentic(keys[0].id, DIGEST, _sign(keys[i])) != isP256, "without it");
            devices.keepKey(keys[0].id, _pointOf(keys[i]));
            assertTrue(devices.isAuthentic(keys[0].id, DIGEST, _sign(keys[i])), "once it is kept");
        }
    }

    function test_rotate__given_the_former_key_was_kept__does_not_take_it_for_the_new_one() external {
        DeviceKey memory former = _p256Device(1);
        DeviceKey memory present = _p256Device(2);
        _enrol(former, prosumer.addr);
        _rotate(former.id, former, present);
        assertFalse(devices.isAuthentic(former.id, DIGEST, _sign(former)), "kept, but no longer the key");
        assertEq(devices.deviceOf(former.id).kept.x, bytes32(0), "and not told as kept");
    }

    function test_keepKey__given_another_key__reverts() external {
        vm.expectRevert(
            abi.encodeWithSelector(IDeviceRegistry.WrongKey.selector, _first.id, _first.id, _second.id)
        );
        devices.keepKey(_first.id, _pointOf(_second));
    }

    function test_keepKey__given_an_unknown_device__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.UnknownDevice.selector, _second.id));
        devices.keepKey(_second.id, _pointOf(_second));
    }

    function test_isAuthentic__given_another_key_behind_the_signature__is_false() external view {
        bytes memory brought = abi.encodePacked(_sign(_second), _second.x, _second.y);
        assertFalse(devices.isAuthentic(_first.id, DIGEST, brought), "a key of nobody here");
    }

    function _sign(DeviceKey memory by) private pure returns (bytes memory) {
        (bytes32 r, bytes32 s) = _signAs(by, DIGEST);
        return abi.encodePacked(r, s);
    }

    function _expectRefusal(address id, DeviceKey memory present, DeviceKey memory next, bytes memory refusal) private {
        IDeviceRegistry.Rotation memory rotation = _rotationOf(id, present, next);
        bytes32[2] memory signature = _signRotation(present, KEY_ROTATION_TYPEHASH, rotation);
        vm.expectRevert(refusal);
        devices.rotate(rotation, signature);
    }

    function _expectInvalid(IDeviceRegistry.Rotation memory rotation, bytes32[2] memory signature) private {
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.DeviceSignatureInvalid.selector, _first.id));
        devices.rotate(rotation, signature);
    }
}
