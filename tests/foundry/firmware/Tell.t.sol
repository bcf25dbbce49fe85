// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IDeviceRegistry } from "../../../contracts/interfaces/IDeviceRegistry.sol";
import { IFirmwareRegistry } from "../../../contracts/interfaces/IFirmwareRegistry.sol";
import { Roles } from "../../../contracts/libraries/Roles.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { InstallReceipt, Installation } from "../../../contracts/types/InstallReceipt.sol";
import { Rollout, RolloutState } from "../../../contracts/types/Rollout.sol";
import { Party, Signing } from "../support/Signing.sol";
import { DeviceKey } from "../support/Street.sol";
import { vm } from "../support/Vm.sol";
import { Fleet } from "./Fleet.sol";

contract TellTest is Fleet {
    DeviceKey private _device; // among the canaries of 1

    function setUp() public override {
        super.setUp();
        _device = _deviceAt(1, 0, CANARY, 0);
    }

    function test_tell__given_no_such_model__reverts() external {
        InstallReceipt memory receipt = _receipt(_device, 1, 0);
        receipt.model = 99;
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.UnknownModel.selector, 99));
        firmware.tell(receipt);
    }

    function test_tell__given_an_unknown_device__reverts() external {
        _canary(1);
        DeviceKey memory device = _secpDevice(1_000);
        InstallReceipt memory receipt = _receipt(device, 1, 0);
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.UnknownDevice.selector, device.id));
        firmware.tell(receipt);
    }

    function test_tell__given_another_model__reverts() external {
        _canary(1);
        DeviceKey memory device = _p256Device(5);
        _enrolAs(device, MODEL + 1, maker);
        InstallReceipt memory receipt = _receipt(device, 1, 0);
        vm.expectRevert(
            abi.encodeWithSelector(IFirmwareRegistry.WrongModel.selector, device.id, maker.addr, MODEL + 1)
        );
        firmware.tell(receipt);
    }

    /// Makers number their models as they like.
    function test_tell__given_another_makers_model_of_that_number__reverts() external {
        _canary(1);
        Party memory other = Signing.party("other maker");
        _grant(Roles.MAKER, other.addr);
        DeviceKey memory device = _p256Device(6);
        _enrolAs(device, MODEL, other);
        InstallReceipt memory receipt = _receipt(device, 1, 0);
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.WrongModel.selector, device.id, other.addr, MODEL));
        firmware.tell(receipt);
    }

    function test_tell__given_a_device_out_of_service__reverts() external {
        _canary(1);
        InstallReceipt memory receipt = _receipt(_device, 1, 0);
        _setStatus(_device.id, IDeviceRegistry.Status.Suspended, operator);
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.DeviceSuspended.selector, _device.id));
        firmware.tell(receipt);
        _setStatus(_device.id, IDeviceRegistry.Status.Revoked, operator);
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.DeviceRevoked.selector, _device.id));
        firmware.tell(receipt);
    }

    function test_tell__given_an_unknown_release__reverts() external {
        InstallReceipt memory receipt = _receipt(_device, 1, 0);
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.UnknownRelease.selector, MODEL, 1));
        firmware.tell(receipt);
    }

    function test_tell__given_a_release_that_takes_no_installs__reverts() external {
        _release(1, 0);
        _expectWrongState(RolloutState.Proposed);
        _begin(_draftRelease(1, 0), CANARY);
        _pause(1);
        _expectWrongState(RolloutState.Paused);
        uint256 id = vm.snapshotState();
        _full(2, 0);
        _expectWrongState(RolloutState.Superseded);
        vm.revertToState(id);
        _revoke(1, 1);
        _expectWrongState(RolloutState.Revoked);
    }

    function test_tell__given_a_device_beyond_the_ramp__reverts() external {
        _canary(1);
        DeviceKey memory device = _deviceAt(1, CANARY, WHOLE, 1);
        InstallReceipt memory receipt = _receipt(device, 1, 0);
        uint256 position = _positionOf(device.id, 1);
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.NotInRamp.selector, device.id, position, CANARY));
        firmware.tell(receipt);
        _raise(1, uint16(position));
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.NotInRamp.selector, device.id, position, position));
        firmware.tell(receipt);
        if (position + 1 < WHOLE) _raise(1, uint16(position) + 1);
        else _raise(1, WHOLE);
        firmware.tell(receipt);
    }

    function test_tell__given_a_clock_ahead__reverts() external {
        _canary(1);
        InstallReceipt memory receipt = _receipt(_device, 1, 0);
        receipt.time += 301;
        _sign(receipt, _device);
        vm.expectRevert(
            abi.encodeWithSelector(IFirmwareRegistry.ReceiptFromFuture.selector, _device.id, receipt.time)
        );
        firmware.tell(receipt);
        receipt.time -= 1;
        _sign(receipt, _device);
        firmware.tell(receipt);
    }

    function testFuzz_tell__given_anything_else_than_was_signed__reverts(uint256 field, uint256 seed) external {
        _canary(1);
        InstallReceipt memory receipt = _receipt(_device, 1, 7);
        if (field % 3 == 0) receipt.failureCode = uint16(_bound(seed, 8, type(uint16).max));
        if (field % 3 == 1) receipt.time = uint40(_bound(seed, 0, block.timestamp - 1));
        if (field % 3 == 2) {
            receipt.signature[seed % 64] = bytes1(uint8(receipt.signature[seed % 64]) ^ uint8(1 + (seed >> 8) % 255));
        }
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.DeviceSignatureInvalid.selector, _device.id));
        firmware.tell(receipt);
    }

    function test_tell__given_a_signature_of_another_length__reverts() external {
        _canary(1);
        InstallReceipt memory receipt = _receipt(_device, 1, 0);
        receipt.signature = abi.encodePacked(receipt.signature, uint8(0));
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.DeviceSignatureInvalid.selector, _device.id));
        firmware.tell(receipt);
    }

    function test_tell__again__reverts() external {
        _canary(1);
        _tell(_device, 1, 0);
        for (uint16 code = 0; code < 2; ++code) {
            InstallReceipt memory receipt = _receipt(_device, 1, code);
            vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.ReceiptTold.selector, _device.id, 1));
            firmware.tell(receipt);
        }
    }

    function test_tell__given_a_second_failure__reverts() external {
        _canary(1);
        _tell(_device, 1, 3);
        InstallReceipt memory receipt = _receipt(_device, 1, 4);
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.ReceiptTold.selector, _device.id, 1));
        firmware.tell(receipt);
    }

    function test_tell__given_a_success_after_a_failure__runs_it_and_leaves_the_tally() external {
        _canary(1);
        _tell(_device, 1, 3);
        vm.roll(50);
        _tell(_device, 1, 0);
        Installation memory installation = firmware.installationOf(_device.id);
        assertEq(installation.running, 1, "it runs");
        assertEq(installation.runningSince, 50, "since then");
        Rollout memory rollout = firmware.rolloutOf(MODEL, 1);
        assertEq(rollout.told, 1, "one device");
        assertEq(rollout.failures, 1, "whose first attempt failed");
        InstallReceipt memory receipt = _receipt(_device, 1, 0);
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.ReceiptTold.selector, _device.id, 1));
        firmware.tell(receipt);
    }

    function test_tell__of_an_older_release__only_that_it_runs() external {
        _full(1, 0);
        _full(2, 0);
        // 3 fails on it, and what it can have is 2
        DeviceKey memory device = _deviceAt(3, 0, CANARY, 3);
        _canary(3);
        _tell(device, 3, 9);
        InstallReceipt memory receipt = _receipt(device, 2, 1);
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.ReceiptOutdated.selector, device.id, 2, 3));
        firmware.tell(receipt);
        _tell(device, 2, 0);
        assertEq(firmware.installationOf(device.id).running, 2, "it runs 2");
        assertEq(firmware.rolloutOf(MODEL, 2).told, 0, "untallied");
        receipt = _receipt(device, 2, 0);
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.ReceiptOutdated.selector, device.id, 2, 3));
        firmware.tell(receipt);
        _tell(device, 3, 0);
        assertEq(firmware.installationOf(device.id).running, 3, "and 3 at last");
    }

    function test_tell__given_a_success__is_logged_and_counted() external {
        _canary(1);
        vm.roll(42);
        vm.expectEmit(address(firmware));
        emit IFirmwareRegistry.InstallTold(_device.id, MODEL, 1, 0, uint40(block.timestamp));
        _tell(_device, 1, 0);
        Installation memory installation = firmware.installationOf(_device.id);
        assertEq(installation.told, 1, "told");
        assertEq(installation.running, 1, "running");
        assertEq(installation.runningSince, 42, "block");
        assertEq(firmware.rolloutOf(MODEL, 1).told, 1, "tally");
        assertEq(firmware.rolloutOf(MODEL, 1).failures, 0, "no failure");
    }

    function test_tell__given_a_p256_key_brought_along__is_taken() external {
        _full(1, 0);
        DeviceKey memory device = _p256Device(9);
        _enrol(device, prosumer.addr);
        InstallReceipt memory receipt = _receipt(device, 1, 0);
        receipt.signature = abi.encodePacked(receipt.signature, device.x, device.y);
        firmware.tell(receipt);
        assertEq(firmware.installationOf(device.id).running, 1, "it runs");
    }

    /// LEAST is 4 and LIMIT a quarter: one failure of four is at the limit, not above it.
    function test_tell__given_failures_at_the_limit__goes_on() external {
        _full(1, 0);
        for (uint256 i = 0; i < 4; ++i) {
            _tell(_deviceAt(1, 0, WHOLE, 10 + i), 1, i == 0 ? 5 : 0);
        }
        _assertState(1, RolloutState.Full, "a quarter");
    }

    function test_tell__given_failures_above_the_limit__pauses_it_in_the_same_transaction() external {
        _full(1, 0);
        for (uint256 i = 0; i < 4; ++i) {
            DeviceKey memory device = _deviceAt(1, 0, WHOLE, 10 + i);
            if (i == 3) {
                vm.expectEmit(address(firmware));
                emit IFirmwareRegistry.RolloutPaused(MODEL, 1, address(0), 4, 2, 3);
            }
            _tell(device, 1, i < 2 ? 5 : 0); // the last one is a success, and enough have told
        }
        _assertState(1, RolloutState.Paused, "by itself");
        InstallReceipt memory late = _receipt(_device, 1, 0);
        vm.expectPartialRevert(IFirmwareRegistry.WrongRolloutState.selector);
        firmware.tell(late);
    }

    function _expectWrongState(RolloutState state) private {
        InstallReceipt memory receipt = _receipt(_device, 1, 0);
        vm.expectRevert(
            abi.encodeWithSelector(IFirmwareRegistry.WrongRolloutState.selector, MODEL, uint32(1), state)
        );
        firmware.tell(receipt);
    }

    function _enrolAs(DeviceKey memory device, uint32 model, Party memory by) private {
        IDeviceRegistry.Enrolment memory enrolment = _enrolment(device, prosumer.addr);
        enrolment.model = model;
        Act memory act = _endorse(enrolment, by);
        devices.enrol(enrolment, act, _possession(device, prosumer.addr, act));
    }
}
