// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IDERRegistry } from "../../../contracts/interfaces/IDERRegistry.sol";
import { IDeviceRegistry } from "../../../contracts/interfaces/IDeviceRegistry.sol";
import { vm } from "../support/Vm.sol";
import { Assets } from "./Assets.sol";

contract ReportStatesTest is Assets {
    uint32 private first;
    uint32 private second;

    function setUp() public override {
        super.setUp();
        first = _newAsset();
        second = _newAsset();
        vm.warp(START + 100);
    }

    function test_reportStates__given_more_than_it_takes__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IDERRegistry.TooManyStateReports.selector, 257, 256));
        ders.reportStates(new IDERRegistry.StateReport[](257));
        ders.reportStates(new IDERRegistry.StateReport[](256));
    }

    function test_reportStates__given_a_bad_one_between__tells_it_and_takes_the_others() external {
        IDERRegistry.StateReport[] memory reports = new IDERRegistry.StateReport[](3);
        reports[0] = _signedReport(device, first, COMMISSIONED, START + 1);
        reports[1] = _signedReport(_secpDevice(9), second, COMMISSIONED, START + 1);
        reports[2] = _signedReport(device, second, COMMISSIONED, START + 2);
        vm.expectEmit(address(ders));
        emit IDERRegistry.AssetStateChanged(first, IDERRegistry.AssetState.Commissioned, uint40(START + 1));
        vm.expectEmit(address(ders));
        emit IDERRegistry.AssetStateRefused(
            second, COMMISSIONED, uint40(START + 1), IDeviceRegistry.DeviceSignatureInvalid.selector
        );
        vm.expectEmit(address(ders));
        emit IDERRegistry.AssetStateChanged(second, IDERRegistry.AssetState.Commissioned, uint40(START + 2));
        ders.reportStates(reports);
    }

    function test_reportStates__given_one_asset_twice__judges_the_second_by_the_first() external {
        IDERRegistry.StateReport[] memory reports = new IDERRegistry.StateReport[](3);
        reports[0] = _signedReport(device, first, COMMISSIONED, START + 1);
        reports[1] = _signedReport(device, first, ONLINE, START + 2);
        reports[2] = _signedReport(device, first, OFFLINE, START + 2);
        vm.expectEmit(address(ders));
        emit IDERRegistry.AssetStateRefused(first, OFFLINE, uint40(START + 2), IDERRegistry.StateNotNewer.selector);
        ders.reportStates(reports);
        assertEq(_stateOf(first), ONLINE, "the last that was newer");
    }

    /// In a batch a report is refused for the reason for which it would be alone, and changes as much.
    function testFuzz_reportStates__given_any_reports__does_to_each_as_reportState_would(uint256 seed) external {
        IDERRegistry.StateReport[] memory reports = new IDERRegistry.StateReport[](12);
        for (uint256 i = 0; i < reports.length; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            reports[i] = _signedReport(
                (seed >> 32) % 8 == 0 ? _secpDevice(9) : device,
                uint32(seed % 4 + first - 1),
                uint8((seed >> 8) % 8),
                block.timestamp + 2 - (seed >> 16) % 20
            );
        }
        uint256 before = vm.snapshotState();
        bytes4[] memory reasons = new bytes4[](reports.length);
        for (uint256 i = 0; i < reports.length; ++i) {
            (bool done, bytes memory answer) = address(ders).call(abi.encodeCall(ders.reportState, (reports[i])));
            reasons[i] = done ? bytes4(0) : bytes4(answer);
        }
        bytes32 alone = keccak256(abi.encode(ders.assetOf(first), ders.assetOf(second)));
        vm.revertToState(before);

        for (uint256 i = 0; i < reports.length; ++i) {
            IDERRegistry.StateReport memory report = reports[i];
            vm.expectEmit(address(ders));
            if (reasons[i] == 0) {
                emit IDERRegistry.AssetStateChanged(report.asset, IDERRegistry.AssetState(report.state), report.since);
            } else {
                emit IDERRegistry.AssetStateRefused(report.asset, report.state, report.since, reasons[i]);
            }
        }
        ders.reportStates(reports);
        assertTrue(alone == keccak256(abi.encode(ders.assetOf(first), ders.assetOf(second))), "the same states");
    }
}
