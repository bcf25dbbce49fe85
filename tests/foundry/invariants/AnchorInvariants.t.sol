// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { Test } from "../support/Test.sol";
import { AnchorHandler } from "./AnchorHandler.sol";

/// What holds of streams after any acts of anybody:
///   the contract's state = a replay of its events
///   each batch follows the one before it: in number, in time, in epoch (AnchorHandler._replayBatch)
///   what follows is taken if the device's owner began the epoch, and nothing else is (AnchorHandler.anchor, spoil, forge, again)
contract AnchorInvariants is Test {
    uint256 private constant KINDS = 12;

    event log_named_uint(string key, uint256 val);

    AnchorHandler private handler;

    function setUp() public {
        handler = new AnchorHandler();
        handler.setUp();
        _fuzz(address(handler), _kinds());
    }

    /// What is done most stands more than once.
    function _kinds() private view returns (bytes4[] memory selectors) {
        selectors = new bytes4[](KINDS);
        selectors[0] = handler.anchor.selector;
        selectors[1] = handler.anchor.selector;
        selectors[2] = handler.anchor.selector;
        selectors[3] = handler.anchorAll.selector;
        selectors[4] = handler.spoil.selector;
        selectors[5] = handler.spoil.selector;
        selectors[6] = handler.forge.selector;
        selectors[7] = handler.again.selector;
        selectors[8] = handler.newEpoch.selector;
        selectors[9] = handler.sell.selector;
        selectors[10] = handler.rotate.selector;
        selectors[11] = handler.pass.selector;
    }

    /// forge-config: default.invariant.runs = 32
    /// forge-config: default.invariant.depth = 128
    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: check.invariant.runs = 4
    /// forge-config: check.invariant.depth = 64
    /// forge-config: check.invariant.fail-on-revert = true
    function invariant_anchor__after_any_acts__is_what_its_events_say() external view {
        handler.assertState();
    }

    /// That the acts above are no idle ones: of 1,500 with a fixed seed each kind has succeeded.
    function test_anchor__given_1500_acts__each_kind_succeeds() external {
        for (uint256 i = 0; i < 1_500; ++i) {
            uint256 seed = uint256(keccak256(abi.encode("streams", i)));
            (bool done,) = address(handler).call(abi.encodeWithSelector(_kinds()[seed % KINDS], seed >> 8));
            assertTrue(done, "no act reverts");
        }
        handler.assertState();
        string[10] memory verbs = [
            "anchor",
            "anchor of a sold device",
            "anchorAll",
            "forge",
            "again",
            "newEpoch",
            "newEpoch refused",
            "sell",
            "rotate",
            "pass"
        ];
        for (uint256 i = 0; i < verbs.length; ++i) {
            uint256 times = handler.done(bytes32(bytes(verbs[i])));
            emit log_named_uint(verbs[i], times);
            assertGe(times, 10, verbs[i]);
        }
        for (uint256 how = 0; how < 8; ++how) {
            assertGe(handler.done(bytes32("spoil") | bytes32(how)), 5, "each way to spoil a batch");
        }
    }
}
