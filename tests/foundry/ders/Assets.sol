// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IDERRegistry } from "../../../contracts/interfaces/IDERRegistry.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { Party, Signing } from "../support/Signing.sol";
import { DeviceKey, Street } from "../support/Street.sol";
import { vm } from "../support/Vm.sol";

/// A street with one metered device, and what its operator and it sign about the assets behind the meter.
abstract contract Assets is Street {
    bytes32 private constant ASSET_REGISTRATION_TYPEHASH = keccak256(
        "AssetRegistration(uint32 meter,uint8 kind,uint32 nameplateW,uint32 storageWh,uint32 feeder,uint256 nonce,uint256 deadline)"
    );
    bytes32 private constant ASSET_STATE_REPORT_TYPEHASH =
        keccak256("AssetStateReport(uint32 asset,uint8 state,uint40 since,uint256 deadline)");

    uint32 internal constant FEEDER = 12;

    uint8 internal constant UNREPORTED = uint8(IDERRegistry.AssetState.Unreported);
    uint8 internal constant COMMISSIONED = uint8(IDERRegistry.AssetState.Commissioned);
    uint8 internal constant ONLINE = uint8(IDERRegistry.AssetState.Online);
    uint8 internal constant OFFLINE = uint8(IDERRegistry.AssetState.Offline);
    uint8 internal constant MAINTENANCE = uint8(IDERRegistry.AssetState.Maintenance);
    uint8 internal constant FAULT = uint8(IDERRegistry.AssetState.Fault);
    uint8 internal constant DECOMMISSIONED = uint8(IDERRegistry.AssetState.Decommissioned);

    DeviceKey internal device;
    uint32 internal meter;

    function setUp() public virtual override {
        super.setUp();
        device = _newDevice(1);
        _enrol(device, prosumer.addr);
        meter = _register(_registration(device.id, prosumer.addr));
    }

    function _newDevice(uint256 seed) internal virtual returns (DeviceKey memory) {
        return _secpDevice(seed);
    }

    // ----------------------------------------------------------------------------------------------------- registrations

    function _battery() internal view returns (IDERRegistry.AssetRegistration memory) {
        return IDERRegistry.AssetRegistration(meter, IDERRegistry.AssetKind.Battery, 5_000, 10_000, FEEDER);
    }

    function _assetAct(IDERRegistry.AssetRegistration memory asset, Party memory by) internal returns (Act memory act) {
        act = _draft(by);
        bytes32 structHash = keccak256(
            abi.encode(
                ASSET_REGISTRATION_TYPEHASH,
                asset.meter,
                asset.kind,
                asset.nameplateW,
                asset.storageWh,
                asset.feeder,
                act.nonce,
                act.deadline
            )
        );
        act.signature = Signing.sign(by.key, _digest(DERS, address(ders), structHash));
    }

    function _newAsset() internal returns (uint32) {
        return ders.registerAsset(_battery(), _assetAct(_battery(), operator));
    }

    // ----------------------------------------------------------------------------------------------------------- reports

    function _reportDigest(IDERRegistry.StateReport memory report) internal view returns (bytes32) {
        return _digest(
            DERS,
            address(ders),
            keccak256(abi.encode(ASSET_STATE_REPORT_TYPEHASH, report.asset, report.state, report.since, report.deadline))
        );
    }

    function _signedReport(DeviceKey memory by, uint32 asset, uint8 state, uint256 since)
        internal
        view
        returns (IDERRegistry.StateReport memory report)
    {
        report = IDERRegistry.StateReport(asset, state, uint40(since), block.timestamp + 1 hours, "");
        _sign(by, report);
    }

    function _sign(DeviceKey memory by, IDERRegistry.StateReport memory report) internal view {
        (bytes32 r, bytes32 s) = _signAs(by, _reportDigest(report));
        report.signature = abi.encodePacked(r, s);
    }

    /// The device's own report of a state that begins now.
    function _report(uint32 asset, uint8 state) internal {
        ders.reportState(_signedReport(device, asset, state, block.timestamp));
    }

    /// Brings a fresh asset into a state by way of those before it, a second each.
    function _bring(uint32 asset, uint8 state) internal {
        if (state == UNREPORTED) return;
        _report(asset, COMMISSIONED);
        vm.warp(block.timestamp + 1);
        if (state == COMMISSIONED) return;
        _report(asset, state);
        vm.warp(block.timestamp + 1);
    }

    function _stateOf(uint32 asset) internal view returns (uint8) {
        return uint8(ders.assetOf(asset).state);
    }
}
