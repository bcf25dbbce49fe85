// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { InstallReceipt } from "../../../contracts/types/InstallReceipt.sol";
import { KeySet, Quorum } from "../../../contracts/types/KeySet.sol";
import { Release } from "../../../contracts/types/Release.sol";
import { Gas } from "../support/Gas.sol";
import { DeviceKey } from "../support/Street.sol";
import { Fleet } from "./Fleet.sol";

/// What firmware costs on chain: whole transactions.
/// forge-config: default.isolate = true
contract FirmwareGasTest is Fleet, Gas {
    uint256 private constant BATCH = 100;

    function setUp() public override {
        super.setUp();
        _full(1, 0);
    }

    function test_gas__release() external {
        Release memory release = _draftRelease(2, 0);
        Quorum memory quorum = _quorumOf(_commitmentOf(release), THRESHOLD);
        bytes memory data = abi.encodeCall(firmware.release, (release, quorum));
        _snap("releasing firmware by 3 of 5 keys, whole transaction", _transactionGas(address(firmware), data), 100_000);
    }

    function test_gas__begin() external {
        Release memory release = _release(2, 0);
        Quorum memory quorum = _quorumOf(_startHash(2, CANARY), THRESHOLD);
        bytes memory data = abi.encodeCall(firmware.begin, (release, CANARY, _deadline(), quorum));
        _snap("beginning a rollout by 3 of 5 keys, whole transaction", _transactionGas(address(firmware), data), 95_000);
    }

    function test_gas__raise() external {
        _canary(2);
        Quorum memory quorum = _quorumOf(_raiseHash(2, 5_000, 1), THRESHOLD);
        bytes memory data = abi.encodeCall(firmware.raiseShare, (MODEL, 2, 5_000, _deadline(), quorum));
        _snap("raising a ramp by 3 of 5 keys, whole transaction", _transactionGas(address(firmware), data), 70_000);
    }

    function test_gas__pause() external {
        Quorum memory quorum = _quorumOf(_stopHash("RolloutPause", 1, 2), 1);
        bytes memory data = abi.encodeCall(firmware.pause, (MODEL, 1, _deadline(), quorum));
        _snap("pausing a ramp by one key, whole transaction", _transactionGas(address(firmware), data), 55_000);
    }

    function test_gas__revoke() external {
        Quorum memory quorum = _quorumOf(_revocationHash(1, 1), THRESHOLD);
        bytes memory data = abi.encodeCall(firmware.revoke, (MODEL, 1, 1, _deadline(), quorum));
        _snap("revoking a release by 3 of 5 keys, whole transaction", _transactionGas(address(firmware), data), 70_000);
    }

    function test_gas__changeKeys() external {
        KeySet memory next = _keys();
        next.version = 2;
        next.threshold = 2;
        Quorum memory quorum = Quorum(_keys(), _signed(_changeDigest(next), THRESHOLD));
        bytes memory data = abi.encodeCall(firmware.changeKeys, (MODEL, next, _deadline(), quorum));
        _snap("changing release keys, whole transaction", _transactionGas(address(firmware), data), 85_000);
    }

    function test_gas__tell() external {
        DeviceKey memory device = _deviceAt(1, 0, WHOLE, 0);
        bytes memory data = abi.encodeCall(firmware.tell, (_receipt(device, 1, 0)));
        _snap("a device's first install receipt, whole transaction", _transactionGas(address(firmware), data), 90_000);
        _full(2, 0);
        data = abi.encodeCall(firmware.tell, (_receipt(device, 2, 0)));
        _snap("a device's next install receipt, whole transaction", _transactionGas(address(firmware), data), 60_000);
    }

    function test_gas__tellMany() external {
        InstallReceipt[] memory receipts = new InstallReceipt[](BATCH);
        DeviceKey[] memory fleet = new DeviceKey[](BATCH);
        for (uint256 i = 0; i < BATCH; ++i) {
            fleet[i] = _deviceAt(1, 0, WHOLE, i);
            receipts[i] = _receipt(fleet[i], 1, 0);
        }
        uint256 gas = _transactionGas(address(firmware), abi.encodeCall(firmware.tellMany, (receipts)));
        _snap("a first install receipt in a batch of 100", gas / BATCH, 60_000);
        _full(2, 0);
        for (uint256 i = 0; i < BATCH; ++i) {
            receipts[i] = _receipt(fleet[i], 2, 0);
        }
        gas = _transactionGas(address(firmware), abi.encodeCall(firmware.tellMany, (receipts)));
        _snap("a next install receipt in a batch of 100", gas / BATCH, 30_000);
    }
}
