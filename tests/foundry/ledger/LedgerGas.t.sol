// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { Roles } from "../../../contracts/libraries/Roles.sol";
import { SignedReading } from "../../../contracts/types/Reading.sol";
import { Gas } from "../support/Gas.sol";
import { DeviceKey, Street } from "../support/Street.sol";
import { vm } from "../support/Vm.sol";

/// What recording costs a reading in batches of 100, registries and signature check included, as the mean over the eight slots
/// of a word: one fresh word, seven times a reused one. The precompile for P-256 stands at 0x100 from osaka on.
abstract contract LedgerGas is Street, Gas {
    uint256 private constant BATCH = 100;
    uint32 private constant FRESH = (FIRST_SLOT | 7) + 1; // the first slot of a word

    bool private immutable _p256;
    bool private immutable _reused;

    DeviceKey[] private _homes;

    constructor(bool p256, bool reused) {
        _p256 = p256;
        _reused = reused;
    }

    function setUp() public override {
        super.setUp();
        _grant(Roles.RECORDER, address(this));
        for (uint256 i = 0; i < BATCH; ++i) {
            DeviceKey memory device = _p256 ? _p256Device(i) : _secpDevice(i);
            _homes.push(device);
            _enrol(device, prosumer.addr);
            _register(_registration(device.id, prosumer.addr));
        }
        if (_reused) _record(FRESH);
    }

    /// Gas per reading, of the word's first slot or of a later one.
    function _record() internal returns (uint256) {
        return _record(_reused ? FRESH + 1 : FRESH) / BATCH;
    }

    function _record(uint32 slot) private returns (uint256 gas) {
        vm.warp((uint256(slot) + 1) * SLOT_LENGTH);
        gas = _executionGas(address(ledger), abi.encodeCall(ledger.record, (MARKET, slot, _asOf(slot), _batch(slot))));
        for (uint32 meter = 1; meter <= BATCH; ++meter) {
            (uint8 version,,) = ledger.readingOf(meter, slot);
            assertEq(version, 1, "every reading is stored");
        }
    }

    function _batch(uint32 slot) private view returns (SignedReading[] memory readings) {
        readings = new SignedReading[](BATCH);
        for (uint32 i = 0; i < BATCH; ++i) {
            readings[i] = _signed(_homes[i], _reading(i + 1, slot, 1, 100 + i, 50 + i));
        }
    }
}

/// forge-config: default.isolate = true
contract LedgerGasSecp256k1FreshTest is LedgerGas(false, false) {
    function test_record__given_secp256k1_and_fresh_words__costs_at_most_38500_gas_a_reading() external {
        _assertPerItem("record secp256k1, fresh word", _record(), 1, 38_500);
    }
}

/// forge-config: default.isolate = true
contract LedgerGasSecp256k1ReusedTest is LedgerGas(false, true) {
    function test_record__given_secp256k1_and_reused_words__costs_at_most_21500_gas_a_reading() external {
        _assertPerItem("record secp256k1, reused word", _record(), 1, 21_500);
    }
}

/// forge-config: default.isolate = true
contract LedgerGasP256FreshTest is LedgerGas(true, false) {
    /// forge-config: default.evm_version = "osaka"
    function test_record__given_p256_and_fresh_words__costs_at_most_47500_gas_a_reading() external {
        _assertPerItem("record P-256, fresh word", _record(), 1, 47_500);
    }
}

/// forge-config: default.isolate = true
contract LedgerGasP256ReusedTest is LedgerGas(true, true) {
    /// forge-config: default.evm_version = "osaka"
    function test_record__given_p256_and_reused_words__costs_at_most_30500_gas_a_reading() external {
        _assertPerItem("record P-256, reused word", _record(), 1, 30_500);
    }
}
