// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { Acknowledgement } from "../../../contracts/types/Acknowledgement.sol";
import { SignedOrder } from "../../../contracts/types/Order.sol";
import { vm } from "../support/Vm.sol";
import { Gas } from "../support/Gas.sol";
import { Bonded } from "./Bonded.sol";

/// What a bond costs those who use it: whole transactions.
/// forge-config: default.isolate = true
contract BondGasTest is Bonded, Gas {
    function test_gas__claim() external {
        SignedOrder memory signed = _signedBid(1, 1_000);
        Acknowledgement memory promise_ = _acknowledged(signed);
        vm.warp(_gateOf(SLOT));
        bytes memory data = abi.encodeCall(bond.claim, (signed.order, promise_));
        _snap("claiming a compensation", _transactionGas(address(bond), data), 120_000);
    }

    function test_gas__proveRefusal() external {
        SignedOrder memory tooDear = _signedBid(1, 60_000);
        bytes memory data = abi.encodeCall(bond.proveRefusal, (tooDear));
        _snap("proving the refusal of an order", _transactionGas(address(bond), data), 150_000);
    }
}
