// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IDayCalendar } from "../../../contracts/interfaces/IDayCalendar.sol";
import { IResponseGauge } from "../../../contracts/interfaces/IResponseGauge.sol";
import {
    Called,
    FIXED,
    HIGH_4_OF_5,
    HIGH_5_OF_10,
    MATCHED,
    Measuring,
    TEN_OF_TEN
} from "../../../contracts/types/Measuring.sol";
import { vm } from "../support/Vm.sol";
import { Metered } from "./Metered.sol";

contract MeasureTest is Metered {
    function test_measure__given_an_unknown_method__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IResponseGauge.MethodUnknown.selector, MATCHED + 1));
        gauge.measure(_measuring(MATCHED + 1), meter, _called(), 0);
    }

    function test_measure__given_no_slots_or_too_many__reverts() external {
        uint16[2] memory slots = [uint16(0), 129];
        for (uint256 i = 0; i < slots.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IResponseGauge.SlotsOutOfRange.selector, slots[i]));
            gauge.measure(_measuring(TEN_OF_TEN), meter, Called(evening, slots[i], uint40(block.timestamp)), 0);
        }
    }

    function test_measure__given_an_event_that_leaves_its_day__reverts() external {
        uint32 late = today + DAY - 2;
        vm.expectRevert(abi.encodeWithSelector(IResponseGauge.CalledAcrossDays.selector, late, SLOTS));
        gauge.measure(_measuring(TEN_OF_TEN), meter, Called(late, SLOTS, uint40(block.timestamp)), 0);
    }

    function test_measure__given_a_slot_that_no_day_holds__reverts() external {
        uint32 beyond = today + 2 * DAY;
        vm.expectRevert(abi.encodeWithSelector(IDayCalendar.SlotOutsideCalendar.selector, calendar, beyond));
        gauge.measure(_measuring(TEN_OF_TEN), meter, Called(beyond, SLOTS, uint40(block.timestamp)), 0);
    }

    function test_measure__given_four_days__has_no_baseline() external {
        for (uint32 i = 0; i < 4; ++i) {
            _recordDay(8 + i, 1_000, 500);
        }
        (bool found,, uint16 ratioBps) = _baseline(TEN_OF_TEN);
        assertTrue(!found && ratioBps == 10_000, "ten of ten wants five at least");
        (found,,) = _baseline(HIGH_5_OF_10);
        assertTrue(!found, "so does the highest five");
        (found,,) = _baseline(HIGH_4_OF_5);
        assertTrue(found, "the highest four have them");
    }

    function test_measure__given_ten_days__is_their_mean() external {
        _recordTenDays();
        _recordDay(0, 0, 500);
        assertEq(_tenOfTen(), 1_045, "(1,000 + ... + 1,090) / 10");
    }

    function test_measure__given_ten_days__takes_the_highest() external {
        _recordTenDays();
        _recordDay(0, 0, 500);
        (, int256[] memory baselineWh,) = _baseline(HIGH_5_OF_10);
        assertEq(baselineWh[0], 1_070, "(1,050 + ... + 1,090) / 5");
        (, baselineWh,) = _baseline(HIGH_4_OF_5);
        assertEq(baselineWh[0], 1_025, "of the newest five 1,010 to 1,040");
    }

    function test_measure__given_more_use_is_asked_for__takes_the_lowest() external {
        _recordTenDays();
        Measuring memory up = _measuring(HIGH_5_OF_10);
        up.up = true;
        (, int256[] memory baselineWh,,,) = gauge.measure(up, meter, _called(), 0);
        assertEq(baselineWh[0], 1_020, "(1,000 + ... + 1,040) / 5");
    }

    function test_measure__given_matched_days__takes_the_three_whose_window_is_nearest() external {
        for (uint32 i = 0; i < 10; ++i) {
            _recordDay(8 + i, 1_000 + i * 10, i < 3 ? 600 : 500);
        }
        (bool found, int256[] memory baselineWh,) = _baseline(MATCHED);
        assertTrue(!found, "nothing to match before the window is read");
        _recordDay(0, 0, 590);
        Measuring memory plain = _measuring(MATCHED);
        plain.adjusted = false;
        (found, baselineWh,,,) = gauge.measure(plain, meter, _called(), 0);
        assertTrue(found && baselineWh[0] == 1_010, "days 0 to 2 had 600");
    }

    function test_measure__given_fixed__tells_what_was_used() external {
        _recordDay(0, 700, 500);
        (bool found, int256[] memory baselineWh, int256[] memory actualWh, uint256 missing,) =
            gauge.measure(_measuring(FIXED), meter, _called(), 0);
        assertTrue(found && baselineWh[0] == 0 && actualWh[3] == 700 && missing == 0, "what was agreed is elsewhere");
    }

    // days

    function test_measure__given_an_event_day__looks_further_back() external {
        _recordTenDays();
        _recordDay(18, 2_000, 500);
        (, int256[] memory baselineWh,,,) = gauge.measure(_measuring(TEN_OF_TEN), meter, _called(), uint64(1 << 7));
        assertEq(baselineWh[0], 1_145, "2,000 in the place of 1,000");
    }

    function test_measure__given_a_missing_reading__looks_further_back() external {
        for (uint32 i = 0; i < 11; ++i) {
            if (i != 3) _recordDay(8 + i, 1_000 + i * 10, 500);
        }
        for (uint32 i = 0; i < SLOTS - 1; ++i) {
            _record(_back(evening, 11) + i, 4_000, 0);
        }
        assertEq(_tenOfTen(), 1_052, "floor of (1,000 + ... + 1,100 - 1,030) / 10");
    }

    /// A day whose readings could still be corrected when notice was given is none.
    function test_measure__given_a_day_that_was_not_final_at_notice__does_not_count_it() external {
        _recordTenDays();
        _recordDay(7, 4_000, 500);
        assertEq(_tenOfTen(), 1_045, "a week ago the event's last slot was not final");
        Measuring memory sooner = _measuring(TEN_OF_TEN);
        sooner.finalAfter = FINAL_AFTER - 2 hours;
        (, int256[] memory baselineWh,,,) = gauge.measure(sooner, meter, _called(), 0);
        assertEq(baselineWh[0], 1_336, "(4,000 + 1,000 + ... + 1,080) / 10");
    }

    function test_measure__given_a_holiday_today__compares_with_holidays_alone() external {
        uint32 other = _openCalendar("Europe/Berlin", firstSlot, operator);
        bytes memory days_;
        for (uint256 i = 0; i <= DAYS_BACK; ++i) {
            days_ = abi.encodePacked(days_, DAY, i % 2 == 0 ? HOLIDAY : WORKING);
        }
        calendars.publishDays(other, 0, days_, _publicationAct(other, 0, days_, operator));
        for (uint32 i = 8; i < 28; ++i) {
            _recordDay(i, i % 2 == 0 ? 300 : 5_000, 500);
        }
        Measuring memory holidays = _measuring(TEN_OF_TEN);
        holidays.calendar = other;
        (bool found, int256[] memory baselineWh,,,) = gauge.measure(holidays, meter, _called(), 0);
        assertTrue(found && baselineWh[0] == 300, "every second day");
    }

    /// The same time of day: from the day's beginning before two o'clock, from its end after it.
    function test_measure__given_days_of_other_lengths__compares_the_same_time() external {
        uint32 other = _openCalendar("Europe/Berlin", firstSlot, operator);
        bytes memory days_;
        for (uint256 i = 0; i <= DAYS_BACK; ++i) {
            days_ = abi.encodePacked(days_, uint16(i % 2 == 0 ? 92 : 100), WORKING);
        }
        days_ = _replaced(days_, DAYS_BACK, DAY);
        calendars.publishDays(other, 0, days_, _publicationAct(other, 0, days_, operator));
        for (uint32 i = 8; i < 18; ++i) {
            // 92 and 100 alternate: every second day begins where one of 96 would, the others end there
            uint32 first = today - i * DAY + (i % 2 == 0 ? 92 : 96) - (DAY - 72);
            for (uint32 j = 0; j < SLOTS; ++j) {
                _record(first + j, 400 + i, 0);
            }
        }
        Measuring memory odd = _measuring(TEN_OF_TEN);
        (odd.calendar, odd.adjusted) = (other, false);
        (bool found, int256[] memory baselineWh,,,) = gauge.measure(odd, meter, _called(), 0);
        assertTrue(found && baselineWh[0] == 412, "floor of 412.5");
    }

    function _replaced(bytes memory days_, uint256 day, uint16 slots) private pure returns (bytes memory) {
        (days_[3 * day], days_[3 * day + 1]) = (bytes1(uint8(slots >> 8)), bytes1(uint8(slots)));
        return days_;
    }

    // adjustment

    function test_measure__given_more_use_before_notice__adjusts_within_bounds() external {
        _recordTenDays();
        _recordDay(0, 0, 550);
        (, int256[] memory baselineWh, uint16 ratioBps) = _baseline(TEN_OF_TEN);
        assertEq(ratioBps, 11_000, "550 for 500");
        assertEq(baselineWh[0], 1_149, "floor of 1,149.5");
    }

    function testFuzz_measure__given_any_window__adjusts_by_a_fifth_at_most(uint16 windowWh) external {
        _recordTenDays();
        _recordDay(0, 0, uint32(windowWh) % 4_000);
        (, int256[] memory baselineWh, uint16 ratioBps) = _baseline(TEN_OF_TEN);
        assertTrue(ratioBps >= 8_000 && ratioBps <= 12_000, "80 to 120 percent");
        assertTrue(baselineWh[0] >= 836 && baselineWh[0] <= 1_254, "of 1,045");
    }

    function test_measure__given_a_window_that_is_not_read__adjusts_nothing() external {
        _recordTenDays();
        (,, uint16 ratioBps) = _baseline(TEN_OF_TEN);
        assertEq(ratioBps, 10_000, "the whole");
    }

    function test_measure__given_a_window_in_which_the_meter_gave__adjusts_nothing() external {
        for (uint32 i = 0; i < 10; ++i) {
            for (uint32 j = 0; j < SLOTS; ++j) {
                _record(_back(evening, 8 + i) + j, 1_000, 0);
            }
            for (uint32 j = 0; j < WINDOW; ++j) {
                _record(_back(evening - 4 - WINDOW, 8 + i) + j, 0, 200);
            }
        }
        _recordDay(0, 0, 500);
        (, int256[] memory baselineWh, uint16 ratioBps) = _baseline(TEN_OF_TEN);
        assertTrue(ratioBps == 10_000 && baselineWh[0] == 1_000, "a ratio to what was given means nothing");
    }

    function test_measure__given_a_meter_that_gave__floors_toward_minus_infinity() external {
        for (uint32 i = 0; i < 10; ++i) {
            for (uint32 j = 0; j < SLOTS; ++j) {
                _record(_back(evening, 8 + i) + j, 0, i == 0 ? 101 : 100);
            }
        }
        Measuring memory plain = _measuring(TEN_OF_TEN);
        plain.adjusted = false;
        (, int256[] memory baselineWh,,,) = gauge.measure(plain, meter, _called(), 0);
        assertEq(baselineWh[0], -101, "floor of -100.1");
    }

    function test_measure__given_slots_without_a_reading__names_them() external {
        _record(evening + 1, 20, 30);
        (,, int256[] memory actualWh, uint256 missing,) = gauge.measure(_measuring(FIXED), meter, _called(), 0);
        assertEq(missing, 13, "all but the second");
        assertEq(actualWh[1], -10, "import less export");
    }
}
