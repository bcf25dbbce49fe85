// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { SettleGas } from "./BatchGas.t.sol";

/// The same hundred readings by devices with P-256 keys. The precompile at 0x100 stands from osaka on.
/// forge-config: default.isolate = true
contract FirstP256ReadingGasTest is SettleGas {
    function setUp() public override {
        super.setUp();
        _prepare(BATCH, true);
    }

    /// forge-config: default.evm_version = "osaka"
    function test_settle__given_p256_and_the_first_reading_of_a_word__costs_at_most_70_000() external {
        _snap("a reading of a batch of 100, the first of its word, P-256", _settleGas(SLOT), 70_000);
    }
}

/// forge-config: default.isolate = true
contract LaterP256ReadingGasTest is SettleGas {
    function setUp() public override {
        super.setUp();
        _prepare(BATCH, true);
        _settleFirst();
    }

    /// forge-config: default.evm_version = "osaka"
    function test_settle__given_p256_and_a_later_reading_of_a_word__costs_at_most_53_000() external {
        _snap("a reading of a batch of 100, a later one of its word, P-256", _settleGas(SLOT + 1), 53_000);
    }
}

/// Where the chain lacks the precompile, the curve is computed in Solidity: a transaction takes as many as the relayer sends.
abstract contract P256InCodeGas is SettleGas {
    uint256 internal constant IN_CODE = 35;
    uint256 private constant TRANSACTION_CAP = 16_777_216;

    function _gasOf(uint32 slot) internal returns (uint256 gas) {
        gas = _settleGas(slot);
        assertLe(gas * IN_CODE, TRANSACTION_CAP, "the batch fits a transaction");
    }
}

/// forge-config: default.isolate = true
contract FirstP256InCodeGasTest is P256InCodeGas {
    function setUp() public override {
        super.setUp();
        _prepare(IN_CODE, true);
    }

    function test_settle__given_p256_in_code_and_the_first_reading_of_a_word__costs_at_most_310_000() external {
        _snap("a reading of a batch of 35, the first of its word, P-256 in code", _gasOf(SLOT), 310_000);
    }
}

/// forge-config: default.isolate = true
contract LaterP256InCodeGasTest is P256InCodeGas {
    function setUp() public override {
        super.setUp();
        _prepare(IN_CODE, true);
        _settleFirst();
    }

    function test_settle__given_p256_in_code_and_a_later_reading_of_a_word__costs_at_most_290_000() external {
        _snap("a reading of a batch of 35, a later one of its word, P-256 in code", _gasOf(SLOT + 1), 290_000);
    }
}
