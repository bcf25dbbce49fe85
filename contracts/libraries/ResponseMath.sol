// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { LANES, LadderWord } from "../types/LadderWord.sol";
import { ProgrammeTerms } from "../types/Programme.sol";
import { EventBook } from "../types/EventBook.sol";
import { EventHead } from "../types/EventHead.sol";

/// @title Who is dispatched, and what is due for it
library ResponseMath {
    uint256 internal constant WHOLE_BPS = 10_000;
    uint256 internal constant WORDS = 8;
    /// The margin above all ticks.
    uint8 internal constant NO_MARGIN = 64;

    /// One commitment's event, measured.
    struct Measured {
        bool hasBaseline;
        int256[] baselineWh; // net import per slot
        int256[] actualWh;
        uint256 missing; // bit i: slot i has no reading
        uint16 ratioBps;
        uint256 committedWh; // per slot
        uint256 price; // micro per kWh
        uint256 lateFrom; // 1 + first slot that counts as not delivered; 0: none
        uint256 feedIn; // micro per kWh; 0: the market credits nothing
        int256[] boughtWh; // on the market, net, per slot; empty without feedIn
    }

    /// Fills the margin of `book`: the first tick up to which the offers reach the target.
    /// @return offeredW all offers
    function findMargin(EventBook memory book, LadderWord[WORDS] memory ladder, uint256 targetW)
        internal
        pure
        returns (uint256 offeredW)
    {
        unchecked {
            // 64 lanes of 30 bits
            book.margin = NO_MARGIN;
            for (uint256 tick = 0; tick < WORDS * LANES; ++tick) {
                uint256 offer = ladder[tick >> 3].laneAt(tick & 7);
                uint256 below = offeredW;
                offeredW += offer;
                if (below < targetW && offeredW >= targetW) {
                    book.margin = uint8(tick);
                    book.sharedW = uint32(targetW - below);
                    book.longW = uint32(offer);
                }
            }
        }
    }

    /// At the margin the shares of all who come one after the other add up to what is shared.
    function setpointOf(EventBook memory book, uint256 tick, uint256 powerW) internal pure returns (uint256 setpointW) {
        if (tick != book.margin) return tick < book.margin ? powerW : 0;
        unchecked {
            // 32 bits each
            uint256 passedW = book.passedW;
            setpointW = book.sharedW * (passedW + powerW) / book.longW - book.sharedW * passedW / book.longW;
            book.passedW = uint32(passedW + powerW);
        }
    }

    /// What an event costs at most, in millionths, rounded up, so that no sum of what is rounded down exceeds it.
    function budgetOf(ProgrammeTerms memory terms, EventHead memory head, uint256 slotLength)
        internal
        pure
        returns (uint256)
    {
        unchecked {
            // 30 bits, 32, 7 and 41
            uint256 wattSeconds = uint256(head.targetW) * slotLength * head.slots;
            return (wattSeconds * terms.highestPrice() + 3_599_999) / 3_600_000;
        }
    }

    /// What a slot costs at most who delivers nothing, in millionths.
    function silenceCost(ProgrammeTerms memory terms, uint256 committedWh) internal pure returns (uint256) {
        unchecked {
            // energies of 32 bits at most, prices of 41, shares of 16
            // slither-disable-next-line divide-before-multiply
            return committedWh * terms.floorBps / WHOLE_BPS * terms.shortfallRate / 1_000;
        }
    }

    /// @return pay millionths
    /// @return penalty millionths, whatever the bond
    function moneyOf(ProgrammeTerms memory terms, Measured memory measured)
        internal
        pure
        returns (uint256 pay, uint256 penalty)
    {
        if (!measured.hasBaseline) return (0, 0);
        unchecked {
            // 96 slots of what is bounded below
            for (uint256 i = 0; i < measured.actualWh.length; ++i) {
                if (measured.lateFrom != 0 && i + 1 >= measured.lateFrom) {
                    if (terms.firm) penalty += _lateCost(terms, measured.committedWh);
                } else if ((measured.missing >> i) & 1 != 0) {
                    if (terms.firm && !terms.keptByOperator) penalty += silenceCost(terms, measured.committedWh);
                } else {
                    (uint256 paid, uint256 charged) = _slotOf(terms, measured, i);
                    pay += paid;
                    penalty += charged;
                }
            }
        }
    }

    function _lateCost(ProgrammeTerms memory terms, uint256 committedWh) private pure returns (uint256) {
        unchecked {
            // as above
            uint256 shortWh = committedWh * terms.floorBps / WHOLE_BPS;
            // slither-disable-next-line divide-before-multiply
            return shortWh * terms.shortfallRate * terms.lateBps / WHOLE_BPS / 1_000;
        }
    }

    function _slotOf(ProgrammeTerms memory terms, Measured memory measured, uint256 i)
        private
        pure
        returns (uint256 pay, uint256 penalty)
    {
        unchecked {
            // sums of readings of 32 bits, adjusted by 16; eligible at most what is committed
            int256 change = measured.baselineWh[i] - measured.actualWh[i];
            if (terms.up) change = -change;
            uint256 deliveredWh = change > 0 ? uint256(change) : 0;
            uint256 eligibleWh = _min(deliveredWh, measured.committedWh);
            uint256 worth = eligibleWh * measured.price;
            if (measured.feedIn != 0) {
                uint256 credit = measured.feedIn * _min(eligibleWh, creditedWh(measured, i));
                worth = worth > credit ? worth - credit : 0;
            }
            pay = worth / 1_000;
            if (!terms.firm) return (pay, 0);
            uint256 floorWh = measured.committedWh * terms.floorBps / WHOLE_BPS;
            if (floorWh > deliveredWh) penalty = (floorWh - deliveredWh) * terms.shortfallRate / 1_000;
        }
    }

    /// What the market credits as a deviation at feedIn: d = export - import - (sold - bought), if it is positive.
    function creditedWh(Measured memory measured, uint256 i) internal pure returns (uint256) {
        int256 deviation = measured.boughtWh[i] - measured.actualWh[i];
        return deviation > 0 ? uint256(deviation) : 0;
    }

    function _min(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }
}
