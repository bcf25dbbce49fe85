// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { Test } from "../support/Test.sol";
import { FirmwareHandler } from "./FirmwareHandler.sol";

/// What holds of a model's firmware after any sequence of acts:
///   counters strictly increase; the floor never falls
///   a paused ramp takes no new install (FirmwareHandler.tell)
///   raising a ramp drops no device
///   failures above the limit end paused, in the receipt's own transaction (same)
///   no device goes back to an older release (same)
///   what was not reliable in a past block never becomes so
contract FirmwareInvariants is Test {
    uint256 private constant KINDS = 14;

    event log_named_uint(string key, uint256 val);

    FirmwareHandler private handler;

    function setUp() public {
        handler = new FirmwareHandler();
        handler.setUp();
        _fuzz(address(handler), _kinds());
    }

    /// What is done most stands more than once.
    function _kinds() private view returns (bytes4[] memory selectors) {
        selectors = new bytes4[](KINDS);
        selectors[0] = handler.release.selector;
        selectors[1] = handler.begin.selector;
        selectors[2] = handler.begin.selector;
        selectors[3] = handler.raise.selector;
        selectors[4] = handler.raise.selector;
        selectors[5] = handler.pause.selector;
        selectors[6] = handler.resume.selector;
        selectors[7] = handler.revoke.selector;
        selectors[8] = handler.pass.selector;
        for (uint256 i = 9; i < KINDS; ++i) {
            selectors[i] = handler.tell.selector;
        }
    }

    /// forge-config: default.invariant.runs = 32
    /// forge-config: default.invariant.depth = 128
    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: check.invariant.runs = 8
    /// forge-config: check.invariant.depth = 64
    /// forge-config: check.invariant.fail-on-revert = true
    function invariant_firmware__after_any_acts__only_goes_forward() external view {
        handler.assertLine();
        handler.assertReleases();
        handler.assertHistory();
    }

    /// That the acts above are no idle ones: of 3,000 with a fixed seed each kind has succeeded.
    function test_firmware__given_3000_acts__each_kind_succeeds() external {
        for (uint256 i = 0; i < 3_000; ++i) {
            uint256 seed = uint256(keccak256(abi.encode("firmware", i)));
            (bool done,) = address(handler).call(abi.encodeWithSelector(_kinds()[seed % KINDS], seed >> 8));
            assertTrue(done, "no act reverts");
            handler.assertLine();
        }
        handler.assertReleases();
        string[11] memory verbs = [
            "release",
            "begin",
            "raise",
            "raise to the whole",
            "pause",
            "pause by failures",
            "resume",
            "revoke",
            "tell of success",
            "tell of failure",
            "pass"
        ];
        for (uint256 i = 0; i < verbs.length; ++i) {
            uint256 count = handler.done(bytes32(bytes(verbs[i])));
            emit log_named_uint(verbs[i], count);
            assertGe(count, 1, verbs[i]);
        }
    }
}
