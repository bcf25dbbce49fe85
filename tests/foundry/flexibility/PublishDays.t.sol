// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IDayCalendar } from "../../../contracts/interfaces/IDayCalendar.sol";
import { ISignedActs } from "../../../contracts/interfaces/ISignedActs.sol";
import { Roles } from "../../../contracts/libraries/Roles.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { vm } from "../support/Vm.sol";
import { Calendars } from "./Calendars.sol";

contract PublishDaysTest is Calendars {
    function test_publishDays__given_an_unknown_calendar__reverts() external {
        bytes memory days_ = _days(1, DAY, WORKING);
        for (uint32 unknown = 0; unknown < 3; unknown += 2) {
            Act memory act = _publicationAct(unknown, 0, days_, operator);
            vm.expectRevert(abi.encodeWithSelector(IDayCalendar.CalendarUnknown.selector, unknown));
            calendars.publishDays(unknown, 0, days_, act);
        }
    }

    function test_publishDays__given_another_operator__reverts() external {
        _grant(Roles.OPERATOR, utility.addr);
        bytes memory days_ = _days(1, DAY, WORKING);
        Act memory act = _publicationAct(calendar, 0, days_, utility);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.SignerNotAllowed.selector, utility.addr));
        calendars.publishDays(calendar, 0, days_, act);
    }

    function test_publishDays__given_a_publisher_that_is_no_operator_any_more__reverts() external {
        vm.prank(admin);
        authority.revokeRole(Roles.OPERATOR, operator.addr);
        bytes memory days_ = _days(1, DAY, WORKING);
        Act memory act = _publicationAct(calendar, 0, days_, operator);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.SignerNotAllowed.selector, operator.addr));
        calendars.publishDays(calendar, 0, days_, act);
    }

    function test_publishDays__given_other_days_than_were_signed__reverts() external {
        Act memory act = _publicationAct(calendar, 0, _days(1, DAY, WORKING), operator);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.WrongSignature.selector, operator.addr));
        calendars.publishDays(calendar, 0, _days(1, DAY, HOLIDAY), act);
    }

    function test_publishDays__given_a_day_that_is_not_the_next__reverts() external {
        _publish(0, _days(2, DAY, WORKING));
        _reverts(1, _days(1, DAY, HOLIDAY), abi.encodeWithSelector(IDayCalendar.DayNotNext.selector, 1, 2));
        _reverts(3, _days(1, DAY, HOLIDAY), abi.encodeWithSelector(IDayCalendar.DayNotNext.selector, 3, 2));
    }

    /// What has begun is agreed on, or was missed for good.
    function test_publishDays__given_a_day_that_has_begun__reverts() external {
        _publish(0, _days(DAYS_BACK, DAY, WORKING));
        _reverts(
            DAYS_BACK,
            _days(1, DAY, HOLIDAY),
            abi.encodeWithSelector(IDayCalendar.DayHasBegun.selector, DAYS_BACK, block.timestamp)
        );
    }

    function test_publishDays__given_no_whole_days__reverts() external {
        _reverts(0, "", abi.encodeWithSelector(IDayCalendar.DaysMalformed.selector, 0));
        _reverts(0, hex"0060", abi.encodeWithSelector(IDayCalendar.DaysMalformed.selector, 2));
        bytes memory many = _days(367, DAY, WORKING);
        _reverts(0, many, abi.encodeWithSelector(IDayCalendar.DaysMalformed.selector, many.length));
    }

    function test_publishDays__given_a_day_that_is_none__reverts() external {
        uint16[4] memory lengths = [uint16(0), 95, 97, 101];
        for (uint256 i = 0; i < lengths.length; ++i) {
            _reverts(
                0,
                abi.encodePacked(_days(1, DAY, WORKING), lengths[i], WORKING),
                abi.encodeWithSelector(IDayCalendar.DayMalformed.selector, 1, lengths[i], WORKING)
            );
        }
        _reverts(0, _days(1, DAY, 0), abi.encodeWithSelector(IDayCalendar.DayMalformed.selector, 0, DAY, 0));
    }

    function test_publishDays__given_days_ahead__appends_them() external {
        _publish(0, _days(DAYS_BACK + 1, DAY, WORKING));
        bytes memory days_ = abi.encodePacked(_days(1, 92, HOLIDAY), _days(1, 100, WORKING));
        uint32 next = firstSlot + (DAYS_BACK + 1) * DAY;
        vm.expectEmit(address(calendars));
        emit IDayCalendar.DaysPublished(calendar, DAYS_BACK + 1, next, days_);
        _publish(DAYS_BACK + 1, days_);
        IDayCalendar.Day memory last = calendars.dayAt(calendar, DAYS_BACK + 2);
        assertEq(last.firstSlot, next + 92, "behind the day of 23 hours");
        assertEq(last.slots, 100, "25 hours");
        assertEq(last.kind, WORKING, "as published");
        (,,, uint32 count) = calendars.calendarOf(calendar);
        assertEq(count, DAYS_BACK + 3, "all of them");
    }

    function test_dayAt__given_a_day_that_is_not_published__reverts() external {
        _publish(0, _days(3, DAY, WORKING));
        vm.expectRevert(abi.encodeWithSelector(IDayCalendar.DayNotPublished.selector, calendar, 3));
        calendars.dayAt(calendar, 3);
    }

    function test_dayOfSlot__given_a_slot_before_or_after__reverts() external {
        _publish(0, _days(3, DAY, WORKING));
        uint32[2] memory slots = [firstSlot - 1, firstSlot + 3 * DAY];
        for (uint256 i = 0; i < slots.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IDayCalendar.SlotOutsideCalendar.selector, calendar, slots[i]));
            calendars.dayOfSlot(calendar, slots[i]);
        }
    }

    /// Days of any length in any order, published in any parts: each slot is of the one day that holds it.
    function testFuzz_dayOfSlot__given_days_of_any_length__is_the_day_that_holds_it(uint256 seed, uint8 cut) external {
        bytes memory days_;
        uint32[] memory begins = new uint32[](21);
        begins[0] = firstSlot;
        for (uint256 i = 0; i < 20; ++i) {
            uint16 slots = [uint16(92), 96, 100][uint256(keccak256(abi.encode(seed, i))) % 3];
            days_ = abi.encodePacked(days_, slots, WORKING);
            begins[i + 1] = begins[i] + slots;
        }
        _publish(0, days_);
        uint32 slot = begins[0] + uint32(uint256(keccak256(abi.encode(seed, cut))) % (begins[20] - begins[0]));
        (uint32 index, IDayCalendar.Day memory day) = calendars.dayOfSlot(calendar, slot);
        assertTrue(begins[index] <= slot && slot < begins[index + 1], "it holds the slot");
        assertEq(day.firstSlot, begins[index], "it begins where the one before ends");
    }

    function _reverts(uint32 firstDay, bytes memory days_, bytes memory reason) private {
        Act memory act = _publicationAct(calendar, firstDay, days_, operator);
        vm.expectRevert(reason);
        calendars.publishDays(calendar, firstDay, days_, act);
    }
}
