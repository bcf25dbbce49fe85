// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { ASK, BID } from "../../../contracts/types/Order.sol";

/// The book that costs most to clear of the 64,000 that WorstBook.t.sol tried with 80 climbs of 800 steps.
library WorstBook {
    function orders() internal pure returns (uint8[] memory sides, uint256[] memory ticks, uint256[] memory energies) {
        uint16[3][6] memory book = [
            [uint16(BID), 733, 10],
            [uint16(ASK), 927, 10],
            [uint16(BID), 300, 10],
            [uint16(ASK), 719, 10],
            [uint16(BID), 927, 10],
            [uint16(BID), 726, 10]
        ];
        sides = new uint8[](book.length);
        ticks = new uint256[](book.length);
        energies = new uint256[](book.length);
        for (uint256 i = 0; i < book.length; ++i) {
            (sides[i], ticks[i], energies[i]) = (uint8(book[i][0]), book[i][1], book[i][2]);
        }
    }
}
