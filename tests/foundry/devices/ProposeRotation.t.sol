// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IDeviceRegistry } from "../../../contracts/interfaces/IDeviceRegistry.sol";
import { ISignedActs } from "../../../contracts/interfaces/ISignedActs.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { Life } from "../support/Life.sol";
import { Party } from "../support/Signing.sol";
import { DeviceKey } from "../support/Street.sol";
import { vm } from "../support/Vm.sol";

/// The owner proposes a key because the device has lost its own.
///
///     proposal            a week             completion
///     |--------------------|-----------------|------>
///       veto by the old key    also here, still
contract ProposeRotationTest is Life {
    DeviceKey private _lost;
    DeviceKey private _next;

    function setUp() public override {
        super.setUp();
        (_lost, _next) = (_secpDevice(1), _p256Device(2));
        _enrol(_lost, prosumer.addr);
    }

    // ---------------------------------------------------------------------------------------------------------- proposal

    function test_proposeRotation__given_another_than_the_owner__reverts() external {
        Party[3] memory others = [operator, maker, stranger];
        for (uint256 i = 0; i < 3; ++i) {
            Act memory act = _proposal(_lost.id, _next, others[i]);
            vm.expectRevert(abi.encodeWithSelector(ISignedActs.SignerNotAllowed.selector, others[i].addr));
            devices.proposeRotation(_lost.id, _next.kind, _pointOf(_next), act);
        }
    }

    function test_proposeRotation__given_an_unknown_or_revoked_device__reverts() external {
        Act memory act = _proposal(_next.id, _next, prosumer);
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.UnknownDevice.selector, _next.id));
        devices.proposeRotation(_next.id, _next.kind, _pointOf(_next), act);
        _setStatus(_lost.id, IDeviceRegistry.Status.Revoked, operator);
        act = _proposal(_lost.id, _next, prosumer);
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.DeviceRevoked.selector, _lost.id));
        devices.proposeRotation(_lost.id, _next.kind, _pointOf(_next), act);
    }

    function test_proposeRotation__given_a_key_off_its_curve__reverts() external {
        DeviceKey memory off = _next;
        off.kind = IDeviceRegistry.KeyKind.Secp256k1;
        Act memory act = _proposal(_lost.id, off, prosumer);
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.KeyNotOnCurve.selector, off.x, off.y));
        devices.proposeRotation(_lost.id, off.kind, _pointOf(off), act);
    }

    function test_proposeRotation__given_the_owner__tells_and_keeps_it() external {
        Act memory act = _proposal(_lost.id, _next, prosumer);
        vm.expectEmit(address(devices));
        emit IDeviceRegistry.RotationProposed(_lost.id, _next.kind, _next.x, _next.y, uint40(START + 7 days));
        devices.proposeRotation(_lost.id, _next.kind, _pointOf(_next), act);
        (address key, IDeviceRegistry.KeyKind kind, uint256 readyAt) = devices.proposalOf(_lost.id);
        assertEq(key, _next.id, "the key");
        assertTrue(kind == _next.kind, "its kind");
        assertEq(readyAt, START + 7 days, "in a week");
    }

    // -------------------------------------------------------------------------------------------------------------- veto

    function test_vetoRotation__given_no_proposal__reverts() external {
        bytes32[2] memory veto = _signVeto(_lost.id, _lost, _next.id, START);
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.NoRotationProposed.selector, _lost.id));
        devices.vetoRotation(_lost.id, _pointOf(_lost), START, veto);
    }

    function test_vetoRotation__given_another_key__reverts() external {
        _propose(_lost.id, _next, prosumer);
        bytes32[2] memory veto = _signVeto(_lost.id, _next, _next.id, START);
        vm.expectRevert(
            abi.encodeWithSelector(IDeviceRegistry.WrongKey.selector, _lost.id, _lost.id, _next.id)
        );
        devices.vetoRotation(_lost.id, _pointOf(_next), START, veto);
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.DeviceSignatureInvalid.selector, _lost.id));
        devices.vetoRotation(_lost.id, _pointOf(_lost), START, veto);
    }

    function test_vetoRotation__given_a_veto_of_another_proposal__reverts() external {
        _propose(_lost.id, _secpDevice(3), prosumer);
        bytes32[2] memory veto = _signVeto(_lost.id, _lost, _secpDevice(3).id, START);
        _propose(_lost.id, _next, prosumer);
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.DeviceSignatureInvalid.selector, _lost.id));
        devices.vetoRotation(_lost.id, _pointOf(_lost), START, veto);
    }

    function test_vetoRotation__given_the_key_is_in_doubt__reverts() external {
        _propose(_lost.id, _next, prosumer);
        _noteCompromise(_lost.id, _lost, uint32(block.number), prosumer);
        bytes32[2] memory veto = _signVeto(_lost.id, _lost, _next.id, START);
        vm.expectRevert(
            abi.encodeWithSelector(IDeviceRegistry.KeyCompromised.selector, _lost.id, block.number)
        );
        devices.vetoRotation(_lost.id, _pointOf(_lost), START, veto);
    }

    function test_vetoRotation__given_the_present_key__undoes_the_proposal() external {
        _propose(_lost.id, _next, prosumer);
        bytes32[2] memory veto = _signVeto(_lost.id, _lost, _next.id, START);
        vm.expectEmit(address(devices));
        emit IDeviceRegistry.RotationVetoed(_lost.id, _next.id);
        devices.vetoRotation(_lost.id, _pointOf(_lost), START, veto);
        vm.warp(START + 7 days);
        _expectNone();
    }

    function test_vetoRotation__given_its_owner_suspended_the_device__undoes_the_proposal() external {
        _propose(_lost.id, _next, prosumer);
        _setStatus(_lost.id, IDeviceRegistry.Status.Suspended, prosumer);
        bytes32[2] memory veto = _signVeto(_lost.id, _lost, _next.id, START);
        devices.vetoRotation(_lost.id, _pointOf(_lost), START, veto);
        vm.warp(START + 7 days);
        _expectNone();
    }

    // -------------------------------------------------------------------------------------------------------- completion

    function test_completeRotation__given_no_proposal__reverts() external {
        _expectNone();
    }

    function test_completeRotation__given_less_than_a_week__reverts() external {
        _propose(_lost.id, _next, prosumer);
        vm.warp(START + 7 days - 1);
        _expectRefusal(
            _next, abi.encodeWithSelector(IDeviceRegistry.RotationNotReady.selector, _lost.id, START + 7 days)
        );
    }

    function test_completeRotation__given_another_key__reverts() external {
        _propose(_lost.id, _next, prosumer);
        vm.warp(START + 7 days);
        _expectRefusal(
            _secpDevice(3),
            abi.encodeWithSelector(IDeviceRegistry.OtherKeyProposed.selector, _lost.id, _next.id)
        );
    }

    function test_completeRotation__given_the_key_signed_a_rotation__reverts() external {
        _propose(_lost.id, _next, prosumer);
        vm.warp(START + 7 days);
        IDeviceRegistry.Rotation memory rotation = _rotationOf(_lost.id, _lost, _next);
        bytes32[2] memory signature = _signRotation(_next, KEY_ROTATION_TYPEHASH, rotation);
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.DeviceSignatureInvalid.selector, _lost.id));
        devices.completeRotation(rotation, signature);
    }

    function test_completeRotation__given_the_device_changed_its_key__reverts() external {
        _propose(_lost.id, _next, prosumer);
        DeviceKey memory own = _secpDevice(3);
        _rotate(_lost.id, _lost, own);
        vm.warp(START + 7 days);
        _lost.x = own.x;
        _lost.y = own.y;
        _expectNone();
    }

    function test_completeRotation__given_the_device_was_handed_over__reverts() external {
        _propose(_lost.id, _next, prosumer);
        _transfer(_lost.id, _lost, prosumer, stranger);
        vm.warp(START + 7 days);
        _expectNone();
    }

    function test_completeRotation__given_it_was_revoked__reverts() external {
        _propose(_lost.id, _next, prosumer);
        _setStatus(_lost.id, IDeviceRegistry.Status.Revoked, prosumer);
        vm.warp(START + 7 days);
        _expectRefusal(_next, abi.encodeWithSelector(IDeviceRegistry.DeviceRevoked.selector, _lost.id));
        (address key,,) = devices.proposalOf(_lost.id);
        assertEq(key, address(0), "nothing can take over");
    }

    function test_completeRotation__given_a_week_without_veto__changes_the_key() external {
        _propose(_lost.id, _next, prosumer);
        vm.warp(START + 7 days);
        _complete(_lost.id, _lost, _next);
        IDeviceRegistry.Device memory found = devices.deviceOf(_lost.id);
        assertEq(found.key, _next.id, "the new key");
        assertEq(found.keyVersion, 2, "the second");
        assertTrue(found.status == IDeviceRegistry.Status.Active, "as before");
        (address key,,) = devices.proposalOf(_lost.id);
        assertEq(key, address(0), "nothing is proposed any more");
    }

    function _expectNone() private {
        _expectRefusal(_next, abi.encodeWithSelector(IDeviceRegistry.NoRotationProposed.selector, _lost.id));
    }

    function _expectRefusal(DeviceKey memory next, bytes memory refusal) private {
        IDeviceRegistry.Rotation memory rotation = _rotationOf(_lost.id, _lost, next);
        bytes32[2] memory signature = _signRotation(next, KEY_ADOPTION_TYPEHASH, rotation);
        vm.expectRevert(refusal);
        devices.completeRotation(rotation, signature);
    }
}
