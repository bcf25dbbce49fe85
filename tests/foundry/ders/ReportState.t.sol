// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IDERRegistry } from "../../../contracts/interfaces/IDERRegistry.sol";
import { IDeviceRegistry } from "../../../contracts/interfaces/IDeviceRegistry.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { PublicKey } from "../../../contracts/types/PublicKey.sol";
import { Signing } from "../support/Signing.sol";
import { DeviceKey } from "../support/Street.sol";
import { vm } from "../support/Vm.sol";
import { Assets } from "./Assets.sol";

/// reportState
///
///   unreported -> commissioned -> online | offline | maintenance | fault -> decommissioned
///                       |          (among each other, not to itself)          ^
///                       '-----------------------------------------------------'
contract ReportStateTest is Assets {
    uint32 private constant UNTIL = FIRST_SLOT + 193;

    uint32 private asset;

    function setUp() public override {
        super.setUp();
        asset = _newAsset();
        vm.warp(START + 100);
    }

    // ----------------------------------------------------------------------------------------------------------- refusals

    function test_reportState__given_an_unknown_asset__reverts() external {
        _expectRevert(
            _signedReport(device, asset + 1, COMMISSIONED, block.timestamp),
            abi.encodeWithSelector(IDERRegistry.UnknownAsset.selector, asset + 1)
        );
    }

    function test_reportState__when_its_deadline_has_passed__reverts() external {
        IDERRegistry.StateReport memory report = _signedReport(device, asset, COMMISSIONED, block.timestamp);
        vm.warp(report.deadline + 1);
        _expectRevert(
            report, abi.encodeWithSelector(IDERRegistry.StateReportExpired.selector, asset, report.deadline)
        );
        vm.warp(report.deadline);
        ders.reportState(report);
    }

    function test_reportState__given_no_state__reverts() external {
        _expectRevert(
            _signedReport(device, asset, DECOMMISSIONED + 1, block.timestamp),
            abi.encodeWithSelector(IDERRegistry.StateOutOfRange.selector, asset, DECOMMISSIONED + 1)
        );
    }

    function test_reportState__given_the_future__reverts() external {
        uint256 soon = block.timestamp + 1;
        _expectRevert(
            _signedReport(device, asset, COMMISSIONED, soon),
            abi.encodeWithSelector(IDERRegistry.StateFromFuture.selector, asset, soon, soon - 1)
        );
    }

    function test_reportState__given_a_time_before_its_registration__reverts() external {
        _expectRevert(
            _signedReport(device, asset, COMMISSIONED, START - 1),
            abi.encodeWithSelector(IDERRegistry.StateBeforeRegistration.selector, asset, START - 1, START)
        );
        ders.reportState(_signedReport(device, asset, COMMISSIONED, START));
    }

    function test_reportState__given_the_same_report_twice__reverts() external {
        IDERRegistry.StateReport memory report = _signedReport(device, asset, COMMISSIONED, START + 50);
        ders.reportState(report);
        _expectRevert(
            report, abi.encodeWithSelector(IDERRegistry.StateNotNewer.selector, asset, START + 50, START + 50)
        );
    }

    function test_reportState__given_a_time_before_the_present_state__reverts() external {
        ders.reportState(_signedReport(device, asset, COMMISSIONED, START + 50));
        _expectRevert(
            _signedReport(device, asset, ONLINE, START + 49),
            abi.encodeWithSelector(IDERRegistry.StateNotNewer.selector, asset, START + 49, START + 50)
        );
    }

    function test_reportState__given_any_change_off_the_graph__reverts() external {
        for (uint8 from = UNREPORTED; from <= DECOMMISSIONED; ++from) {
            for (uint8 to = UNREPORTED; to <= DECOMMISSIONED; ++to) {
                if (_isAllowed(from, to)) continue;
                uint32 fresh = _newAsset();
                _bring(fresh, from);
                _expectRevert(
                    _signedReport(device, fresh, to, block.timestamp),
                    abi.encodeWithSelector(IDERRegistry.StateNotReachable.selector, fresh, from, to)
                );
            }
        }
    }

    function test_reportState__given_another_devices_signature__reverts() external {
        DeviceKey memory other = _secpDevice(2);
        _enrol(other, prosumer.addr);
        _expectInvalid(_signedReport(other, asset, COMMISSIONED, block.timestamp));
    }

    function test_reportState__given_anything_else_than_signed__reverts() external {
        uint32 twin = _newAsset();
        _report(asset, COMMISSIONED);
        _report(twin, COMMISSIONED);
        vm.warp(START + 200);
        for (uint256 field = 0; field < 4; ++field) {
            IDERRegistry.StateReport memory report = _signedReport(device, asset, ONLINE, START + 150);
            if (field == 0) report.asset = twin;
            if (field == 1) report.state = OFFLINE;
            if (field == 2) report.since += 1;
            if (field == 3) report.deadline += 1;
            _expectInvalid(report);
        }
    }

    function test_reportState__given_a_signature_for_another_chain_or_contract__reverts() external {
        IDERRegistry.StateReport memory report = _signedReport(device, asset, COMMISSIONED, block.timestamp);
        vm.chainId(block.chainid + 1);
        _expectInvalid(report);
        vm.chainId(block.chainid - 1);
        (bytes32 r, bytes32 s) = _signAs(
            device,
            _digest(
                DERS,
                address(devices),
                keccak256(
                    abi.encode(
                        keccak256("AssetStateReport(uint32 asset,uint8 state,uint40 since,uint256 deadline)"),
                        report.asset,
                        report.state,
                        report.since,
                        report.deadline
                    )
                )
            )
        );
        bytes memory own = report.signature;
        report.signature = abi.encodePacked(r, s);
        _expectInvalid(report);
        report.signature = own;
        ders.reportState(report);
    }

    function test_reportState__given_a_signature_of_any_other_length__reverts() external {
        IDERRegistry.StateReport memory report = _signedReport(device, asset, COMMISSIONED, block.timestamp);
        bytes memory own = report.signature;
        report.signature = abi.encodePacked(own, uint8(27));
        _expectInvalid(report);
        report.signature = "";
        _expectInvalid(report);
    }

    function test_reportState__given_the_former_key__reverts() external {
        DeviceKey memory next = _secpDevice(2);
        IDERRegistry.StateReport memory report = _signedReport(device, asset, COMMISSIONED, block.timestamp);
        _rotateTo(next);
        _expectInvalid(report);
        _sign(next, report);
        ders.reportState(report);
    }

    function test_reportState__given_a_suspended_or_revoked_device__reverts() external {
        IDERRegistry.StateReport memory report = _signedReport(device, asset, COMMISSIONED, block.timestamp);
        _setStatus(device.id, IDeviceRegistry.Status.Suspended, operator);
        _expectRevert(report, abi.encodeWithSelector(IDeviceRegistry.DeviceSuspended.selector, device.id));
        _setStatus(device.id, IDeviceRegistry.Status.Revoked, operator);
        _expectRevert(report, abi.encodeWithSelector(IDeviceRegistry.DeviceRevoked.selector, device.id));
    }

    function test_reportState__when_its_meter_has_ended__reverts() external {
        _report(asset, COMMISSIONED);
        ders.endMeter(meter, UNTIL, _endAct(meter, UNTIL, operator));
        vm.warp(uint256(UNTIL) * SLOT_LENGTH - 1);
        IDERRegistry.StateReport memory late = _signedReport(device, asset, OFFLINE, block.timestamp);
        _report(asset, ONLINE);

        vm.warp(uint256(UNTIL) * SLOT_LENGTH);
        late.since = uint40(block.timestamp);
        _sign(device, late);
        bytes memory refusal = abi.encodeWithSelector(IDERRegistry.AssetMeterNotInForce.selector, asset, meter);
        _expectRevert(late, refusal);
    }

    function test_reportState__when_its_meter_has_ended__reverts_for_the_time_before_too() external {
        ders.endMeter(meter, UNTIL, _endAct(meter, UNTIL, operator));
        vm.warp(uint256(UNTIL) * SLOT_LENGTH);
        _expectRevert(
            _signedReport(device, asset, COMMISSIONED, block.timestamp - 1),
            abi.encodeWithSelector(IDERRegistry.AssetMeterNotInForce.selector, asset, meter)
        );
    }

    /// The next tenant's assets: registered as soon as the meter is, reported once it has begun.
    function test_reportState__when_the_meter_moves__passes_to_the_assets_of_the_next() external {
        IDERRegistry.MeterRegistration memory to = _registration(device.id, stranger.addr);
        uint32 next = ders.moveMeter(to, UNTIL, _moveAct(to, UNTIL, operator), Signing.none());
        IDERRegistry.AssetRegistration memory registration = _battery();
        registration.meter = next;
        uint32 heir = ders.registerAsset(registration, _assetAct(registration, operator));

        uint256 begins = uint256(UNTIL) * SLOT_LENGTH;
        vm.warp(begins - 1);
        bytes memory refusal = abi.encodeWithSelector(IDERRegistry.AssetMeterNotInForce.selector, heir, next);
        _expectRevert(_signedReport(device, heir, COMMISSIONED, block.timestamp), refusal);
        _report(asset, COMMISSIONED);

        vm.warp(begins);
        _expectRevert(_signedReport(device, heir, COMMISSIONED, begins - 1), refusal);
        _report(heir, COMMISSIONED);
        _expectRevert(
            _signedReport(device, asset, ONLINE, begins),
            abi.encodeWithSelector(IDERRegistry.AssetMeterNotInForce.selector, asset, meter)
        );
        assertEq(_stateOf(asset), COMMISSIONED, "the former asset's last state stands");
    }

    // ------------------------------------------------------------------------------------------------------------ success

    function test_reportState__given_any_change_on_the_graph__takes_it() external {
        for (uint8 from = UNREPORTED; from <= DECOMMISSIONED; ++from) {
            for (uint8 to = UNREPORTED; to <= DECOMMISSIONED; ++to) {
                if (!_isAllowed(from, to)) continue;
                uint32 fresh = _newAsset();
                _bring(fresh, from);
                _report(fresh, to);
                assertEq(_stateOf(fresh), to, "the state");
                assertEq(ders.assetOf(fresh).stateSince, block.timestamp, "since");
            }
        }
    }

    function test_reportState__given_the_devices_word__tells_it_whoever_relays() external {
        IDERRegistry.StateReport memory report = _signedReport(device, asset, COMMISSIONED, START + 50);
        vm.expectEmit(address(ders));
        emit IDERRegistry.AssetStateChanged(asset, IDERRegistry.AssetState.Commissioned, uint40(START + 50));
        vm.prank(stranger.addr);
        ders.reportState(report);
        assertEq(ders.assetOf(asset).stateSince, START + 50, "when it began, not when it was told");
    }

    function test_reportState__given_a_P256_key__takes_it_kept_or_brought() external {
        DeviceKey memory next = _p256Device(3);
        _rotateTo(next);
        IDERRegistry.StateReport memory report = _signedReport(next, asset, COMMISSIONED, block.timestamp);
        _expectInvalid(report);
        report.signature = abi.encodePacked(report.signature, next.x, next.y);
        ders.reportState(report);

        devices.keepKey(device.id, _pointOf(next));
        vm.warp(block.timestamp + 1);
        ders.reportState(_signedReport(next, asset, ONLINE, block.timestamp));
        assertEq(_stateOf(asset), ONLINE, "kept");
    }

    /// Whatever a device says in whatever order, the state is the one that the graph allows, and time does not run back.
    function testFuzz_reportState__given_any_order_of_reports__keeps_the_graph_and_time(uint256 seed) external {
        uint8 state = UNREPORTED;
        uint256 last = 0;
        for (uint256 i = 0; i < 24; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint8 to = uint8(seed % 9);
            uint256 since = block.timestamp + 3 - (seed >> 8) % 10;
            bool isTaken =
                to <= DECOMMISSIONED && since <= block.timestamp && since >= START && since > last && _isAllowed(state, to);
            IDERRegistry.StateReport memory report = _signedReport(device, asset, to, since);
            (bool done,) = address(ders).call(abi.encodeCall(ders.reportState, (report)));
            assertTrue(done == isTaken, "taken as the rules say");
            if (done) (state, last) = (to, since);
            assertEq(_stateOf(asset), state, "the state");
            assertEq(ders.assetOf(asset).stateSince, last, "since");
            vm.warp(block.timestamp + (seed >> 16) % 3);
        }
    }

    // The graph once more, by its rows.
    function _isAllowed(uint8 from, uint8 to) private pure returns (bool) {
        if (from == UNREPORTED) return to == COMMISSIONED;
        if (from == COMMISSIONED) {
            return to == ONLINE || to == OFFLINE || to == MAINTENANCE || to == FAULT || to == DECOMMISSIONED;
        }
        if (from == ONLINE) return to == OFFLINE || to == MAINTENANCE || to == FAULT || to == DECOMMISSIONED;
        if (from == OFFLINE) return to == ONLINE || to == MAINTENANCE || to == FAULT || to == DECOMMISSIONED;
        if (from == MAINTENANCE) return to == ONLINE || to == OFFLINE || to == FAULT || to == DECOMMISSIONED;
        if (from == FAULT) return to == ONLINE || to == OFFLINE || to == MAINTENANCE || to == DECOMMISSIONED;
        return false;
    }

    function _expectInvalid(IDERRegistry.StateReport memory report) private {
        _expectRevert(report, abi.encodeWithSelector(IDeviceRegistry.DeviceSignatureInvalid.selector, device.id));
    }

    function _expectRevert(IDERRegistry.StateReport memory report, bytes memory refusal) private {
        vm.expectRevert(refusal);
        ders.reportState(report);
    }

    function _rotateTo(DeviceKey memory next) private {
        IDeviceRegistry.Rotation memory rotation = IDeviceRegistry.Rotation(
            device.id, PublicKey(device.x, device.y), next.kind, PublicKey(next.x, next.y), block.timestamp + 1 hours
        );
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("KeyRotation(address device,uint8 keyKind,bytes32 x,bytes32 y,uint256 nonce,uint256 deadline)"),
                device.id,
                next.kind,
                next.x,
                next.y,
                0,
                rotation.deadline
            )
        );
        (bytes32 r, bytes32 s) = _signAs(device, _digest(DEVICES, address(devices), structHash));
        devices.rotate(rotation, [r, s]);
    }
}
