// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { DayWord } from "./DayWord.sol";

using { placedOn } for Sought global;

/// Some slots of the event's day, and where the same time of day is on others.
struct Sought {
    uint256 offset; // from the day's first slot
    uint256 count; // of slots; 0: none is sought
    uint256 length; // of the event's day, in slots
    uint256 changeHour; // offset before which days of any length are alike
}

/// What a meter used on the event's day and on those that it may be compared with, in units of its scale. A row is words of readings
/// in memory (see Words and Lanes): those of the event, then those of the window.
struct Profile {
    uint256 eventSlots;
    uint256 windowSlots; // 0: there is no window
    uint256 today; // row of the event's day
    uint256 missing; // bit i: it has no reading in slot i of the event
    bool windowMissing; // it lacks one of the window
    uint256[] rows; // of the days before, the newest first; every one has all readings
    uint256 found; // how many there are
    uint256 taken; // bit i: the baseline takes rows[i]
    uint256 count; // how many it takes
}

/// Where the sought slots lie on a day: counted from its beginning before the change hour, from its end after it. On a day of
/// another length slots on both sides of the hour have no place, nor have those that this day does not have.
/// @return first slot; 0: no place
function placedOn(Sought memory sought, DayWord day) pure returns (uint256 first) {
    uint256 offset = sought.offset;
    uint256 length = day.slots();
    if (length != sought.length && offset + sought.count > sought.changeHour) {
        if (offset < sought.changeHour) return 0;
        if (offset + length < sought.changeHour + sought.length) return 0;
        offset = offset + length - sought.length;
    }
    return day.firstSlot() + offset;
}
