// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IDayCalendar } from "./interfaces/IDayCalendar.sol";
import { IMeterLedger } from "./interfaces/IMeterLedger.sol";
import { IResponseGauge } from "./interfaces/IResponseGauge.sol";
import { Baselines } from "./libraries/Baselines.sol";
import { Lanes } from "./libraries/Lanes.sol";
import { Words } from "./libraries/Words.sol";
import { DayWord, dayIn } from "./types/DayWord.sol";
import { Called, FIXED, MATCHED, Measuring } from "./types/Measuring.sol";
import { Profile, Sought } from "./types/Profile.sol";

/// @title ResponseGauge
/// @notice See IResponseGauge. Without storage and without rights.
/// @dev The days whose readings are wanted are found first, by the calendar alone; then the ledger is asked once, for all of them and the
/// event's own; once more only where a day turned out to lack a reading.
contract ResponseGauge is IResponseGauge {
    using Baselines for Profile;
    using Lanes for uint256;

    /// What is looked for, and how far that has come.
    struct Search {
        uint32 calendar;
        uint32 meter;
        uint256 day; // of the event
        uint256 kind; // of that day
        uint64 eventDays;
        uint256 finalSlot; // slots before it did not change any more when notice was given
        Sought event_;
        Sought window; // in the same day, and before the event
        uint256 word; // of the calendar, the last one read
        uint256 wordIndex;
        uint256 back; // days looked at
        uint256 scaleWh; // of the meter
    }

    /// Days back from the event's.
    uint256 private constant MOST_BACK = 45;
    uint256 private constant MOST_SLOTS = 128;
    /// Beside the bits of an event's slots: a reading of the window is missing.
    uint256 private constant WINDOW_MISSING = 1 << 255;
    uint256 private constant LANE = type(uint32).max;

    IDayCalendar private immutable _calendar;
    IMeterLedger private immutable _ledger;
    uint256 private immutable _slotLength;

    constructor(IDayCalendar calendar, IMeterLedger ledger) {
        _calendar = calendar;
        _ledger = ledger;
        _slotLength = ledger.slotLength();
    }

    /// @inheritdoc IResponseGauge
    function dayOf(uint32 calendar, uint32 slot) external view returns (uint32, uint32, uint16) {
        (uint32 index, IDayCalendar.Day memory day) = _calendar.dayOfSlot(calendar, slot);
        return (index, day.firstSlot, day.slots);
    }

    /// @inheritdoc IResponseGauge
    function measure(Measuring calldata measuring, uint32 meter, Called calldata called, uint64 eventDays)
        external
        view
        returns (
            bool hasBaseline,
            int256[] memory baselineWh,
            int256[] memory actualWh,
            uint256 missing,
            uint16 ratioBps
        )
    {
        uint256 method = measuring.method;
        if (method > MATCHED) revert MethodUnknown(measuring.method);
        if (called.slots == 0 || called.slots > MOST_SLOTS) revert SlotsOutOfRange(called.slots);
        (Search memory search, uint256 today) = _search(measuring, meter, called, eventDays);
        Profile memory profile = _profile(search, today, method == FIXED ? 0 : Baselines.candidates(method));
        missing = profile.missing;
        actualWh = _netOf(profile.today, called.slots, int256(search.scaleWh));
        (hasBaseline, baselineWh, ratioBps) = _baseline(search, profile, measuring);
    }

    function _baseline(Search memory search, Profile memory profile, Measuring calldata measuring)
        private
        pure
        returns (bool hasBaseline, int256[] memory baselineWh, uint16 ratioBps)
    {
        uint256 method = measuring.method;
        ratioBps = uint16(Baselines.WHOLE_BPS);
        if (method == FIXED) return (true, new int256[](profile.eventSlots), ratioBps);
        bool isBlind = profile.windowSlots == 0 || profile.windowMissing;
        if (profile.found < Baselines.least(method) || (method == MATCHED && isBlind)) {
            return (false, new int256[](profile.eventSlots), ratioBps);
        }
        profile.choose(method, measuring.up);
        if (measuring.adjusted) ratioBps = uint16(profile.ratio());
        return (true, profile.mean(ratioBps, int256(search.scaleWh)), ratioBps);
    }

    /// @return search what is looked for
    /// @return today places of the event and the window, as in _nextDays
    function _search(Measuring calldata measuring, uint32 meter, Called calldata called, uint64 eventDays)
        private
        view
        returns (Search memory search, uint256 today)
    {
        (uint32 day, IDayCalendar.Day memory day_) = _calendar.dayOfSlot(measuring.calendar, called.firstSlot);
        uint256 offset = called.firstSlot - day_.firstSlot;
        if (offset + called.slots > day_.slots) revert CalledAcrossDays(called.firstSlot, called.slots);
        (search.calendar, search.meter, search.eventDays) = (measuring.calendar, meter, eventDays);
        (search.day, search.kind, search.wordIndex) = (day, day_.kind, type(uint256).max);
        search.event_ = Sought(offset, called.slots, day_.slots, 2 hours / _slotLength);
        search.window = Sought(0, 0, day_.slots, 2 hours / _slotLength);
        if (measuring.adjusted || measuring.method == MATCHED) _setWindow(search.window, measuring, called, day_);
        // end of the last slot that is final: (slot + 1) x length + finalAfter <= noticeAt
        uint256 noticeAt = called.noticeAt;
        if (noticeAt >= measuring.finalAfter) search.finalSlot = (noticeAt - measuring.finalAfter) / _slotLength;
        // no day has more than 25 hours: of those that are nearer the event's slots were not final
        if (called.firstSlot > search.finalSlot) {
            search.back = (called.firstSlot - search.finalSlot) / (25 hours / _slotLength);
        }
        today = (uint256(called.firstSlot) << 32) | (day_.firstSlot + search.window.offset);
    }

    /// The window ends before the slot of the notice. Where a part of it is not of the event's day, there is none.
    function _setWindow(
        Sought memory window,
        Measuring calldata measuring,
        Called calldata called,
        IDayCalendar.Day memory day
    ) private view {
        uint256 end = uint256(called.noticeAt) / _slotLength;
        uint256 beforeEnd = uint256(measuring.windowGap) + measuring.windowSlots;
        if (end < day.firstSlot + beforeEnd || end > called.firstSlot) return;
        (window.offset, window.count) = (end - beforeEnd - day.firstSlot, measuring.windowSlots);
    }

    function _netOf(uint256 row, uint256 slots, int256 scaleWh) private pure returns (int256[] memory netWh) {
        netWh = new int256[](slots);
        for (uint256 i = 0; i < slots; ++i) {
            netWh[i] = Words.load(row + ((i >> 3) << 5)).net(i & 7) * scaleWh;
        }
    }

    // --------------------------------------------------------------------------------------------------------------- days

    /// The event's day, and up to `most` before it whose readings are whole.
    function _profile(Search memory search, uint256 today, uint256 most) private view returns (Profile memory profile) {
        profile.rows = new uint256[](most);
        (profile.eventSlots, profile.windowSlots) = (search.event_.count, search.window.count);
        uint256[] memory places = new uint256[](most + 1);
        places[0] = today;
        uint256 count = _nextDays(search, places, 1, most);
        uint256 words = _words(search, places, count);
        uint256 missing;
        (profile.today, missing, words) = _row(profile, today, words);
        (profile.missing, profile.windowMissing) = (missing & ~WINDOW_MISSING, missing >= WINDOW_MISSING);
        _keepWhole(profile, places, 1, count, words);
        while (profile.found < most) {
            count = _nextDays(search, places, 0, most - profile.found);
            if (count == 0) break;
            _keepWhole(profile, places, 0, count, _words(search, places, count));
        }
    }

    /// Adds where event and window lie, slots of 32 bits each, on up to `most` further days that are like the event's as far as the
    /// calendar knows. Returns how many there are then.
    function _nextDays(Search memory search, uint256[] memory places, uint256 count, uint256 most)
        private
        view
        returns (uint256)
    {
        most += count;
        // Days and slots of 32 bits.
        unchecked {
            uint256 back = search.back;
            for (; count < most && back < MOST_BACK && back < search.day; ++back) {
                if ((search.eventDays >> back) & 1 == 1) continue;
                DayWord day = _day(search, search.day - back - 1);
                if (day.kind() != search.kind) continue;
                uint256 event_ = search.event_.placedOn(day);
                // the window lies before the event, so where that is final both are
                if (event_ == 0 || event_ + search.event_.count > search.finalSlot) continue;
                uint256 window = search.window.placedOn(day);
                if (window != 0) places[count++] = (event_ << 32) | window;
            }
            search.back = back;
        }
        return count;
    }

    function _day(Search memory search, uint256 day) private view returns (DayWord) {
        if (day >> 2 != search.wordIndex) {
            search.wordIndex = day >> 2;
            search.word = _calendar.wordAt(search.calendar, day >> 2);
        }
        return dayIn(search.word, day);
    }

    /// Adds the rows of those days that have every reading.
    function _keepWhole(
        Profile memory profile,
        uint256[] memory places,
        uint256 first,
        uint256 count,
        uint256 words
    ) private pure {
        for (uint256 i = first; i < count; ++i) {
            uint256 row;
            uint256 missing;
            (row, missing, words) = _row(profile, places[i], words);
            if (missing == 0) profile.rows[profile.found++] = row;
        }
    }

    // ----------------------------------------------------------------------------------------------------------- readings

    /// Asks the ledger for the words of those days: of each those of the window, then those of the event which are not the same.
    /// @return words place of the first
    function _words(Search memory search, uint256[] memory places, uint256 count)
        private
        view
        returns (uint256 words)
    {
        // n slots lie in n / 8 + 2 words at most
        uint256 perDay = (search.event_.count >> 3) + (search.window.count >> 3) + 4;
        uint256 call_ = Words.allocate(4 + count * perDay);
        uint256 end = call_ + 0x80;
        // Places in what was allocated, and slots.
        unchecked {
            for (uint256 i = 0; i < count; ++i) {
                (uint256 event_, uint256 window) = (places[i] >> 32, places[i] & LANE);
                uint256 group = 0;
                if (search.window.count != 0) {
                    group = (window + search.window.count - 1) >> 3;
                    end = _addGroups(end, window >> 3, group);
                }
                group = group == event_ >> 3 ? group + 1 : event_ >> 3;
                end = _addGroups(end, group, (event_ + search.event_.count - 1) >> 3);
            }
            uint256 length = (end - call_ - 0x80) >> 5;
            Words.store(call_, uint32(IMeterLedger.wordsOf.selector));
            Words.store(call_ + 0x20, search.meter);
            Words.store(call_ + 0x40, 0x40);
            Words.store(call_ + 0x60, length);
            uint256 answer = Words.ask(address(_ledger), call_ + 0x1c, end - call_ - 0x1c, 0x60 + (length << 5));
            search.scaleWh = Words.load(answer);
            return answer + 0x60;
        }
    }

    function _addGroups(uint256 end, uint256 group, uint256 last) private pure returns (uint256) {
        // Places in what was allocated.
        unchecked {
            for (; group <= last; ++group) {
                Words.store(end, group);
                end += 0x20;
            }
        }
        return end;
    }

    /// The row of one day, whose words begin at `words`.
    /// @return row its place
    /// @return missing bit i: no reading in slot i of the event; WINDOW_MISSING
    /// @return next where the next day's words begin
    function _row(Profile memory profile, uint256 places, uint256 words)
        private
        pure
        returns (uint256 row, uint256 missing, uint256 next)
    {
        (uint256 event_, uint256 window) = (places >> 32, places & LANE);
        row = Words.allocate(2 + ((profile.eventSlots + profile.windowSlots) >> 3));
        next = words;
        // Places in what was allocated, and slots.
        unchecked {
            if (profile.windowSlots != 0) {
                uint256 last = (window + profile.windowSlots - 1) >> 3;
                if (next.align(window, profile.windowSlots, profile.windowOf(row)) != 0) missing = WINDOW_MISSING;
                next += (last - (window >> 3)) << 5;
                if (last != event_ >> 3) next += 0x20;
            }
            missing |= next.align(event_, profile.eventSlots, row);
            next += (((event_ + profile.eventSlots - 1) >> 3) - (event_ >> 3) + 1) << 5;
        }
    }
}
