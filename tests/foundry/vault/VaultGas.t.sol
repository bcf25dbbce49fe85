// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IVault } from "../../../contracts/interfaces/IVault.sol";
import { Roles } from "../../../contracts/libraries/Roles.sol";
import { Gas } from "../support/Gas.sol";
import { House } from "../support/House.sol";

/// What the hot paths cost per item in batches of 100, on account words that exist.
/// forge-config: default.isolate = true
contract VaultGasTest is House, Gas {
    uint256 private constant BATCH = 100;


    function setUp() public override {
        super.setUp();
        _grant(Roles.MODULE, address(this));
        for (uint256 i = 0; i < BATCH; ++i) {
            _deposit(_home(i), 1_000_000);
        }
        _deposit(utility.addr, 1_000_000_000);
        _deposit(operator.addr, 1_000_000);
        vault.lock(_locks());
    }

    function test_lock__given_reused_account_words__costs_at_most_9000_gas_an_item() external {
        uint256 gas = _executionGas(address(vault), abi.encodeCall(vault.lock, (_locks())));
        _assertPerItem("lock", gas, BATCH, 9_000);
    }

    function test_settle__given_reused_account_words__costs_at_most_10600_gas_a_leg() external {
        IVault.Leg[] memory legs = new IVault.Leg[](BATCH);
        for (uint256 i = 0; i < BATCH; ++i) {
            legs[i] = IVault.Leg(_home(i), true, 900, i % 2 == 0 ? int96(50) : int96(-70), 30, bytes32(i));
        }
        IVault.Settlement memory settlement =
            IVault.Settlement(utility.addr, operator.addr, uint40(block.timestamp + 1 days), 700, 0, 0, legs);
        uint256 gas = _executionGas(address(vault), abi.encodeCall(vault.settle, (settlement)));
        _assertPerItem("settle", gas, BATCH, 10_600);
    }

    function _locks() private pure returns (IVault.Lock[] memory items) {
        items = new IVault.Lock[](BATCH);
        for (uint256 i = 0; i < BATCH; ++i) {
            items[i] = IVault.Lock(_home(i), 1_000, bytes32(i));
        }
    }

    function _home(uint256 i) private pure returns (address) {
        return address(uint160(0x1000 + i));
    }
}
