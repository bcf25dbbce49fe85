// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { SignedCancel } from "../../../contracts/types/Cancel.sol";
import { Order } from "../../../contracts/types/Order.sol";
import { vm } from "../support/Vm.sol";
import { DeviceKey } from "../support/Street.sol";
import { AuctionGas } from "./AuctionGas.sol";
import { Home } from "./Feeder.sol";

/// A schedule of an account's meters over many slots, in words that an earlier turn of the ring has written: a schedule was
/// placed there 256 slots before, and taken back.
abstract contract ScheduleGas is AuctionGas {
    uint256 private _slots;

    function _prepare(uint256 meters, uint256 slots) internal {
        _slots = slots;
        _settleIn(1, false);
        for (uint256 i = 1; i < meters; ++i) {
            DeviceKey memory device = _secpDevice(20_000 + i);
            _enrol(device, homes[0].owner.addr);
            uint32 meter = _registerFor(_registration(device.id, homes[0].owner.addr), homes[0].owner);
            homes.push(Home(homes[0].owner, device, meter));
        }
        _deposit(homes[0].owner.addr, 1_000_000_000);
        Order[] memory lines = _lines(SLOT);
        auction.placeSchedule(homes[0].owner.addr, lines, _signedSchedule(homes[0].owner, lines));
        SignedCancel[] memory cancels = new SignedCancel[](lines.length);
        for (uint256 i = 0; i < cancels.length; ++i) {
            cancels[i] = _signedBy(homes[0].owner, _cancelAt(lines[i].slot(), homes[i % homes.length], 2));
        }
        auction.cancel(cancels);
        vm.warp(START + 256 * uint256(SLOT_LENGTH));
    }

    function _lineGas() internal returns (uint256) {
        Order[] memory lines = _lines(SLOT + 256);
        bytes memory signature = _signedSchedule(homes[0].owner, lines);
        bytes memory call = abi.encodeCall(auction.placeSchedule, (homes[0].owner.addr, lines, signature));
        return _transactionGas(call) / lines.length;
    }

    function _lines(uint32 slot) private view returns (Order[] memory lines) {
        lines = new Order[](homes.length * _slots);
        for (uint256 i = 0; i < lines.length; ++i) {
            lines[i] = _drawn(slot + uint32(i / homes.length), homes[i % homes.length], 1, i);
        }
    }
}

/// forge-config: default.isolate = true
contract MetersScheduleGasTest is ScheduleGas {
    function setUp() public override {
        super.setUp();
        _prepare(5, 20);
    }

    function test_placeSchedule__given_5_meters_over_20_slots__costs_at_most_30_000_a_line() external {
        _snap("a line of a schedule of 5 meters over 20 slots in reused words", _lineGas(), 30_000);
    }
}

/// forge-config: default.isolate = true
contract DayScheduleGasTest is ScheduleGas {
    function setUp() public override {
        super.setUp();
        _prepare(1, 96);
    }

    function test_placeSchedule__given_one_meter_over_a_day__costs_at_most_40_000_a_line() external {
        _snap("a line of a schedule of one meter over 96 slots in reused words", _lineGas(), 40_000);
    }
}
