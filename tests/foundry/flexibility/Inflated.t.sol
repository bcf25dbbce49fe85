// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { FIXED, MATCHED, Measuring } from "../../../contracts/types/Measuring.sol";
import { Metered } from "./Metered.sol";

/// Attack: a meter's owner uses more, or corrects what it used, once it knows of the event.
contract InflatedTest is Metered {
    function setUp() public override {
        super.setUp();
        _recordTenDays();
        _recordDay(0, 0, 500);
    }

    /// Whatever is recorded after notice for days on which it still can be, no baseline of the event changes.
    function testFuzz_attack__readings_after_notice__change_no_baseline(uint8 method, uint8 day, uint16 wh) external {
        Measuring memory measuring = _measuring(FIXED + (method % (MATCHED + 1)));
        (, int256[] memory before,,,) = gauge.measure(measuring, meter, _called(), 0);
        for (uint32 i = 0; i < SLOTS; ++i) {
            _record(_back(evening, 1 + (day % 7)) + i, wh % 4_000, 0);
        }
        (, int256[] memory afterwards,,,) = gauge.measure(measuring, meter, _called(), 0);
        for (uint256 i = 0; i < SLOTS; ++i) {
            assertEq(afterwards[i], before[i], "frozen");
        }
    }

    /// What is used in the hour between notice and event changes no baseline either.
    function testFuzz_attack__use_between_notice_and_event__changes_no_baseline(uint16 wh) external {
        (, int256[] memory before,) = _baseline(1);
        for (uint32 slot = evening - 4; slot < evening; ++slot) {
            _record(slot, wh % 4_000, 0);
        }
        (, int256[] memory afterwards,) = _baseline(1);
        assertEq(afterwards[0], before[0], "the window ended before notice");
    }
}
