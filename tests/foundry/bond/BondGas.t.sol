// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { Acknowledgement } from "../../../contracts/types/Acknowledgement.sol";
import { SignedOrder } from "../../../contracts/types/Order.sol";
import { vm } from "../support/Vm.sol";
import { Bonded } from "./Bonded.sol";

/// What a bond costs those who use it: execution of one call, cold.
contract BondGasTest is Bonded {
    event log_named_uint(string key, uint256 val);

    function test_gas__claim() external {
        SignedOrder memory signed = _signedBid(1, 1_000);
        Acknowledgement memory promise_ = _acknowledged(signed);
        vm.warp(_gateOf(SLOT));
        _snap("claiming a compensation", abi.encodeCall(bond.claim, (signed.order, promise_)));
    }

    function test_gas__proveRefusal() external {
        SignedOrder memory tooDear = _signedBid(1, 60_000);
        _snap("proving the refusal of an order", abi.encodeCall(bond.proveRefusal, (tooDear)));
    }

    function _snap(string memory what, bytes memory data) private {
        address[5] memory touched =
            [address(bond), address(auction), address(vault), address(ders), address(authority)];
        for (uint256 i = 0; i < touched.length; ++i) {
            vm.cool(touched[i]);
        }
        address target = address(bond);
        uint256 gas = gasleft();
        (bool done,) = target.call(data);
        gas -= gasleft();
        assertTrue(done, "the measured call succeeds");
        emit log_named_uint(what, gas);
    }
}
