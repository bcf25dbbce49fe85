// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IDeviceRegistry } from "../../../contracts/interfaces/IDeviceRegistry.sol";
import { IFirmwareRegistry } from "../../../contracts/interfaces/IFirmwareRegistry.sol";
import { InstallReceipt } from "../../../contracts/types/InstallReceipt.sol";
import { RolloutState } from "../../../contracts/types/Rollout.sol";
import { DeviceKey } from "../support/Street.sol";
import { vm } from "../support/Vm.sol";
import { Fleet } from "./Fleet.sol";

contract TellManyTest is Fleet {
    function test_tellMany__given_more_than_256__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IFirmwareRegistry.TooManyReceipts.selector, 257, 256));
        firmware.tellMany(new InstallReceipt[](257));
    }

    /// Else whoever sends a batch could have a receipt in it refused for want of gas, and the event would say so of the device.
    function test_tellMany__given_little_gas__reverts() external {
        _full(1, 0);
        InstallReceipt[] memory receipts = _receipts(2);
        vm.expectRevert(IFirmwareRegistry.GasTooLowForReceipt.selector);
        firmware.tellMany{ gas: 520_000 }(receipts);
        firmware.tellMany{ gas: 700_000 }(receipts);
    }

    function test_tellMany__given_some_that_are_refused__takes_the_others() external {
        _full(1, 0);
        InstallReceipt[] memory receipts = _receipts(4);
        receipts[1].failureCode = 1;
        receipts[2] = receipts[0];
        vm.expectEmit(address(firmware));
        emit IFirmwareRegistry.ReceiptRefused(
            receipts[1].device, MODEL, 1, IDeviceRegistry.DeviceSignatureInvalid.selector
        );
        bytes4[] memory reasons = firmware.tellMany(receipts);
        assertReason(reasons[0], 0, "taken");
        assertReason(reasons[1], IDeviceRegistry.DeviceSignatureInvalid.selector, "signed otherwise");
        assertReason(reasons[2], IFirmwareRegistry.ReceiptTold.selector, "twice in a batch");
        assertReason(reasons[3], 0, "taken");
        assertEq(firmware.rolloutOf(MODEL, 1).told, 2, "both");
    }

    /// Were the batch to fail as a whole, the pause would be undone with it.
    function test_tellMany__given_failures_above_the_limit__stands_paused() external {
        _full(1, 0);
        InstallReceipt[] memory receipts = new InstallReceipt[](6);
        for (uint256 i = 0; i < 6; ++i) {
            receipts[i] = _receipt(_deviceAt(1, 0, WHOLE, 20 + i), 1, i < 3 ? 5 : 0);
        }
        bytes4[] memory reasons = firmware.tellMany(receipts);
        for (uint256 i = 0; i < 6; ++i) {
            assertReason(reasons[i], i < LEAST ? bytes4(0) : IFirmwareRegistry.WrongRolloutState.selector, "after it");
        }
        _assertState(1, RolloutState.Paused, "three of four failed");
    }

    function _receipts(uint256 count) private returns (InstallReceipt[] memory receipts) {
        receipts = new InstallReceipt[](count);
        for (uint256 i = 0; i < count; ++i) {
            DeviceKey memory device = _deviceAt(1, 0, WHOLE, 10 + i);
            receipts[i] = _receipt(device, 1, 0);
        }
    }
}
