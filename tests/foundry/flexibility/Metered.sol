// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { ResponseGauge } from "../../../contracts/ResponseGauge.sol";
import { IMeterLedger } from "../../../contracts/interfaces/IMeterLedger.sol";
import { Roles } from "../../../contracts/libraries/Roles.sol";
import { Called, Measuring, TEN_OF_TEN } from "../../../contracts/types/Measuring.sol";
import { SignedReading } from "../../../contracts/types/Reading.sol";
import { DeviceKey } from "../support/Street.sol";
import { vm } from "../support/Vm.sol";
import { Calendars } from "./Calendars.sol";

/// Sixty working days behind and one ahead, a meter that was there all along, and an event this evening: four slots from
/// 18:00 on, of which notice is given at 17:00.
abstract contract Metered is Calendars {
    uint16 internal constant SLOTS = 4;
    uint8 internal constant WINDOW = 8;
    uint32 internal constant FINAL_AFTER = 7 days;

    ResponseGauge internal gauge;
    DeviceKey internal device;
    uint32 internal meter;
    uint32 internal today; // its first slot
    uint32 internal evening; // first slot of the event

    function setUp() public virtual override {
        firstSlot = FIRST_SLOT;
        super.setUp();
        gauge = new ResponseGauge(calendars, ledger);
        _publish(0, _days(DAYS_BACK + 2, DAY, WORKING));
        today = firstSlot + DAYS_BACK * DAY;
        evening = today + 72;
        _grant(Roles.RECORDER, address(this));
        device = _secpDevice(1);
        _enrol(device, prosumer.addr);
        meter = _register(_registration(device.id, prosumer.addr));
        vm.warp(uint256(evening) * SLOT_LENGTH - 1 hours);
    }

    function _measuring(uint8 method) internal view returns (Measuring memory) {
        return Measuring(method, false, true, calendar, WINDOW, 0, FINAL_AFTER);
    }

    function _called() internal view returns (Called memory) {
        return Called(evening, SLOTS, uint40(block.timestamp));
    }

    /// The slot so many days back from the event's, at the same time as `slot` today.
    function _back(uint32 slot, uint32 days_) internal pure returns (uint32) {
        return slot - days_ * DAY;
    }

    function _record(uint32 slot, uint32 importWh, uint32 exportWh) internal {
        _recordVersion(slot, 1, importWh, exportWh);
    }

    function _recordVersion(uint32 slot, uint8 version, uint32 importWh, uint32 exportWh) internal {
        uint256 now_ = block.timestamp;
        uint256 end = (uint256(slot) + 1) * SLOT_LENGTH;
        if (now_ < end) vm.warp(end);
        SignedReading[] memory readings = new SignedReading[](1);
        readings[0] = _signed(device, _reading(meter, slot, version, importWh, exportWh));
        IMeterLedger.Recorded[] memory recorded = ledger.record(MARKET, slot, _asOf(slot), readings);
        assertEq(bytes32(recorded[0].reason), bytes32(0), "recorded");
        if (now_ < end) vm.warp(now_);
    }

    /// One day's slots of the event and of the window, each with the same import.
    function _recordDay(uint32 days_, uint32 eventWh, uint32 windowWh) internal {
        for (uint32 i = 0; i < SLOTS; ++i) {
            _record(_back(evening, days_) + i, eventWh, 0);
        }
        uint32 window = _back(evening - 4 - WINDOW, days_);
        for (uint32 i = 0; i < WINDOW; ++i) {
            _record(window + i, windowWh, 0);
        }
    }

    /// The ten days that were final at notice, counted from the newest: day i had 1,000 + i x 10 Wh a slot in the evening.
    function _recordTenDays() internal {
        for (uint32 i = 0; i < 10; ++i) {
            _recordDay(8 + i, 1_000 + i * 10, 500);
        }
    }

    function _baseline(uint8 method) internal view returns (bool found, int256[] memory baselineWh, uint16 ratioBps) {
        (found, baselineWh,,, ratioBps) = gauge.measure(_measuring(method), meter, _called(), 0);
    }

    function _tenOfTen() internal view returns (int256) {
        (bool found, int256[] memory baselineWh,) = _baseline(TEN_OF_TEN);
        return found ? baselineWh[0] : int256(-1);
    }
}
