// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { Act } from "../types/Act.sol";

/// @title Days of a time zone, published ahead
/// @notice Slots are UTC. What a day is, and of which kind, is agreed on before it begins: an operator publishes days one after
/// the other and never changes one. Bills and baselines count by them.
interface IDayCalendar {
    /// One day. It ends where the next begins.
    struct Day {
        uint32 firstSlot;
        uint16 slots; // of 23, 24 or 25 hours
        uint8 kind; // days of one kind are alike: by habit 1 working day, 2 Saturday, 3 Sunday or holiday
    }

    /// @param firstDate day 0, in days since 1970-01-01 of the zone's own dates
    /// @param firstSlot in which day 0 begins
    event CalendarOpened(
        uint32 indexed calendar, address indexed publisher, string timeZone, uint32 firstDate, uint32 firstSlot
    );
    /// @notice `days_` holds three bytes a day: slots 16 | kind 8. The first is day `firstDay` and begins in `firstSlot`.
    event DaysPublished(uint32 indexed calendar, uint32 indexed firstDay, uint32 firstSlot, bytes days_);

    error CalendarUnknown(uint32 calendar);
    error TimeZoneMissing();
    /// @notice Days follow each other: `next` is the one to go on with.
    error DayNotNext(uint32 day, uint32 next);
    /// @notice A day that has begun cannot be published any more, but for those of a calendar's first publication.
    error DayHasBegun(uint32 day, uint256 beganAt);
    /// @notice Three bytes a day, 1 to 366 days at once.
    error DaysMalformed(uint256 bytesGiven);
    /// @notice A day has 23, 24 or 25 hours, and a kind from 1 on.
    error DayMalformed(uint32 day, uint16 slots, uint8 kind);
    error DayNotPublished(uint32 calendar, uint32 day);
    /// @notice No published day holds the slot.
    error SlotOutsideCalendar(uint32 calendar, uint32 slot);
    /// @notice A day of 24 hours must be whole slots.
    error SlotLengthUnfit(uint32 slotLength);

    /// @notice Opens a calendar, in which its signer alone publishes:
    /// CalendarOpening(string timeZone,uint32 firstDate,uint32 firstSlot,uint256 nonce,uint256 deadline) by an operator.
    function openCalendar(string calldata timeZone, uint32 firstDate, uint32 firstSlot, Act calldata operator)
        external
        returns (uint32 calendar);
    /// @notice Appends days: DayPublication(uint32 calendar,uint32 firstDay,bytes days_,uint256 nonce,uint256 deadline) by the calendar's
    /// publisher, which must be an operator still. A first publication may reach back, so that there are days to compare with.
    function publishDays(uint32 calendar, uint32 firstDay, bytes calldata days_, Act calldata operator) external;

    function calendarCount() external view returns (uint32);
    /// @return publisher who publishes
    /// @return firstDate day 0, in days since 1970-01-01
    /// @return firstSlot in which it begins
    /// @return count how many days are published
    function calendarOf(uint32 calendar)
        external
        view
        returns (address publisher, uint32 firstDate, uint32 firstSlot, uint32 count);
    function dayAt(uint32 calendar, uint32 day) external view returns (Day memory);
    /// @notice The day that holds the slot, and its index.
    function dayOfSlot(uint32 calendar, uint32 slot) external view returns (uint32 index, Day memory day);
    /// @notice Four days as they are stored, days 4 x `word` and after from the least significant bits: firstSlot 32 | slots 16 |
    /// kind 8 | zero 8 of 64 bits each. Zero: not published, by whatever calendar.
    function wordAt(uint32 calendar, uint256 word) external view returns (uint256);
    /// @notice Seconds per slot, one for the deployment.
    function slotLength() external view returns (uint32);
}
