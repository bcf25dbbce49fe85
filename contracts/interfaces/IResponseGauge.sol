// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { Called, Measuring } from "../types/Measuring.sol";

/// @title What a meter would have used, from the ledger's own readings
/// @notice The rules stand in docs/flexibility.md. Energy is net import, import less export, in Wh per slot. Nothing is stored here:
/// days are compared with that could not change any more when notice was given, so that whoever asks, and whenever, is
/// told the same.
interface IResponseGauge {
    /// @notice An event lies within one day of the calendar.
    error CalledAcrossDays(uint32 firstSlot, uint16 slots);
    error MethodUnknown(uint8 method);
    /// @notice An event has 1 to 128 slots.
    error SlotsOutOfRange(uint16 slots);

    /// @param eventDays bit k set: the day k + 1 before the event's was an event day of the meter and does not count
    /// @return hasBaseline false: too few days are like the event's; then nothing is paid or charged
    /// @return baselineWh per slot of the event, adjusted; of FIXED zeros, what was agreed the caller knows
    /// @return actualWh the same as recorded, 0 where it is missing
    /// @return missing bit i: slot i of the event has no reading
    /// @return ratioBps what the baseline was adjusted by, of 10,000
    function measure(Measuring calldata measuring, uint32 meter, Called calldata called, uint64 eventDays)
        external
        view
        returns (
            bool hasBaseline,
            int256[] memory baselineWh,
            int256[] memory actualWh,
            uint256 missing,
            uint16 ratioBps
        );

    /// @notice The day of the calendar that holds the slot: its index, its first slot and how many it has.
    function dayOf(uint32 calendar, uint32 slot) external view returns (uint32 day, uint32 firstSlot, uint16 slots);
}
