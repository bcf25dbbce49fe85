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

/// A meter's net import on one day: first in the slots of the event, then in those of the window.
struct Profile {
    int256[] eventWh;
    int256[] windowWh;
    uint256 missing; // bit i: no reading in slot i of the event
    bool windowMissing; // some reading of the window is
}

/// Days that an event's day may be compared with, the newest first.
struct Days {
    Profile[] profiles;
    uint256 found; // how many there are
    uint256 taken; // bit i: the baseline takes profiles[i]
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
