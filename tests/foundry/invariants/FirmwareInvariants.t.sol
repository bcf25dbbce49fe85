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

    /// forge-config: default.invariant.runs = 64
    /// forge-config: default.invariant.depth = 128
    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: check.invariant.runs = 8
    /// forge-config: check.invariant.depth = 64
    /// forge-config: check.invariant.fail-on-revert = true
    function invariant_firmware() external {
        handler.assertLine();
        handler.assertReleases();
        handler.assertHistory();
    }

    function afterInvariant() external {
        bytes32[10] memory verbs = [
            bytes32("release"),
            "begin",
            "raise",
            "raise to the whole",
            "pause",
            "pause by failures",
            "resume",
            "revoke",
            "tell of success",
            "tell of failure"
        ];
        for (uint256 i = 0; i < verbs.length; ++i) {
            emit log_named_uint(string(abi.encodePacked(verbs[i])), handler.done(verbs[i]));
        }
    }
}
