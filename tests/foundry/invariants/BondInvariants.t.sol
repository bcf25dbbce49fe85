// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { Test } from "../support/Test.sol";
import { BondHandler } from "./BondHandler.sol";

/// What a relayer's promises are worth. What holds after any sequence of acts:
///   the bond's pot = sum of bonds = posted - redeemed - compensated
///   accounts + pots = tracked <= tokens held
///   a promise pays exactly if it is broken, once, for as long as the bond lasts (BondHandler.claim)
///   an order that arrived in time, or was refused in time, never pays (same)
contract BondInvariants is Test {
    uint256 private constant KINDS = 15;

    event log_named_uint(string key, uint256 val);

    BondHandler private handler;

    function setUp() public {
        handler = new BondHandler();
        handler.setUp();
        _fuzz(address(handler), _kinds());
    }

    /// What is done most stands more than once.
    function _kinds() private view returns (bytes4[] memory selectors) {
        selectors = new bytes4[](KINDS);
        selectors[0] = handler.acknowledge.selector;
        selectors[1] = handler.acknowledge.selector;
        selectors[2] = handler.place.selector;
        selectors[3] = handler.prove.selector;
        selectors[4] = handler.proveAnother.selector;
        selectors[5] = handler.claim.selector;
        selectors[6] = handler.claim.selector;
        selectors[7] = handler.claim.selector;
        selectors[8] = handler.pass.selector;
        selectors[9] = handler.post.selector;
        selectors[10] = handler.unbond.selector;
        selectors[11] = handler.redeem.selector;
        selectors[12] = handler.deposit.selector;
        selectors[13] = handler.withdraw.selector;
        selectors[14] = handler.borrow.selector;
    }

    /// forge-config: default.invariant.runs = 64
    /// forge-config: default.invariant.depth = 256
    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: check.invariant.runs = 8
    /// forge-config: check.invariant.depth = 128
    /// forge-config: check.invariant.fail-on-revert = true
    function invariant_bond__after_any_acts__keeps_money_and_promises() external view {
        handler.assertPot();
        handler.assertConservation();
    }

    function afterInvariant() external {
        handler.tearDown();
        handler.assertPot();
        handler.assertConservation();
    }

    /// That the acts above are no idle ones: of 4,000 with a fixed seed each kind has succeeded, and then every bond is drained.
    function test_bond__given_4000_acts__each_kind_succeeds_and_all_can_leave() external {
        for (uint256 i = 0; i < 4_000; ++i) {
            uint256 seed = uint256(keccak256(abi.encode("bonds", i)));
            (bool done,) = address(handler).call(abi.encodeWithSelector(_kinds()[seed % KINDS], seed >> 8));
            assertTrue(done, "no act reverts");
            handler.assertPot();
        }
        handler.assertConservation();
        string[14] memory verbs = [
            "acknowledge",
            "place",
            "prove",
            "prove a good one",
            "prove another",
            "claim",
            "claim of too little",
            "pass",
            "post",
            "unbond",
            "redeem",
            "deposit",
            "withdraw",
            "borrow"
        ];
        for (uint256 i = 0; i < verbs.length; ++i) {
            uint256 times = handler.done(bytes32(bytes(verbs[i])));
            emit log_named_uint(verbs[i], times);
            assertGe(times, 10, verbs[i]);
        }
        handler.tearDown();
        handler.assertPot();
        handler.assertConservation();
    }
}
