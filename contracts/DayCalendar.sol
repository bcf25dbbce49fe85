// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { AccessManaged } from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import { IDayCalendar } from "./interfaces/IDayCalendar.sol";
import { SignedActs } from "./libraries/SignedActs.sol";
import { Act } from "./types/Act.sol";
import { DayWord, dayIn, dayWord } from "./types/DayWord.sol";

/// @title DayCalendar
/// @notice See IDayCalendar. Four days to a word.
contract DayCalendar is IDayCalendar, SignedActs {
    using SafeCast for uint256;

    struct Calendar {
        // slot 0
        address publisher; // zero: there is no such calendar
        uint32 firstSlot;
        uint32 nextSlot; // in which the next day begins
        uint32 count; // of days
        // slot 1
        uint32 firstDate;
        // slot 2
        mapping(uint256 word => uint256 fourDays) words;
    }

    bytes32 private constant CALENDAR_OPENING_TYPEHASH = keccak256(
        "CalendarOpening(string timeZone,uint32 firstDate,uint32 firstSlot,uint256 nonce,uint256 deadline)"
    );
    bytes32 private constant DAY_PUBLICATION_TYPEHASH =
        keccak256("DayPublication(uint32 calendar,uint32 firstDay,bytes days_,uint256 nonce,uint256 deadline)");

    uint256 private constant MAX_DAYS = 366;
    uint256 private constant BYTES_PER_DAY = 3;
    uint256 private constant HOUR = 1 hours;

    uint32 private immutable _slotLength;

    uint32 private _count;
    // slither-disable-next-line uninitialized-state
    mapping(uint256 calendar => Calendar) private _calendars;

    constructor(address authority, uint32 slotLength_)
        EIP712("Gridweave DayCalendar", "1")
        AccessManaged(authority)
    {
        if (slotLength_ == 0 || (24 * HOUR) % slotLength_ != 0) revert SlotLengthUnfit(slotLength_);
        _slotLength = slotLength_;
    }

    // ------------------------------------------------------------------------------------------------------------ publish

    /// @inheritdoc IDayCalendar
    function openCalendar(string calldata timeZone, uint32 firstDate, uint32 firstSlot, Act calldata operator)
        external
        returns (uint32 calendar)
    {
        if (bytes(timeZone).length == 0) revert TimeZoneMissing();
        _consume(
            operator,
            keccak256(
                abi.encode(
                    CALENDAR_OPENING_TYPEHASH,
                    keccak256(bytes(timeZone)),
                    firstDate,
                    firstSlot,
                    operator.nonce,
                    operator.deadline
                )
            )
        );
        _requireRole(operator.signer);

        calendar = ++_count;
        Calendar storage opened = _calendars[calendar];
        (opened.publisher, opened.firstDate) = (operator.signer, firstDate);
        (opened.firstSlot, opened.nextSlot) = (firstSlot, firstSlot);
        emit CalendarOpened(calendar, operator.signer, timeZone, firstDate, firstSlot);
    }

    /// @inheritdoc IDayCalendar
    function publishDays(uint32 calendar, uint32 firstDay, bytes calldata days_, Act calldata operator) external {
        Calendar storage extended = _calendar(calendar);
        if (operator.signer != extended.publisher) revert SignerNotAllowed(operator.signer);
        _consume(
            operator,
            keccak256(
                abi.encode(
                    DAY_PUBLICATION_TYPEHASH,
                    calendar,
                    firstDay,
                    keccak256(days_),
                    operator.nonce,
                    operator.deadline
                )
            )
        );
        _requireRole(operator.signer);
        if (firstDay != extended.count) revert DayNotNext(firstDay, extended.count);
        uint256 count = days_.length / BYTES_PER_DAY;
        if (count == 0 || count > MAX_DAYS || days_.length % BYTES_PER_DAY != 0) revert DaysMalformed(days_.length);
        uint256 beginsAt = uint256(extended.nextSlot) * _slotLength;
        if (firstDay != 0 && beginsAt <= block.timestamp) revert DayHasBegun(firstDay, beginsAt);

        emit DaysPublished(calendar, firstDay, extended.nextSlot, days_);
        extended.nextSlot = _append(extended, firstDay, days_).toUint32();
        extended.count = (firstDay + count).toUint32();
    }

    /// Writes each word once. Returns in which slot the day after the last one begins.
    function _append(Calendar storage extended, uint256 day, bytes calldata days_) private returns (uint256 slot) {
        slot = extended.nextSlot;
        uint256 word = extended.words[day >> 2];
        for (uint256 i = 0; i < days_.length; i += BYTES_PER_DAY) {
            uint16 slots = uint16(bytes2(days_[i:i + 2]));
            uint8 kind = uint8(days_[i + 2]);
            uint256 hours_ = uint256(slots) * _slotLength;
            if (kind == 0 || (hours_ != 23 * HOUR && hours_ != 24 * HOUR && hours_ != 25 * HOUR)) {
                revert DayMalformed(uint32(day), slots, kind);
            }
            word |= DayWord.unwrap(dayWord(slot, slots, kind)) << ((day & 3) << 6);
            slot += slots;
            ++day;
            if (day & 3 == 0) {
                extended.words[(day >> 2) - 1] = word;
                word = 0;
            }
        }
        if (word != 0) extended.words[day >> 2] = word;
    }

    function _calendar(uint32 calendar) private view returns (Calendar storage found) {
        found = _calendars[calendar];
        if (found.publisher == address(0)) revert CalendarUnknown(calendar);
    }

    // ------------------------------------------------------------------------------------------------------------ getters

    /// @inheritdoc IDayCalendar
    function calendarCount() external view returns (uint32) {
        return _count;
    }

    /// @inheritdoc IDayCalendar
    function calendarOf(uint32 calendar) external view returns (address, uint32, uint32, uint32) {
        Calendar storage found = _calendar(calendar);
        return (found.publisher, found.firstDate, found.firstSlot, found.count);
    }

    /// @inheritdoc IDayCalendar
    function dayAt(uint32 calendar, uint32 day) external view returns (Day memory) {
        DayWord found = dayIn(_calendar(calendar).words[day >> 2], day);
        if (!found.isPublished()) revert DayNotPublished(calendar, day);
        return _asStruct(found);
    }

    /// @inheritdoc IDayCalendar
    /// @dev Days of 23 and 25 hours shift later ones by an hour at most, once they have evened out: a guess by 24 hours is off by
    /// one day at most in real zones, and whatever was published it ends.
    function dayOfSlot(uint32 calendar, uint32 slot) external view returns (uint32 index, Day memory) {
        Calendar storage found = _calendar(calendar);
        if (slot < found.firstSlot || slot >= found.nextSlot) revert SlotOutsideCalendar(calendar, slot);
        uint256 day = (slot - found.firstSlot) / (24 * HOUR / _slotLength);
        if (day >= found.count) day = found.count - 1;
        DayWord held = dayIn(found.words[day >> 2], day);
        while (slot < held.firstSlot()) {
            --day;
            held = dayIn(found.words[day >> 2], day);
        }
        while (slot >= held.firstSlot() + held.slots()) {
            ++day;
            held = dayIn(found.words[day >> 2], day);
        }
        return (uint32(day), _asStruct(held));
    }

    /// @inheritdoc IDayCalendar
    function wordAt(uint32 calendar, uint256 word) external view returns (uint256) {
        return _calendars[calendar].words[word];
    }

    /// @inheritdoc IDayCalendar
    function slotLength() external view returns (uint32) {
        return _slotLength;
    }

    function _asStruct(DayWord day) private pure returns (Day memory) {
        return Day(uint32(day.firstSlot()), uint16(day.slots()), uint8(day.kind()));
    }
}
