// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { Meter } from "../types/Meter.sol";
import { Reading, SignedReading } from "../types/Reading.sol";

/// @title Settlement-grade interval readings
/// @notice Import and export Wh per meter and slot, signed by the device, verified here, packed eight slots to a word.
/// Version 1 is the first reading, 2 and 3 are corrections; a version is stored only over a lower one.
interface IMeterLedger {
    /// What became of one reading. `reason` is zero if it was stored; else only `terms` is told besides.
    struct Recorded {
        bytes4 reason;
        Meter terms;
        uint8 previousVersion; // 0: none before
        uint32 previousImportWh;
        uint32 previousExportWh;
    }

    event ReadingRecorded(uint32 indexed meter, uint32 indexed slot, Reading reading);
    event ReadingRefused(uint32 indexed meter, uint32 indexed slot, uint8 version, bytes4 reason);

    error ReadingTooEarly(uint32 slot, uint256 endsAt);
    /// @notice Reasons for which one reading of a batch is refused; DeviceRegistry's reasons come through as well.
    error ReadingForOtherSlot();
    error ReadingVersionOutOfRange();
    error ReadingNotNewer();
    error ReadingAboveCapacity();
    error ReadingOffScale();
    error MeterUnknown();
    error MeterOfOtherMarket();
    /// @notice The slot began before the meter was registered, or lies outside its bounds: it is somebody else's to answer for.
    error MeterNotInForce();

    /// @notice Verifies and stores readings of one market and slot. Restricted to recorders, which settle them in the same
    /// transaction. Never reverts for one item. The first of two readings of one meter counts as stored for the second.
    /// @param asOf when each device must have been active, or when it became a meter, if that was later: the second before the gate, so
    /// that nobody who can no longer take back an order is suspended out of it
    function record(uint32 market, uint32 slot, uint40 asOf, SignedReading[] calldata readings)
        external
        returns (Recorded[] memory);

    function readingOf(uint32 meter, uint32 slot) external view returns (uint8 version, uint32 importWh, uint32 exportWh);
    /// @notice Many readings at once: words of eight slots, those of a group from 8 x group on, the first in the least significant
    /// bits, each as version 2 | import 15 | export 15 in units of `scaleWh`. Version 0: no reading.
    /// @param groups slot / 8
    function wordsOf(uint32 meter, uint256[] calldata groups)
        external
        view
        returns (uint256 scaleWh, uint256[] memory words);
    /// @notice The EIP-712 digest that a device signs.
    function digestOf(Reading reading) external view returns (bytes32);
    /// @notice Seconds per slot, one for the deployment.
    function slotLength() external view returns (uint32);
}
