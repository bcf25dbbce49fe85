// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { AccessManaged } from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import { IDERRegistry } from "./interfaces/IDERRegistry.sol";
import { IDeviceRegistry } from "./interfaces/IDeviceRegistry.sol";
import { IMeterLedger } from "./interfaces/IMeterLedger.sol";
import { ReadingDigest } from "./libraries/ReadingDigest.sol";
import { Words } from "./libraries/Words.sol";
import { Meter, MeterBinding } from "./types/Meter.sol";
import { Reading, SignedReading } from "./types/Reading.sol";

/// @title MeterLedger
/// @notice See IMeterLedger. A word holds eight slots of one meter, slot & 7 counted from the least significant bits, each as
/// version 2 | import 15 | export 15 in the meter's scale.
contract MeterLedger is IMeterLedger, EIP712, AccessManaged {
    uint256 private constant MAX_VERSION = 3;
    uint256 private constant MAX_SCALED = type(uint16).max >> 1;

    // Recorded[] as the caller reads it: offset and length, then five words each.
    uint256 private constant HEAD = 0x40;
    uint256 private constant TERMS = 0x20;
    uint256 private constant PREVIOUS_VERSION = 0x40;
    uint256 private constant PREVIOUS_IMPORT = 0x60;
    uint256 private constant PREVIOUS_EXPORT = 0x80;
    uint256 private constant RESULT_WORDS = 5;
    uint256 private constant RESULT_SIZE = 0xa0;
    uint256 private constant CHECK_WORDS = 5;
    uint256 private constant CHECK_SIZE = 0xa0;

    IDERRegistry private immutable _ders;
    IDeviceRegistry private immutable _devices;
    uint32 private immutable _slotLength;

    mapping(uint256 meterAndGroup => uint256 eightReadings) private _words;

    constructor(address authority, IDERRegistry ders, IDeviceRegistry devices)
        EIP712("Gridweave MeterLedger", "1")
        AccessManaged(authority)
    {
        _ders = ders;
        _devices = devices;
        _slotLength = ders.slotLength();
    }

    // ------------------------------------------------------------------------------------------------------------ record

    /// @inheritdoc IMeterLedger
    /// @dev Each list is laid out in memory once, as its reader wants it: the ids for the DERRegistry, the checks for the
    /// DeviceRegistry, the results for the caller.
    function record(uint32 market, uint32 slot, uint40 asOf, SignedReading[] calldata readings)
        external
        restricted
        returns (Recorded[] memory)
    {
        uint256 startsAt = uint256(slot) * _slotLength;
        if (block.timestamp < startsAt + _slotLength) revert ReadingTooEarly(slot, startsAt + _slotLength);

        uint256 results = _newList(RESULT_WORDS, readings.length);
        uint256 checks = _newList(CHECK_WORDS, readings.length);
        _examine(market, slot, asOf, readings, results + HEAD, checks + HEAD);
        _storeAll(slot, readings, results + HEAD, _judge(checks, readings.length));
        Words.finish(results, 2 + readings.length * RESULT_WORDS);
    }

    /// A list as the ABI wants it, with a word to spare in front for a selector: offset, length, then the items.
    function _newList(uint256 wordsPerItem, uint256 length) private pure returns (uint256 list) {
        list = Words.allocate(3 + length * wordsPerItem) + 0x20;
        Words.store(list, 0x20);
        Words.store(list + 0x20, length);
    }

    /// What can be said of each reading without its signature, and what there is to ask of the devices.
    function _examine(
        uint32 market,
        uint32 slot,
        uint256 asOf,
        SignedReading[] calldata readings,
        uint256 result,
        uint256 check
    ) private view {
        (uint256 meters, uint256 bindings) = _meteringOf(readings);
        bytes32 domain = _domainSeparatorV4();
        // Addresses in memory that was allocated, and a time.
        unchecked {
            for (uint256 i = 0; i < readings.length; ++i) {
                SignedReading calldata item = readings[i];
                uint256 meter = Words.load(meters);
                uint256 binding = Words.load(bindings);
                bytes4 reason = _fault(market, slot, item.reading, Meter.wrap(meter), MeterBinding.wrap(binding));
                Words.store(result, uint256(bytes32(reason)));
                Words.store(result + TERMS, meter);
                Words.store(check, binding >> 96);
                uint256 meteredAt = MeterBinding.wrap(binding).registeredAt();
                Words.store(check + 0x20, meteredAt > asOf ? meteredAt : asOf);
                Words.store(check + 0x40, uint256(ReadingDigest.digest(item.reading, domain)));
                Words.store(check + 0x60, uint256(item.r));
                Words.store(check + 0x80, uint256(item.s));
                meters += 0x20;
                bindings += 0x20;
                result += RESULT_SIZE;
                check += CHECK_SIZE;
            }
        }
    }

    /// @return meters address of the first meter's word
    /// @return bindings address of the first meter's binding
    function _meteringOf(SignedReading[] calldata readings) private view returns (uint256 meters, uint256 bindings) {
        uint256 count = readings.length;
        uint256 ids = _newList(1, count);
        Words.store(ids - 0x20, uint32(IDERRegistry.meteringOf.selector));
        // Addresses in memory that was allocated.
        unchecked {
            uint256 id = ids + HEAD;
            for (uint256 i = 0; i < count; ++i) {
                Words.store(id, readings[i].reading.meter());
                id += 0x20;
            }
        }
        uint256 answer = Words.ask(address(_ders), ids - 0x04, 0x44 + 0x20 * count, 0x80 + 0x40 * count);
        // Behind the lengths of both lists.
        return (answer + Words.load(answer) + 0x20, answer + Words.load(answer + 0x20) + 0x20);
    }

    /// What the devices' registry says of each signature, be the reading refused already or not.
    /// @return reasons address of the first reason
    function _judge(uint256 checks, uint256 count) private view returns (uint256 reasons) {
        Words.store(checks - 0x20, uint32(IDeviceRegistry.areAuthentic.selector));
        return Words.ask(address(_devices), checks - 0x04, 0x44 + CHECK_SIZE * count, HEAD + 0x20 * count) + HEAD;
    }

    function _fault(uint32 market, uint32 slot, Reading reading, Meter meter, MeterBinding binding)
        private
        view
        returns (bytes4)
    {
        if (reading.slot() != slot) return ReadingForOtherSlot.selector;
        if (Meter.unwrap(meter) == 0) return MeterUnknown.selector;
        if (meter.market() != market) return MeterOfOtherMarket.selector;
        unchecked {
            // of 32 bits each
            if (binding.registeredAt() > uint256(slot) * _slotLength) return MeterNotInForce.selector;
        }
        if (meter.isBounded() && !binding.isWithin(slot)) return MeterNotInForce.selector;
        uint256 version = reading.version();
        if (version == 0 || version > MAX_VERSION) return ReadingVersionOutOfRange.selector;

        uint256 importWh = reading.importWh();
        uint256 exportWh = reading.exportWh();
        // Both sides in watt seconds; 32 bits times 32 at most.
        unchecked {
            if (
                importWh * 3_600 > uint256(meter.importCapacityW()) * _slotLength
                    || exportWh * 3_600 > uint256(meter.exportCapacityW()) * _slotLength
            ) return ReadingAboveCapacity.selector;
        }
        return _isOff(importWh, exportWh, meter.scaleWh()) ? ReadingOffScale.selector : bytes4(0);
    }

    function _isOff(uint256 importWh, uint256 exportWh, uint256 scale) private pure returns (bool) {
        if (scale == 1) return importWh > MAX_SCALED || exportWh > MAX_SCALED;
        if (importWh % scale != 0 || exportWh % scale != 0) return true;
        return importWh / scale > MAX_SCALED || exportWh / scale > MAX_SCALED;
    }

    /// Stores what nobody refused, one after the other: a meter that stands twice in a batch meets its own first reading.
    function _storeAll(uint32 slot, SignedReading[] calldata readings, uint256 result, uint256 reasons) private {
        // Addresses in memory that was allocated.
        unchecked {
            for (uint256 i = 0; i < readings.length; ++i) {
                Reading reading = readings[i].reading;
                uint256 scale = Meter.wrap(Words.load(result + TERMS)).scaleWh();
                bytes32 reason = bytes32(Words.load(result));
                if (reason == 0) reason = bytes32(Words.load(reasons));
                uint256 previous = 0;
                if (reason == 0) (reason, previous) = _store(slot, reading, scale);
                if (reason != 0) {
                    emit ReadingRefused(reading.meter(), reading.slot(), reading.version(), bytes4(reason));
                }
                Words.store(result, uint256(reason));
                Words.store(result + PREVIOUS_VERSION, previous >> 30);
                Words.store(result + PREVIOUS_IMPORT, ((previous >> 15) & MAX_SCALED) * scale);
                Words.store(result + PREVIOUS_EXPORT, (previous & MAX_SCALED) * scale);
                reasons += 0x20;
                result += RESULT_SIZE;
            }
        }
    }

    /// @return reason zero if the reading is stored
    /// @return previous what was stored before it, unscaled
    function _store(uint32 slot, Reading reading, uint256 scale) private returns (bytes32 reason, uint256 previous) {
        uint32 meter = reading.meter();
        uint256 key = _key(meter, slot);
        uint256 shift = (slot & 7) << 5;
        uint256 word = _words[key];
        previous = (word >> shift) & type(uint32).max;
        uint256 version = reading.version();
        if (version <= previous >> 30) return (ReadingNotNewer.selector, 0);

        uint256 lane = (version << 30) | ((reading.importWh() / scale) << 15) | (reading.exportWh() / scale);
        _words[key] = word ^ ((previous ^ lane) << shift);
        emit ReadingRecorded(meter, slot, reading.canonical());
        return (0, previous);
    }

    function _key(uint32 meter, uint32 slot) private pure returns (uint256) {
        return (uint256(meter) << 32) | (slot >> 3);
    }

    // ----------------------------------------------------------------------------------------------------------- getters

    /// @inheritdoc IMeterLedger
    function readingOf(uint32 meter, uint32 slot)
        external
        view
        returns (uint8 version, uint32 importWh, uint32 exportWh)
    {
        uint256 lane = (_words[_key(meter, slot)] >> ((slot & 7) * 32)) & type(uint32).max;
        if (lane == 0) return (0, 0, 0);

        uint256 scale = _scaleOf(meter);
        // 15 bits times at most 100 fit 32 bits.
        return (uint8(lane >> 30), uint32(((lane >> 15) & MAX_SCALED) * scale), uint32((lane & MAX_SCALED) * scale));
    }

    /// @inheritdoc IMeterLedger
    function wordsOf(uint32 meter, uint256[] calldata groups) external view returns (uint256, uint256[] memory) {
        uint256 answer = Words.allocate(3 + groups.length);
        Words.store(answer, _scaleOf(meter));
        Words.store(answer + 0x20, 0x40);
        Words.store(answer + 0x40, groups.length);
        // Addresses in memory that was allocated.
        unchecked {
            for (uint256 i = 0; i < groups.length; ++i) {
                Words.store(answer + 0x60 + (i << 5), _words[(uint256(meter) << 32) | uint32(groups[i])]);
            }
        }
        Words.finish(answer, 3 + groups.length);
    }

    function _scaleOf(uint32 meter) private view returns (uint256) {
        uint32[] memory ids = new uint32[](1);
        ids[0] = meter;
        return _ders.metersOf(ids)[0].scaleWh();
    }

    /// @inheritdoc IMeterLedger
    function digestOf(Reading reading) external view returns (bytes32) {
        return ReadingDigest.digest(reading, _domainSeparatorV4());
    }

    /// @inheritdoc IMeterLedger
    function slotLength() external view returns (uint32) {
        return _slotLength;
    }
}
