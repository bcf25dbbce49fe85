// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { DayCalendar } from "../../../contracts/DayCalendar.sol";
import { IDayCalendar } from "../../../contracts/interfaces/IDayCalendar.sol";
import { ISignedActs } from "../../../contracts/interfaces/ISignedActs.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { vm } from "../support/Vm.sol";
import { Calendars } from "./Calendars.sol";

contract OpenCalendarTest is Calendars {
    function test_constructor__given_slots_that_do_not_fill_an_hour__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IDayCalendar.SlotLengthUnfit.selector, 0));
        new DayCalendar(address(authority), 0);
        vm.expectRevert(abi.encodeWithSelector(IDayCalendar.SlotLengthUnfit.selector, 1_000));
        new DayCalendar(address(authority), 1_000);
    }

    function test_openCalendar__given_no_time_zone__reverts() external {
        Act memory act = _openingAct("", firstSlot, operator);
        vm.expectRevert(IDayCalendar.TimeZoneMissing.selector);
        calendars.openCalendar("", firstSlot / DAY, firstSlot, act);
    }

    function test_openCalendar__given_no_operator__reverts() external {
        Act memory act = _openingAct("Europe/Berlin", firstSlot, stranger);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.SignerNotAllowed.selector, stranger.addr));
        calendars.openCalendar("Europe/Berlin", firstSlot / DAY, firstSlot, act);
    }

    function test_openCalendar__given_another_zone_than_was_signed__reverts() external {
        Act memory act = _openingAct("Europe/Berlin", firstSlot, operator);
        vm.expectRevert(abi.encodeWithSelector(ISignedActs.WrongSignature.selector, operator.addr));
        calendars.openCalendar("Europe/Athens", firstSlot / DAY, firstSlot, act);
    }

    function test_openCalendar__given_all__is_the_next_number() external {
        Act memory act = _openingAct("Europe/Athens", firstSlot, operator);
        vm.expectEmit(address(calendars));
        emit IDayCalendar.CalendarOpened(2, operator.addr, "Europe/Athens", firstSlot / DAY, firstSlot);
        assertEq(calendars.openCalendar("Europe/Athens", firstSlot / DAY, firstSlot, act), 2, "the second");
        assertEq(calendars.calendarCount(), 2, "as many");
        (address publisher, uint32 date, uint32 first, uint32 count) = calendars.calendarOf(2);
        assertEq(publisher, operator.addr, "its publisher");
        assertEq(uint256(date) * DAY + first, uint256(firstSlot / DAY) * DAY + firstSlot, "its beginning");
        assertEq(count, 0, "no days yet");
        assertEq(calendars.slotLength(), SLOT_LENGTH, "the deployment's slots");
    }
}
