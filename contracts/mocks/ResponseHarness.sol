// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { ResponseMath } from "../libraries/ResponseMath.sol";
import { EventBook } from "../types/EventBook.sol";
import { LadderWord } from "../types/LadderWord.sol";
import { MeterCalls } from "../types/MeterCalls.sol";
import { ProgrammeTerms } from "../types/Programme.sol";

/// @title Dispatch and money of demand response laid open
/// @notice Compared with `gridweave.domain.flexibility`, many at a time.
contract ResponseHarness {
    using ResponseMath for EventBook;
    using ResponseMath for ProgrammeTerms;

    /// What each of some assets is to do, called in this order.
    function setpointsOf(LadderWord[8] memory ladder, uint256 targetW, uint8[] calldata ticks, uint32[] calldata powersW)
        external
        pure
        returns (uint256 margin, uint256 offeredW, uint256[] memory setpointsW)
    {
        EventBook memory book;
        offeredW = book.findMargin(ladder, targetW);
        margin = book.margin;
        setpointsW = new uint256[](ticks.length);
        for (uint256 i = 0; i < ticks.length; ++i) {
            setpointsW[i] = book.setpointOf(ticks[i], powersW[i]);
        }
    }

    /// What becomes of a meter by some acts: kind 32 | day 32 | firstSlot 32 | until 32. Kinds: 0 called, 1 opted out in time, 2
    /// settled. A call while it is busy changes nothing.
    /// @return words the meter's after each act
    /// @return eventDays as the gauge is given them, for the day of each act
    function callsAfter(uint256[] calldata acts)
        external
        pure
        returns (uint256[] memory words, uint64[] memory eventDays)
    {
        (words, eventDays) = (new uint256[](acts.length), new uint64[](acts.length));
        MeterCalls calls;
        for (uint256 i = 0; i < acts.length; ++i) {
            (uint256 kind, uint256 day) = (acts[i] >> 96, uint32(acts[i] >> 64));
            (uint256 first, uint256 until) = (uint32(acts[i] >> 32), uint32(acts[i]));
            if (kind == 0 && calls.busyUntil() <= first) calls = calls.calledFor(day, until);
            else if (kind == 1) calls = calls.optedOut(day, first, until);
            else if (kind == 2) calls = calls.settled();
            words[i] = MeterCalls.unwrap(calls);
            // nobody asks for a day after the last it was called for
            if (day <= uint32(words[i] >> 96)) eventDays[i] = calls.eventDaysBefore(day);
        }
    }

    /// What is due for each of some commitments under the same terms.
    function moneyOf(ProgrammeTerms memory terms, ResponseMath.Measured[] memory measured)
        external
        pure
        returns (uint256[] memory pay, uint256[] memory penalty)
    {
        pay = new uint256[](measured.length);
        penalty = new uint256[](measured.length);
        for (uint256 i = 0; i < measured.length; ++i) {
            (pay[i], penalty[i]) = terms.moneyOf(measured[i]);
        }
    }
}
