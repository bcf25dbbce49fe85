// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { Batch } from "../../../contracts/types/Batch.sol";
import { StreamId } from "../../../contracts/types/StreamId.sol";
import { Gas } from "../support/Gas.sol";
import { DeviceKey } from "../support/Street.sol";
import { vm } from "../support/Vm.sol";
import { Streams } from "./Streams.sol";

/// Whole transactions that anchor one batch. The stream has a million readings in `_before()` batches, so its word is written and
/// no number is small.
abstract contract AnchorGas is Streams, Gas {
    function setUp() public virtual override {
        super.setUp();
        _anchorMany(stream);
        vm.warp(block.timestamp + 2 days);
        vm.roll(block.number + 10_000_000);
    }

    function _anchorMany(StreamId id) internal {
        Batch memory first = _draftBatch(id, 1);
        first.span = _span(0, 1_000_000, START_MS, block.timestamp * 1_000, 1);
        bytes memory body = _isFull(id) ? bytes("a million") : bytes("");
        first.bodyHash = sha256(body);
        _signBatch(device, first);
        anchors.anchorWithBody(first, body);
        _keep(first);
        for (uint256 i = 1; i < _before(); ++i) {
            _anchorNext(id, 10);
        }
    }

    /// How many batches the stream has.
    function _before() internal pure virtual returns (uint256);

    function _cost() internal returns (uint256) {
        return _costOf(_signedBatch(stream, 600));
    }

    function _costOf(Batch memory batch) internal returns (uint256) {
        return _transactionGas(address(anchors), abi.encodeCall(anchors.anchor, (batch)));
    }
}

/// forge-config: default.isolate = true
contract LightestAnchorGasTest is AnchorGas {
    function _before() internal pure override returns (uint256) {
        return PAGE;
    }

    function test_gas__anchor__given_a_new_page() external {
        _snap("anchoring the first batch of a page, secp256k1", _cost(), 48_000);
    }
}

/// A page's 32 batches come with two and a half peaks in the mean.
abstract contract UsualAnchorGas is AnchorGas {
    function _before() internal pure override returns (uint256) {
        return PAGE + 19;
    }
}

/// forge-config: default.isolate = true
contract UsualAnchorGasTest is UsualAnchorGas {
    function test_gas__anchor__given_some_peaks() external {
        _snap("anchoring a batch of an open page, secp256k1", _cost(), 50_000);
    }

    function test_gas__anchor__given_100_000_readings__costs_at_most_1_each() external {
        _assertPerItem("anchoring 1,000 readings of 100,000, mode Hash", _costOf(_signedBatch(stream, 100_000)), 100, 1_000);
    }

    function test_gas__anchor__given_a_key_that_was_rotated() external {
        DeviceKey memory next = _secpDevice(2);
        _rotate(device.id, device, next);
        Batch memory batch = _draftBatch(stream, 600);
        _signBatch(next, batch);
        _snap("anchoring the first batch after a change of key, secp256k1", _costOf(batch), 58_000);
    }
}

/// forge-config: default.isolate = true
contract HeaviestAnchorGasTest is AnchorGas {
    function _before() internal pure override returns (uint256) {
        return PAGE + 15;
    }

    function test_gas__anchor__given_the_most_peaks() external {
        _snap("anchoring a batch with the most peaks, secp256k1", _cost(), 50_000);
    }
}

/// forge-config: default.isolate = true
contract ClosingAnchorGasTest is AnchorGas {
    function _before() internal pure override returns (uint256) {
        return PAGE + 31;
    }

    function test_gas__anchor__given_the_last_batch_of_a_page__pays_for_the_page_s_word() external {
        _snap("anchoring the last batch of a page, secp256k1", _cost(), 73_000);
    }
}

/// forge-config: default.isolate = true
contract P256AnchorGasTest is UsualAnchorGas {
    function _newDevice() internal pure override returns (DeviceKey memory) {
        return _p256Device(1);
    }

    /// forge-config: default.evm_version = "osaka"
    function test_gas__anchor__given_p256() external {
        _snap("anchoring a batch of an open page, P-256 key kept", _cost(), 60_000);
    }

    /// forge-config: default.evm_version = "osaka"
    function test_gas__anchor__given_p256_and_its_key_brought() external {
        Batch memory batch = _signedBatch(stream, 600);
        batch.signature = abi.encodePacked(batch.signature, device.x, device.y);
        _snap("anchoring a batch of an open page, P-256 key brought", _costOf(batch), 60_000);
    }
}

/// 600 readings of 5 bytes each. From Prague on a byte that is not zero costs 40 at least (EIP-7623), more than anchoring it does.
abstract contract FullAnchorGas is UsualAnchorGas {
    function setUp() public override {
        super.setUp();
        _anchorMany(full);
        vm.warp(block.timestamp + 2 days);
    }

    function _fullCost() internal returns (uint256) {
        Batch memory batch = _signedBatch(full, 600);
        bytes memory data = abi.encodeCall(anchors.anchorWithBody, (batch, _bodyOf(batch)));
        return _transactionGas(address(anchors), data);
    }
}

/// forge-config: default.isolate = true
contract FullAnchorGasTest is FullAnchorGas {
    function test_gas__anchorWithBody__given_600_readings__costs_at_most_210_each() external {
        _assertPerItem("anchoring a reading of 600 with 5 bytes each, paris", _fullCost(), 600, 210);
    }

    /// forge-config: default.evm_version = "osaka"
    function test_gas__anchorWithBody__given_600_readings_and_the_floor__costs_at_most_300_each() external {
        _assertPerItem("anchoring a reading of 600 with 5 bytes each, osaka", _fullCost(), 600, 300);
    }
}

/// Batches of ten devices in one transaction, as a gateway sends them.
/// forge-config: default.isolate = true
contract GatewayGasTest is Streams, Gas {
    uint256 private constant DEVICES_BEHIND = 10;

    Batch[] private _batches;

    function setUp() public override {
        super.setUp();
        for (uint256 i = 0; i < DEVICES_BEHIND; ++i) {
            device = _secpDevice(100 + i);
            _enrol(device, prosumer.addr);
            stream = _openHash(device.id);
            for (uint256 j = 0; j < 19; ++j) {
                _anchorNext(stream, 600);
            }
            vm.warp(block.timestamp + 1 hours);
            _batches.push(_signedBatch(stream, 600));
        }
    }

    function test_gas__anchorAll__given_ten_devices() external {
        bytes[] memory bodies = new bytes[](DEVICES_BEHIND);
        Batch[] memory batches = _batches;
        bytes memory data = abi.encodeCall(anchors.anchorAll, (batches, bodies));
        _assertPerItem("anchoring a batch of ten in one transaction", _transactionGas(address(anchors), data), 10, 40_000);
    }
}
