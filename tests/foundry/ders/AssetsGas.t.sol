// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IDERRegistry } from "../../../contracts/interfaces/IDERRegistry.sol";
import { Gas } from "../support/Gas.sol";
import { DeviceKey } from "../support/Street.sol";
import { vm } from "../support/Vm.sol";
import { Assets } from "./Assets.sol";

/// Whole transactions. The precompile for P-256 stands at 0x100 from osaka on.
abstract contract AssetsGas is Assets, Gas {
    uint32 internal constant BATCH = 100;

    function setUp() public override {
        super.setUp();
        for (uint256 i = 0; i < BATCH; ++i) {
            ders.reportState(_signedReport(device, _newAsset(), COMMISSIONED, START));
        }
        vm.warp(START + 100);
    }

    function _reporting() internal returns (uint256) {
        IDERRegistry.StateReport memory report = _signedReport(device, 1, ONLINE, block.timestamp);
        return _transactionGas(address(ders), abi.encodeCall(ders.reportState, (report)));
    }

    function _reportingAll() internal returns (uint256) {
        IDERRegistry.StateReport[] memory reports = new IDERRegistry.StateReport[](BATCH);
        for (uint32 i = 0; i < BATCH; ++i) {
            reports[i] = _signedReport(device, i + 1, ONLINE, block.timestamp);
        }
        return _transactionGas(address(ders), abi.encodeCall(ders.reportStates, (reports)));
    }
}

/// forge-config: default.isolate = true
contract AssetsSecp256k1GasTest is AssetsGas {
    function test_gas__registerAsset() external {
        bytes memory data = abi.encodeCall(ders.registerAsset, (_battery(), _assetAct(_battery(), operator)));
        _snap("registering an asset", _transactionGas(address(ders), data), 90_000);
    }

    function test_gas__reportState() external {
        _snap("reporting an asset's state, secp256k1", _reporting(), 50_000);
    }

    function test_gas__reportStates() external {
        uint256 gas = _reportingAll();
        _snap("reporting the states of 100 assets, secp256k1", gas, 2_000_000);
        _assertPerItem("of 100 states, each", gas, BATCH, 20_000);
    }
}

/// forge-config: default.isolate = true
contract AssetsP256GasTest is AssetsGas {
    function _newDevice(uint256 seed) internal pure override returns (DeviceKey memory) {
        return _p256Device(seed);
    }

    /// forge-config: default.evm_version = "osaka"
    function test_gas__reportState() external {
        _snap("reporting an asset's state, P-256", _reporting(), 60_000);
    }

    /// forge-config: default.evm_version = "osaka"
    function test_gas__reportStates() external {
        _snap("reporting the states of 100 assets, P-256", _reportingAll(), 2_500_000);
    }
}
