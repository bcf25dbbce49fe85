// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IAccessManaged } from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";

import { MeterLedger } from "../../../contracts/MeterLedger.sol";
import { IDERRegistry } from "../../../contracts/interfaces/IDERRegistry.sol";
import { IDeviceRegistry } from "../../../contracts/interfaces/IDeviceRegistry.sol";
import { IMeterLedger } from "../../../contracts/interfaces/IMeterLedger.sol";
import { Roles } from "../../../contracts/libraries/Roles.sol";
import { Meter, MeterBinding } from "../../../contracts/types/Meter.sol";
import { Reading, SignedReading } from "../../../contracts/types/Reading.sol";
import { DeviceKey, Street } from "../support/Street.sol";
import { Signing } from "../support/Signing.sol";
import { vm } from "../support/Vm.sol";

contract RecordTest is Street {
    uint32 private constant SLOT = FIRST_SLOT + 3;
    uint256 private constant MAX_IMPORT = 5_000; // 20 kW for a quarter of an hour
    uint256 private constant MAX_EXPORT = 3_000; // 12 kW

    DeviceKey private _secp;
    DeviceKey private _p256;
    uint32 private _meter;
    uint32 private _meterP256;

    function setUp() public override {
        super.setUp();
        _grant(Roles.RECORDER, address(this));
        _secp = _secpDevice(1);
        _p256 = _p256Device(2);
        _enrol(_secp, prosumer.addr);
        _enrol(_p256, prosumer.addr);
        _meter = _register(_registration(_secp.id, prosumer.addr));
        _meterP256 = _register(_registration(_p256.id, prosumer.addr));
        _warpToEnd(SLOT);
    }

    // -------------------------------------------------------------------------------------------------------- whole calls

    function test_record__given_not_a_recorder__reverts() external {
        vm.prank(stranger.addr);
        vm.expectRevert(
            abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger.addr)
        );
        ledger.record(MARKET, SLOT, _asOf(SLOT), new SignedReading[](0));
    }

    function test_record__given_the_slot_has_not_ended__reverts() external {
        uint256 endsAt = (uint256(SLOT) + 1) * SLOT_LENGTH;
        vm.warp(endsAt - 1);
        vm.expectRevert(abi.encodeWithSelector(IMeterLedger.ReadingTooEarly.selector, SLOT, endsAt));
        ledger.record(MARKET, SLOT, _asOf(SLOT), new SignedReading[](0));
    }

    function test_record__given_no_readings__returns_none() external {
        assertEq(ledger.record(MARKET, SLOT, _asOf(SLOT), new SignedReading[](0)).length, 0, "no results");
    }

    // -------------------------------------------------------------------------------------------------------- one reading

    function test_record__given_another_slot__refuses() external {
        _assertRefused(_reading(_meter, SLOT - 1, 1, 1, 1), IMeterLedger.ReadingForOtherSlot.selector);
        _assertRefused(_reading(_meter, SLOT + 1, 1, 1, 1), IMeterLedger.ReadingForOtherSlot.selector);
    }

    function test_record__given_an_unknown_meter__refuses() external {
        _assertRefused(_reading(99, SLOT, 1, 1, 1), IMeterLedger.MeterUnknown.selector);
        _assertRefused(_reading(0, SLOT, 1, 1, 1), IMeterLedger.MeterUnknown.selector);
    }

    function test_record__given_another_market__refuses() external {
        SignedReading memory signed = _signed(_secp, _reading(_meter, SLOT, 1, 1, 1));
        IMeterLedger.Recorded memory result = ledger.record(MARKET + 1, SLOT, _asOf(SLOT), _list(signed))[0];
        assertReason(result.reason, IMeterLedger.MeterOfOtherMarket.selector, "of another market");
    }

    function test_record__given_the_meter_is_not_in_force__refuses() external {
        _mockBinding(SLOT + 1, 0);
        _assertRefused(_reading(_meter, SLOT, 1, 1, 1), IMeterLedger.MeterNotInForce.selector);
        _mockBinding(0, SLOT);
        _assertRefused(_reading(_meter, SLOT, 1, 1, 1), IMeterLedger.MeterNotInForce.selector);
    }

    function test_record__given_the_meter_is_just_in_force__stores() external {
        _mockBinding(SLOT, SLOT + 1);
        _assertStored(_signed(_secp, _reading(_meter, SLOT, 1, 1, 1)));
        vm.clearMockedCalls();
        _assertKept(_meter, SLOT, 1, 1, 1);
    }

    function test_record__given_a_slot_that_began_before_the_meter_was_registered__refuses() external {
        DeviceKey memory device = _secpDevice(50);
        vm.warp(START);
        _enrol(device, prosumer.addr);
        vm.warp(uint256(SLOT) * SLOT_LENGTH + 1);
        uint32 late = _register(_registration(device.id, prosumer.addr));
        _warpToEnd(SLOT);
        _assertRefusedBy(device, _reading(late, SLOT, 1, 1, 1), IMeterLedger.MeterNotInForce.selector);
    }

    function test_record__given_a_meter_registered_as_the_slot_began__stores() external {
        vm.warp(uint256(SLOT) * SLOT_LENGTH);
        DeviceKey memory device = _secpDevice(50);
        _enrol(device, prosumer.addr);
        uint32 meter = _register(_registration(device.id, prosumer.addr));
        _warpToEnd(SLOT);
        _assertStored(_signed(device, _reading(meter, SLOT, 1, 1, 1)));
    }

    function test_record__given_version_0__refuses() external {
        _assertRefused(_reading(_meter, SLOT, 0, 1, 1), IMeterLedger.ReadingVersionOutOfRange.selector);
    }

    function test_record__given_a_version_above_3__refuses(uint8 version) external {
        version = uint8(_bound(version, 4, 255));
        _assertRefused(_reading(_meter, SLOT, version, 1, 1), IMeterLedger.ReadingVersionOutOfRange.selector);
    }

    function test_record__given_more_than_the_capacity__refuses() external {
        uint32 import_ = uint32(MAX_IMPORT);
        uint32 export_ = uint32(MAX_EXPORT);
        _assertRefused(_reading(_meter, SLOT, 1, import_ + 1, 0), IMeterLedger.ReadingAboveCapacity.selector);
        _assertRefused(_reading(_meter, SLOT, 1, 0, export_ + 1), IMeterLedger.ReadingAboveCapacity.selector);
        _assertRefused(_reading(_meter, SLOT, 1, type(uint32).max, 0), IMeterLedger.ReadingAboveCapacity.selector);
        _assertStored(_signed(_secp, _reading(_meter, SLOT, 1, import_, export_)));
    }

    function test_record__given_a_value_off_the_scale__refuses() external {
        (DeviceKey memory device, uint32 meter) = _scaled(100);
        _assertRefusedBy(device, _reading(meter, SLOT, 1, 150, 0), IMeterLedger.ReadingOffScale.selector);
        _assertRefusedBy(device, _reading(meter, SLOT, 1, 0, 1), IMeterLedger.ReadingOffScale.selector);
        _assertStored(_signed(device, _reading(meter, SLOT, 1, 200, 100)));
        _assertKept(meter, SLOT, 1, 200, 100);
    }

    function test_record__given_a_value_beyond_15_bits__refuses() external {
        (DeviceKey memory device, uint32 meter) = _scaled(10);
        _assertRefusedBy(device, _reading(meter, SLOT, 1, 327_680, 0), IMeterLedger.ReadingOffScale.selector);
        _assertRefusedBy(device, _reading(meter, SLOT, 1, 0, 327_680), IMeterLedger.ReadingOffScale.selector);
        _assertStored(_signed(device, _reading(meter, SLOT, 1, 327_670, 327_670)));
        _assertKept(meter, SLOT, 1, 327_670, 327_670);

        (device, meter) = _scaled(1);
        _assertRefusedBy(device, _reading(meter, SLOT, 1, 32_768, 0), IMeterLedger.ReadingOffScale.selector);
        _assertStored(_signed(device, _reading(meter, SLOT, 1, 32_767, 32_767)));
    }

    // ------------------------------------------------------------------------------------------------------------ device

    function test_record__given_another_devices_signature__refuses() external {
        Reading reading = _reading(_meter, SLOT, 1, 1, 1);
        _assertRefusedBy(_secpDevice(7), reading, IDeviceRegistry.DeviceSignatureInvalid.selector);
        _assertRefusedBy(_p256, reading, IDeviceRegistry.DeviceSignatureInvalid.selector);
    }

    function test_record__given_a_changed_reading__refuses() external {
        SignedReading memory signed = _signed(_secp, _reading(_meter, SLOT, 1, 10, 1));
        signed.reading = _reading(_meter, SLOT, 1, 11, 1);
        _assertRefused(signed, IDeviceRegistry.DeviceSignatureInvalid.selector);
        signed.reading = _reading(_meter, SLOT, 2, 10, 1);
        _assertRefused(signed, IDeviceRegistry.DeviceSignatureInvalid.selector);
    }

    function test_record__given_another_meters_reading__refuses() external {
        SignedReading memory signed = _signed(_secp, _reading(_meter, SLOT, 1, 10, 1));
        signed.reading = _reading(_meterP256, SLOT, 1, 10, 1);
        _assertRefused(signed, IDeviceRegistry.DeviceSignatureInvalid.selector);
    }

    function test_record__given_another_chain__refuses() external {
        SignedReading memory signed = _signed(_secp, _reading(_meter, SLOT, 1, 10, 1));
        vm.chainId(block.chainid + 1);
        _assertRefused(signed, IDeviceRegistry.DeviceSignatureInvalid.selector);
    }

    function test_record__given_a_mirrored_p256_signature__refuses() external {
        SignedReading memory signed = _signed(_p256, _reading(_meterP256, SLOT, 1, 10, 1));
        signed.s = Signing.mirroredP256(signed.s);
        _assertRefused(signed, IDeviceRegistry.DeviceSignatureInvalid.selector);
    }

    function test_record__given_the_wrong_parity__refuses() external {
        SignedReading memory signed = _signed(_secp, _reading(_meter, SLOT, 1, 10, 1));
        signed.s = bytes32(uint256(signed.s) ^ (1 << 255));
        _assertRefused(signed, IDeviceRegistry.DeviceSignatureInvalid.selector);
    }

    function test_record__given_no_signature__refuses() external {
        _assertRefused(
            SignedReading(_reading(_meter, SLOT, 1, 10, 1), 0, 0), IDeviceRegistry.DeviceSignatureInvalid.selector
        );
        _assertRefused(
            SignedReading(_reading(_meterP256, SLOT, 1, 10, 1), 0, 0), IDeviceRegistry.DeviceSignatureInvalid.selector
        );
    }

    function test_record__given_a_device_suspended_before_the_slot__refuses() external {
        vm.warp(uint256(SLOT) * SLOT_LENGTH);
        _setStatus(_secp.id, IDeviceRegistry.Status.Suspended, operator);
        _warpToEnd(SLOT);
        _assertRefused(_reading(_meter, SLOT, 1, 1, 1), IDeviceRegistry.DeviceSuspended.selector);
    }

    function test_record__given_a_device_revoked_before_the_slot__refuses() external {
        vm.warp(uint256(SLOT) * SLOT_LENGTH);
        _setStatus(_secp.id, IDeviceRegistry.Status.Revoked, operator);
        _warpToEnd(SLOT);
        _assertRefused(_reading(_meter, SLOT, 1, 1, 1), IDeviceRegistry.DeviceRevoked.selector);
    }

    /// No operator can suspend a seller into a shortfall:
    ///
    ///     | SLOT          | SLOT + 1
    ///     ^ active   ^ suspended      -> SLOT still counts, SLOT + 1 does not
    function test_record__given_a_device_suspended_within_the_slot__stores() external {
        vm.warp(uint256(SLOT) * SLOT_LENGTH + 1);
        _setStatus(_secp.id, IDeviceRegistry.Status.Suspended, operator);
        _warpToEnd(SLOT);
        _assertStored(_signed(_secp, _reading(_meter, SLOT, 1, 1, 1)));

        _warpToEnd(SLOT + 1);
        SignedReading memory next = _signed(_secp, _reading(_meter, SLOT + 1, 1, 1, 1));
        bytes4 reason = ledger.record(MARKET, SLOT + 1, _asOf(SLOT + 1), _list(next))[0].reason;
        assertReason(reason, IDeviceRegistry.DeviceSuspended.selector, "suspended from the next slot on");
    }

    // ---------------------------------------------------------------------------------------------------------- versions

    function test_record__given_the_same_again__refuses() external {
        SignedReading memory signed = _signed(_secp, _reading(_meter, SLOT, 1, 10, 5));
        _assertStored(signed);
        _assertRefused(signed, IMeterLedger.ReadingNotNewer.selector);
    }

    function test_record__given_an_older_version__refuses() external {
        _assertStored(_signed(_secp, _reading(_meter, SLOT, 3, 10, 5)));
        for (uint8 version = 1; version <= 3; ++version) {
            _assertRefused(_reading(_meter, SLOT, version, 9, 9), IMeterLedger.ReadingNotNewer.selector);
        }
        _assertKept(_meter, SLOT, 3, 10, 5);
    }

    function test_record__given_a_newer_version__stores_it_and_tells_the_one_before() external {
        _assertStored(_signed(_secp, _reading(_meter, SLOT, 1, 10, 5)));
        IMeterLedger.Recorded memory result =
            ledger.record(MARKET, SLOT, _asOf(SLOT), _list(_signed(_secp, _reading(_meter, SLOT, 3, 7, 0))))[0];
        assertReason(result.reason, 0, "stored");
        assertEq(result.previousVersion, 1, "previousVersion");
        assertEq(result.previousImportWh, 10, "previousImportWh");
        assertEq(result.previousExportWh, 5, "previousExportWh");
        _assertKept(_meter, SLOT, 3, 7, 0);
    }

    function test_record__given_one_meter_twice__takes_them_in_turn() external {
        SignedReading[] memory readings = new SignedReading[](4);
        readings[0] = _signed(_secp, _reading(_meter, SLOT, 1, 10, 5));
        readings[1] = _signed(_secp, _reading(_meter, SLOT, 1, 11, 6));
        readings[2] = _signed(_secp, _reading(_meter, SLOT, 2, 12, 7));
        readings[3] = readings[0];
        IMeterLedger.Recorded[] memory results = ledger.record(MARKET, SLOT, _asOf(SLOT), readings);

        assertReason(results[0].reason, 0, "the first is stored");
        assertReason(results[1].reason, IMeterLedger.ReadingNotNewer.selector, "the same version is not");
        assertReason(results[2].reason, 0, "the newer is stored");
        assertEq(results[2].previousVersion, 1, "over the first");
        assertEq(results[2].previousImportWh, 10, "with its import");
        assertReason(results[3].reason, IMeterLedger.ReadingNotNewer.selector, "the first again is not");
        _assertKept(_meter, SLOT, 2, 12, 7);
    }

    // ------------------------------------------------------------------------------------------------------------ stored

    function test_record__given_good_and_bad__stores_the_good_and_says_why_not() external {
        SignedReading[] memory readings = new SignedReading[](3);
        readings[0] = _signed(_p256, _reading(_meterP256, SLOT, 1, 20, 2));
        readings[1] = _signed(_secp, _reading(_meterP256, SLOT, 2, 21, 2));
        readings[2] = _signed(_secp, _reading(_meter, SLOT, 2, 30, 3));

        vm.expectEmit(address(ledger));
        emit IMeterLedger.ReadingRecorded(_meterP256, SLOT, readings[0].reading);
        vm.expectEmit(address(ledger));
        emit IMeterLedger.ReadingRefused(_meterP256, SLOT, 2, IDeviceRegistry.DeviceSignatureInvalid.selector);
        vm.expectEmit(address(ledger));
        emit IMeterLedger.ReadingRecorded(_meter, SLOT, readings[2].reading);
        IMeterLedger.Recorded[] memory results = ledger.record(MARKET, SLOT, _asOf(SLOT), readings);

        assertEq(results.length, 3, "a result each");
        assertReason(results[0].reason, 0, "P-256");
        assertReason(results[1].reason, IDeviceRegistry.DeviceSignatureInvalid.selector, "another's key");
        assertReason(results[2].reason, 0, "secp256k1");
        for (uint256 i = 0; i < 3; ++i) {
            assertEq(results[i].terms.account(), prosumer.addr, "terms come with each");
            assertEq(results[i].previousVersion, 0, "nothing before");
            assertEq(uint256(results[i].previousImportWh) + results[i].previousExportWh, 0, "no energy before");
        }
        _assertKept(_meterP256, SLOT, 1, 20, 2);
        _assertKept(_meter, SLOT, 2, 30, 3);
    }

    function test_record__given_unsigned_bits_in_the_word__logs_it_without_them() external {
        SignedReading memory signed = _signed(_secp, _reading(_meter, SLOT, 1, 10, 5));
        Reading clean = signed.reading;
        signed.reading = Reading.wrap(Reading.unwrap(clean) | bytes32(uint256(type(uint120).max)));
        vm.expectEmit(address(ledger));
        emit IMeterLedger.ReadingRecorded(_meter, SLOT, clean);
        _assertStored(signed);
    }

    function test_record__given_eight_slots_of_a_word__keeps_each() external {
        uint32 first = SLOT & ~uint32(7);
        for (uint32 i = 0; i < 9; ++i) {
            uint32 slot = first + 8 + i;
            _warpToEnd(slot);
            SignedReading memory signed = _signed(_secp, _reading(_meter, slot, uint8(1 + i % 3), 100 + i, 200 + i));
            assertReason(ledger.record(MARKET, slot, _asOf(slot), _list(signed))[0].reason, 0, "stored");
        }
        for (uint32 i = 0; i < 9; ++i) {
            _assertKept(_meter, first + 8 + i, uint8(1 + i % 3), 100 + i, 200 + i);
        }
        _assertKept(_meter, first + 7, 0, 0, 0);
    }

    function test_record__given_any_reading_within_bounds__keeps_it(uint256 seed, uint8 version, bool p256) external {
        uint32 import_ = uint32(_bound(seed, 0, MAX_IMPORT));
        uint32 export_ = uint32(_bound(seed >> 128, 0, MAX_EXPORT));
        version = uint8(_bound(version, 1, 3));
        uint32 meter = p256 ? _meterP256 : _meter;
        _assertStored(_signed(p256 ? _p256 : _secp, _reading(meter, SLOT, version, import_, export_)));
        _assertKept(meter, SLOT, version, import_, export_);
    }

    function test_digestOf__given_any_reading__equals_eip712(uint256 word) external view {
        Reading reading = Reading.wrap(bytes32(word));
        assertEq(ledger.digestOf(reading), _readingDigest(reading), "digest == EIP-712");
    }

    function test_readingOf__given_nothing_stored__is_zero() external view {
        _assertKept(_meter, SLOT, 0, 0, 0);
        _assertKept(99, SLOT, 0, 0, 0);
    }

    // ----------------------------------------------------------------------------------------------------------- helpers

    function _warpToEnd(uint32 slot) private {
        vm.warp((uint256(slot) + 1) * SLOT_LENGTH);
    }

    function _list(SignedReading memory signed) private pure returns (SignedReading[] memory readings) {
        readings = new SignedReading[](1);
        readings[0] = signed;
    }

    /// A device and a meter of great capacity in that scale.
    function _scaled(uint8 scale) private returns (DeviceKey memory device, uint32 meter) {
        vm.warp(START);
        device = _secpDevice(100 + scale);
        _enrol(device, prosumer.addr);
        IDERRegistry.MeterRegistration memory registration = _registration(device.id, prosumer.addr);
        registration.importCapacityW = type(uint24).max;
        registration.exportCapacityW = type(uint24).max;
        registration.scaleWh = scale;
        meter = _register(registration);
        _warpToEnd(SLOT);
    }

    /// As if the DERRegistry had bounded the meter in time.
    function _mockBinding(uint32 from, uint32 until) private {
        uint32[] memory ids = new uint32[](1);
        ids[0] = _meter;
        vm.clearMockedCalls();
        (Meter[] memory meters, MeterBinding[] memory bindings) = ders.meteringOf(ids);
        meters[0] = Meter.wrap(Meter.unwrap(meters[0]) | (1 << 12));
        bindings[0] = MeterBinding.wrap(
            MeterBinding.unwrap(bindings[0]) | (uint256(from) << 64) | (uint256(until) << 32)
        );
        vm.mockCall(address(ders), abi.encodeCall(ders.meteringOf, (ids)), abi.encode(meters, bindings));
    }

    function _assertStored(SignedReading memory signed) private {
        assertReason(ledger.record(MARKET, SLOT, _asOf(SLOT), _list(signed))[0].reason, 0, "stored");
    }

    function _assertRefused(Reading reading, bytes4 reason) private {
        _assertRefusedBy(_secp, reading, reason);
    }

    function _assertRefusedBy(DeviceKey memory device, Reading reading, bytes4 reason) private {
        _assertRefused(_signed(device, reading), reason);
    }

    /// Refused for `reason`, said in the event and in the result, and nothing is changed.
    function _assertRefused(SignedReading memory signed, bytes4 reason) private {
        Reading reading = signed.reading;
        (uint8 version, uint32 importWh, uint32 exportWh) = ledger.readingOf(reading.meter(), reading.slot());
        vm.expectEmit(address(ledger));
        emit IMeterLedger.ReadingRefused(reading.meter(), reading.slot(), reading.version(), reason);
        IMeterLedger.Recorded memory result = ledger.record(MARKET, SLOT, _asOf(SLOT), _list(signed))[0];

        assertReason(result.reason, reason, "the reason");
        assertEq(result.previousVersion, 0, "no previous version is told");
        _assertKept(reading.meter(), reading.slot(), version, importWh, exportWh);
    }

    function _assertKept(uint32 meter, uint32 slot, uint8 version, uint32 importWh, uint32 exportWh) private view {
        (uint8 version_, uint32 importWh_, uint32 exportWh_) = ledger.readingOf(meter, slot);
        assertEq(version_, version, "version");
        assertEq(importWh_, importWh, "importWh");
        assertEq(exportWh_, exportWh, "exportWh");
    }
}
