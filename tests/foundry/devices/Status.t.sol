// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IDeviceRegistry } from "../../../contracts/interfaces/IDeviceRegistry.sol";
import { ISignedActs } from "../../../contracts/interfaces/ISignedActs.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { Party } from "../support/Signing.sol";
import { DeviceKey, Street } from "../support/Street.sol";
import { vm } from "../support/Vm.sol";

contract StatusTest is Street {
    IDeviceRegistry.Status private constant ACTIVE = IDeviceRegistry.Status.Active;
    IDeviceRegistry.Status private constant SUSPENDED = IDeviceRegistry.Status.Suspended;
    IDeviceRegistry.Status private constant REVOKED = IDeviceRegistry.Status.Revoked;

    DeviceKey private _device;

    function setUp() public override {
        super.setUp();
        _device = _secpDevice(1);
        _enrol(_device, prosumer.addr);
    }

    function test_setStatus__given_an_unknown_device__reverts() external {
        address unknown = _secpDevice(2).id;
        Act memory act = _statusAct(unknown, SUSPENDED, operator);
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.UnknownDevice.selector, unknown));
        devices.setStatus(unknown, SUSPENDED, act);
    }

    function test_setStatus__given_a_stranger__reverts() external {
        _expectRefusal(SUSPENDED, stranger, abi.encodeWithSelector(ISignedActs.SignerNotAllowed.selector, stranger.addr));
    }

    function test_setStatus__given_its_maker__reverts() external {
        _expectRefusal(REVOKED, maker, abi.encodeWithSelector(ISignedActs.SignerNotAllowed.selector, maker.addr));
    }

    function test_setStatus__given_an_owner_that_reinstates__reverts() external {
        _setStatus(_device.id, SUSPENDED, prosumer);
        _expectRefusal(ACTIVE, prosumer, abi.encodeWithSelector(ISignedActs.SignerNotAllowed.selector, prosumer.addr));
    }

    function test_setStatus__given_a_change_that_is_none__reverts() external {
        _expectNoChange(ACTIVE, ACTIVE);
        _expectNoChange(ACTIVE, IDeviceRegistry.Status.Unknown);
        _setStatus(_device.id, SUSPENDED, operator);
        _expectNoChange(SUSPENDED, SUSPENDED);
        _expectNoChange(SUSPENDED, IDeviceRegistry.Status.Unknown);
    }

    function test_setStatus__given_it_is_revoked__reverts() external {
        _setStatus(_device.id, REVOKED, operator);
        _expectNoChange(REVOKED, ACTIVE);
        _expectNoChange(REVOKED, SUSPENDED);
        _expectNoChange(REVOKED, REVOKED);
    }

    function test_setStatus__given_the_act_has_expired__reverts() external {
        Act memory act = _statusAct(_device.id, SUSPENDED, operator);
        vm.warp(act.deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.ActExpired.selector, act.deadline));
        devices.setStatus(_device.id, SUSPENDED, act);
    }

    function test_setStatus__given_a_used_nonce__reverts() external {
        Act memory act = _statusAct(_device.id, SUSPENDED, operator);
        devices.setStatus(_device.id, SUSPENDED, act);
        _setStatus(_device.id, ACTIVE, operator);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.NonceUsed.selector, operator.addr, act.nonce));
        devices.setStatus(_device.id, SUSPENDED, act);
    }

    function test_setStatus__given_an_act_for_another_status__reverts() external {
        Act memory act = _statusAct(_device.id, SUSPENDED, operator);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.WrongSignature.selector, operator.addr));
        devices.setStatus(_device.id, REVOKED, act);
    }

    function test_setStatus__given_an_act_for_another_device__reverts() external {
        DeviceKey memory other = _secpDevice(2);
        _enrol(other, prosumer.addr);
        Act memory act = _statusAct(_device.id, SUSPENDED, prosumer);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.WrongSignature.selector, prosumer.addr));
        devices.setStatus(other.id, SUSPENDED, act);
    }

    function test_setStatus__given_its_owner__suspends() external {
        Act memory act = _statusAct(_device.id, SUSPENDED, prosumer);
        vm.warp(block.timestamp + 60);
        vm.expectEmit(address(devices));
        emit IDeviceRegistry.DeviceStatusChanged(_device.id, SUSPENDED, prosumer.addr);
        devices.setStatus(_device.id, SUSPENDED, act);
        _assertStatus(SUSPENDED);
        assertEq(devices.deviceOf(_device.id).statusSince, block.timestamp, "since now");
    }

    function test_setStatus__given_its_owner__revokes() external {
        _setStatus(_device.id, REVOKED, prosumer);
        _assertStatus(REVOKED);
    }

    function test_setStatus__given_a_suspended_device__lets_its_owner_revoke_it() external {
        _setStatus(_device.id, SUSPENDED, operator);
        _setStatus(_device.id, REVOKED, prosumer);
        _assertStatus(REVOKED);
    }

    function test_setStatus__given_an_operator__suspends_reinstates_and_revokes() external {
        _setStatus(_device.id, SUSPENDED, operator);
        _assertStatus(SUSPENDED);
        _setStatus(_device.id, ACTIVE, operator);
        _assertStatus(ACTIVE);
        _setStatus(_device.id, REVOKED, operator);
        _assertStatus(REVOKED);
    }

    function test_setStatus__given_an_owner_who_is_an_operator__reinstates() external {
        _grant(1, prosumer.addr);
        _setStatus(_device.id, SUSPENDED, prosumer);
        _setStatus(_device.id, ACTIVE, prosumer);
        _assertStatus(ACTIVE);
    }

    function _assertStatus(IDeviceRegistry.Status status) private view {
        IDeviceRegistry.Device memory device = devices.deviceOf(_device.id);
        assertTrue(device.status == status, "status");
        assertEq(device.key, _device.id, "the key stays");
        assertEq(device.keyVersion, 1, "its version stays");
    }

    function _expectNoChange(IDeviceRegistry.Status from, IDeviceRegistry.Status to) private {
        bytes memory refusal =
            abi.encodeWithSelector(IDeviceRegistry.StatusChangeRefused.selector, _device.id, from, to);
        _expectRefusal(to, operator, refusal);
    }

    function _expectRefusal(IDeviceRegistry.Status status, Party memory by, bytes memory refusal) private {
        Act memory act = _statusAct(_device.id, status, by);
        vm.expectRevert(refusal);
        devices.setStatus(_device.id, status, act);
    }
}
