// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IDayCalendar } from "./interfaces/IDayCalendar.sol";
import { IMeterLedger } from "./interfaces/IMeterLedger.sol";
import { IResponseGauge } from "./interfaces/IResponseGauge.sol";
import { Baselines } from "./libraries/Baselines.sol";
import { DayWord, dayIn, dayWord } from "./types/DayWord.sol";
import { Called, FIXED, MATCHED, Measuring } from "./types/Measuring.sol";
import { Days, Profile, Sought } from "./types/Profile.sol";

/// @title ResponseGauge
/// @notice See IResponseGauge. Without storage and without rights.
/// @dev The days whose readings are wanted are found first, by the calendar alone, then the ledger is asked once for all of them; once
/// more only where a reading was missing.
contract ResponseGauge is IResponseGauge {
    using Baselines for Days;

    /// What is looked for, and the days that it is looked for on.
    struct Search {
        IDayCalendar calendar;
        uint32 calendarId;
        uint32 meter;
        uint256 day; // of the event
        DayWord today;
        uint64 eventDays;
        uint256 finalSlot; // slots before it do not change any more when notice is given
        Sought event_;
        Sought window;
        uint256 word; // of the calendar, in memory
        uint256 wordIndex;
        uint256 back; // days looked at
    }

    /// Days back from the event's.
    uint256 private constant MOST_BACK = 45;
    uint256 private constant MAX_METHOD = MATCHED;
    uint256 private constant LANE = type(uint32).max;
    uint256 private constant MAX_SCALED = type(uint16).max >> 1;

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
        if (measuring.method > MAX_METHOD) revert MethodUnknown(measuring.method);
        Search memory search = _search(measuring, meter, called, eventDays);
        Profile memory today = _profileOfToday(search);
        (actualWh, missing) = (today.eventWh, today.missing);
        (hasBaseline, baselineWh, ratioBps) = _baseline(search, measuring, today);
    }

    function _baseline(Search memory search, Measuring calldata measuring, Profile memory today)
        private
        view
        returns (bool, int256[] memory, uint16)
    {
        uint256 method = measuring.method;
        int256[] memory nothing = new int256[](search.event_.count);
        if (method == FIXED) return (true, nothing, uint16(Baselines.WHOLE_BPS));
        bool isBlind = today.windowMissing || search.window.count == 0;
        if (method == MATCHED && isBlind) return (false, nothing, uint16(Baselines.WHOLE_BPS));

        Days memory before = _daysBefore(search, Baselines.candidates(method));
        if (before.found < Baselines.least(method)) return (false, nothing, uint16(Baselines.WHOLE_BPS));
        before.choose(today, method, measuring.up);
        uint256 ratioBps = measuring.adjusted ? before.ratio(today) : Baselines.WHOLE_BPS;
        return (true, before.mean(ratioBps, nothing.length), uint16(ratioBps));
    }

    function _search(Measuring calldata measuring, uint32 meter, Called calldata called, uint64 eventDays)
        private
        view
        returns (Search memory search)
    {
        (uint32 day, IDayCalendar.Day memory today) = _calendar.dayOfSlot(measuring.calendar, called.firstSlot);
        uint256 length = today.slots;
        uint256 offset = called.firstSlot - today.firstSlot;
        if (offset + called.slots > length) revert CalledAcrossDays(called.firstSlot, called.slots);
        uint256 changeHour = 2 hours / _slotLength;
        (search.calendar, search.calendarId) = (_calendar, measuring.calendar);
        (search.meter, search.eventDays) = (meter, eventDays);
        (search.day, search.today) = (day, dayWord(today.firstSlot, length, today.kind));
        search.wordIndex = type(uint256).max;
        search.event_ = Sought(offset, called.slots, length, changeHour);
        search.window = _window(measuring, called, today);
        // end of the last slot that is final: (slot + 1) x length + finalAfter <= noticeAt
        uint256 noticeAt = called.noticeAt;
        if (noticeAt >= measuring.finalAfter) search.finalSlot = (noticeAt - measuring.finalAfter) / _slotLength;
    }

    /// The window ends before the slot of the notice. Where a part of it is not of the event's day, there is none.
    function _window(Measuring calldata measuring, Called calldata called, IDayCalendar.Day memory today)
        private
        view
        returns (Sought memory window)
    {
        (window.length, window.changeHour) = (today.slots, 2 hours / _slotLength);
        if (!measuring.adjusted && measuring.method != MATCHED) return window;
        uint256 end = uint256(called.noticeAt) / _slotLength;
        uint256 beforeEnd = uint256(measuring.windowGap) + measuring.windowSlots;
        if (end < today.firstSlot + beforeEnd || end > uint256(today.firstSlot) + today.slots) return window;
        window.offset = end - beforeEnd - today.firstSlot;
        window.count = measuring.windowSlots;
    }

    // --------------------------------------------------------------------------------------------------------------- days

    /// Up to `most` days whose readings are whole, the newest first.
    function _daysBefore(Search memory search, uint256 most) private view returns (Days memory before) {
        before.profiles = new Profile[](most);
        DayWord[] memory days_ = new DayWord[](most);
        while (before.found < most) {
            uint256 wanted = _nextDays(search, days_, most - before.found);
            if (wanted == 0) break;
            _read(search, days_, wanted, before);
        }
    }

    /// The next days that are like the event's as far as the calendar knows. Zero: there are no more.
    function _nextDays(Search memory search, DayWord[] memory days_, uint256 most)
        private
        view
        returns (uint256 count)
    {
        uint256 kind = search.today.kind();
        while (count < most && search.back < MOST_BACK && search.back < search.day) {
            uint256 back = search.back++;
            if ((search.eventDays >> back) & 1 == 1) continue;
            DayWord day = _day(search, search.day - back - 1);
            if (day.kind() != kind) continue;
            uint256 first = search.event_.placedOn(day);
            if (first == 0 || first + search.event_.count > search.finalSlot) continue;
            if (search.window.count != 0) {
                first = search.window.placedOn(day);
                if (first == 0 || first + search.window.count > search.finalSlot) continue;
            }
            days_[count++] = day;
        }
    }

    function _day(Search memory search, uint256 day) private view returns (DayWord) {
        if (day >> 2 != search.wordIndex) {
            search.wordIndex = day >> 2;
            search.word = search.calendar.wordAt(search.calendarId, search.wordIndex);
        }
        return dayIn(search.word, day);
    }

    // ----------------------------------------------------------------------------------------------------------- readings

    function _profileOfToday(Search memory search) private view returns (Profile memory) {
        DayWord[] memory days_ = new DayWord[](1);
        days_[0] = search.today;
        (uint256 scaleWh, uint256[] memory words) = _words(search, days_, 1);
        (Profile memory today,) = _profile(search, search.today, scaleWh, words, 0);
        return today;
    }

    /// Adds the profiles of those days that have every reading.
    function _read(Search memory search, DayWord[] memory days_, uint256 count, Days memory before) private view {
        (uint256 scaleWh, uint256[] memory words) = _words(search, days_, count);
        uint256 place = 0;
        for (uint256 i = 0; i < count; ++i) {
            Profile memory profile;
            (profile, place) = _profile(search, days_[i], scaleWh, words, place);
            if (profile.missing == 0 && !profile.windowMissing) before.profiles[before.found++] = profile;
        }
    }

    /// The ledger's words for those days: of each those of the event, then those of the window.
    function _words(Search memory search, DayWord[] memory days_, uint256 count)
        private
        view
        returns (uint256 scaleWh, uint256[] memory words)
    {
        // of n slots lie in at most (n + 7) / 8 + 1 words
        uint256[] memory groups =
            new uint256[](count * ((search.event_.count + 7) / 8 + (search.window.count + 7) / 8 + 2));
        uint256 length = 0;
        for (uint256 i = 0; i < count; ++i) {
            length = _addGroups(groups, length, search.event_.placedOn(days_[i]), search.event_.count);
            length = _addGroups(groups, length, search.window.placedOn(days_[i]), search.window.count);
        }
        assembly ("memory-safe") {
            mstore(groups, length)
        }
        return _ledger.wordsOf(search.meter, groups);
    }

    function _addGroups(uint256[] memory groups, uint256 length, uint256 first, uint256 count)
        private
        pure
        returns (uint256)
    {
        if (count == 0) return length;
        for (uint256 group = first >> 3; group <= (first + count - 1) >> 3; ++group) {
            groups[length++] = group;
        }
        return length;
    }

    /// The profile of a day whose words begin at `place`, and the place behind them.
    function _profile(Search memory search, DayWord day, uint256 scaleWh, uint256[] memory words, uint256 place)
        private
        pure
        returns (Profile memory profile, uint256)
    {
        (profile.eventWh, profile.missing, place) =
            _net(words, place, search.event_.placedOn(day), search.event_.count, scaleWh);
        uint256 missing;
        (profile.windowWh, missing, place) = _net(words, place, search.window.placedOn(day), search.window.count, scaleWh);
        profile.windowMissing = missing != 0;
        return (profile, place);
    }

    /// Net import of `count` slots from `first` on, whose words begin at `place`.
    function _net(uint256[] memory words, uint256 place, uint256 first, uint256 count, uint256 scaleWh)
        private
        pure
        returns (int256[] memory netWh, uint256 missing, uint256)
    {
        netWh = new int256[](count);
        if (count == 0) return (netWh, 0, place);
        uint256 group = first >> 3;
        for (uint256 i = 0; i < count; ++i) {
            uint256 slot = first + i;
            uint256 lane = (words[place + (slot >> 3) - group] >> ((slot & 7) << 5)) & LANE;
            if (lane == 0) missing |= 1 << i;
            else netWh[i] = (int256((lane >> 15) & MAX_SCALED) - int256(lane & MAX_SCALED)) * int256(scaleWh);
        }
        return (netWh, missing, place + ((first + count - 1) >> 3) - group + 1);
    }
}
