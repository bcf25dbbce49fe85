// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { DayCalendar } from "../../../contracts/DayCalendar.sol";
import { Roles } from "../../../contracts/libraries/Roles.sol";
import { Act } from "../../../contracts/types/Act.sol";
import { Party, Signing } from "../support/Signing.sol";
import { Street } from "../support/Street.sol";
import { vm } from "../support/Vm.sol";

/// The street with a calendar that began 60 days ago, and the days that it has so far.
abstract contract Calendars is Street {
    string internal constant CALENDAR = "Gridweave DayCalendar";
    uint32 internal constant DAYS_BACK = 60;
    uint16 internal constant DAY = 96;
    uint8 internal constant WORKING = 1;
    uint8 internal constant HOLIDAY = 3;

    bytes32 private constant CALENDAR_OPENING_TYPEHASH = keccak256(
        "CalendarOpening(string timeZone,uint32 firstDate,uint32 firstSlot,uint256 nonce,uint256 deadline)"
    );
    bytes32 private constant DAY_PUBLICATION_TYPEHASH =
        keccak256("DayPublication(uint32 calendar,uint32 firstDay,bytes days_,uint256 nonce,uint256 deadline)");

    DayCalendar internal calendars;
    uint32 internal calendar;
    uint32 internal firstSlot = FIRST_SLOT - DAYS_BACK * DAY;

    function setUp() public virtual override {
        super.setUp();
        calendars = new DayCalendar(address(authority), SLOT_LENGTH);
        vm.startPrank(admin);
        _open(address(calendars), DayCalendar.openCalendar.selector, Roles.OPERATOR);
        _open(address(calendars), DayCalendar.publishDays.selector, Roles.OPERATOR);
        vm.stopPrank();
        calendar = _openCalendar("Europe/Berlin", firstSlot, operator);
    }

    function _openingAct(string memory zone, uint32 first, Party memory by) internal returns (Act memory act) {
        act = _draft(by);
        bytes32 structHash = keccak256(
            abi.encode(CALENDAR_OPENING_TYPEHASH, keccak256(bytes(zone)), first / DAY, first, act.nonce, act.deadline)
        );
        act.signature = Signing.sign(by.key, _digest(CALENDAR, address(calendars), structHash));
    }

    function _openCalendar(string memory zone, uint32 first, Party memory by) internal returns (uint32) {
        return calendars.openCalendar(zone, first / DAY, first, _openingAct(zone, first, by));
    }

    function _publicationAct(uint32 calendar_, uint32 firstDay, bytes memory days_, Party memory by)
        internal
        returns (Act memory act)
    {
        act = _draft(by);
        bytes32 structHash = keccak256(
            abi.encode(DAY_PUBLICATION_TYPEHASH, calendar_, firstDay, keccak256(days_), act.nonce, act.deadline)
        );
        act.signature = Signing.sign(by.key, _digest(CALENDAR, address(calendars), structHash));
    }

    function _publish(uint32 firstDay, bytes memory days_) internal {
        calendars.publishDays(calendar, firstDay, days_, _publicationAct(calendar, firstDay, days_, operator));
    }

    /// So many days that are alike.
    function _days(uint256 count, uint16 slots, uint8 kind) internal pure returns (bytes memory days_) {
        for (uint256 i = 0; i < count; ++i) {
            days_ = abi.encodePacked(days_, slots, kind);
        }
    }
}
