// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { ResponseMath } from "../libraries/ResponseMath.sol";
import { EventBook } from "../types/EventBook.sol";
import { LadderWord } from "../types/LadderWord.sol";
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
