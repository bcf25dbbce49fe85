// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IDeviceRegistry } from "../../../contracts/interfaces/IDeviceRegistry.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { Gas } from "../support/Gas.sol";
import { Life } from "../support/Life.sol";
import { DeviceKey } from "../support/Street.sol";
import { vm } from "../support/Vm.sol";

/// Whole transactions in the life of a device. The precompile for P-256 stands at 0x100 from osaka on.
abstract contract DevicesGas is Life, Gas {
    /// A batch of 2^17 = 131,072 devices.
    uint256 private constant HEIGHT = 17;

    DeviceKey internal device;
    DeviceKey internal next;
    bytes32 private _root;
    bytes32[] private _proof;

    function _key(uint256 seed) internal virtual returns (DeviceKey memory);

    function setUp() public virtual override {
        super.setUp();
        device = _key(1);
        next = _key(2);
        bytes32[] memory proof;
        (_root, proof) = _batchWith(device, HEIGHT);
        _proof = proof;
        _registerBatch(_root, uint32(1 << HEIGHT));
    }

    function _claim() internal returns (uint256) {
        IDeviceRegistry.Claim memory claim_ = _claimOf(device, _root, prosumer.addr);
        return _cost(abi.encodeCall(devices.claim, (claim_, _proof, _signClaim(device, claim_))));
    }

    function _register() internal returns (uint256) {
        bytes32 root = keccak256("another batch");
        Act memory act = _registration(root, 1 << 17, maker);
        return _cost(abi.encodeCall(devices.registerBatch, (root, MODEL, 1 << 17, act)));
    }

    function _rotation() internal returns (uint256) {
        IDeviceRegistry.Rotation memory rotation = _rotationOf(device.id, device, next);
        bytes32[2] memory signature = _signRotation(device, KEY_ROTATION_TYPEHASH, rotation);
        return _cost(abi.encodeCall(devices.rotate, (rotation, signature)));
    }

    function _revocation() internal returns (uint256) {
        vm.startPrank(prosumer.addr);
        return _cost(abi.encodeCall(devices.revoke, (device.id)));
    }

    function _relayedRevocation() internal returns (uint256) {
        Act memory act = _statusAct(device.id, IDeviceRegistry.Status.Revoked, prosumer);
        return _cost(abi.encodeCall(devices.setStatus, (device.id, IDeviceRegistry.Status.Revoked, act)));
    }

    function _acceptance() internal returns (uint256) {
        Act memory acceptance = _acceptance(device.id, prosumer.addr, stranger);
        return _cost(
            abi.encodeCall(
                devices.acceptTransfer,
                (device.id, _pointOf(device), acceptance, _handover(device.id, device, prosumer.addr, acceptance))
            )
        );
    }

    function _cost(bytes memory data) private returns (uint256) {
        return _transactionGas(address(devices), data);
    }
}

/// Devices that are not there yet.
abstract contract ClaimGas is DevicesGas {
    function test_gas__registerBatch() external {
        _snap("registering a batch of any size", _register(), 120_000);
    }
}

/// A device that is.
abstract contract LivingGas is DevicesGas {
    function setUp() public virtual override {
        super.setUp();
        _enrol(device, prosumer.addr);
    }
}

/// forge-config: default.isolate = true
contract ClaimSecp256k1GasTest is ClaimGas {
    function _key(uint256 seed) internal override returns (DeviceKey memory) {
        return _secpDevice(seed);
    }

    function test_gas__claim() external {
        _snap("claiming one of 131,072 devices, secp256k1", _claim(), 110_000);
    }
}

/// forge-config: default.isolate = true
contract ClaimP256GasTest is DevicesGas {
    function _key(uint256 seed) internal pure override returns (DeviceKey memory) {
        return _p256Device(seed);
    }

    /// forge-config: default.evm_version = "osaka"
    function test_gas__claim() external {
        _snap("claiming one of 131,072 devices, P-256", _claim(), 110_000);
    }
}

/// forge-config: default.isolate = true
contract LivingSecp256k1GasTest is LivingGas {
    function _key(uint256 seed) internal override returns (DeviceKey memory) {
        return _secpDevice(seed);
    }

    function test_gas__rotate() external {
        _snap("rotating a key, secp256k1", _rotation(), 45_000);
    }

    function test_gas__revoke() external {
        _snap("revoking a device, sent by its owner", _revocation(), 35_000);
    }

    function test_gas__setStatus() external {
        _snap("revoking a device, relayed", _relayedRevocation(), 75_000);
    }
}

/// forge-config: default.isolate = true
contract LivingP256GasTest is LivingGas {
    function _key(uint256 seed) internal pure override returns (DeviceKey memory) {
        return _p256Device(seed);
    }

    /// forge-config: default.evm_version = "osaka"
    function test_gas__rotate() external {
        _snap("rotating a key, P-256", _rotation(), 49_000);
    }
}

/// forge-config: default.isolate = true
contract TransferGasTest is LivingGas {
    function setUp() public override {
        super.setUp();
        _offerTo(device.id, stranger.addr, prosumer);
    }

    function _key(uint256 seed) internal override returns (DeviceKey memory) {
        return _secpDevice(seed);
    }

    function test_gas__acceptTransfer() external {
        _snap("accepting a device, secp256k1", _acceptance(), 81_000);
    }
}
