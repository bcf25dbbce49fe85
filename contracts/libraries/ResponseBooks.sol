// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { IDERRegistry } from "../interfaces/IDERRegistry.sol";
import { IDemandResponse } from "../interfaces/IDemandResponse.sol";
import { Commitment, LANES_PER_WORD, laneOf, withLane } from "../types/Commitment.sol";
import { EventHead } from "../types/EventHead.sol";
import { Meter } from "../types/Meter.sol";
import { Responses, pairKey } from "../types/Responses.sol";

/// @title What calling and settling ask alike
library ResponseBooks {
    function commitmentAt(Responses storage books, uint32 number, uint32 index, uint256 called)
        internal
        view
        returns (Commitment)
    {
        if (index >= called) revert IDemandResponse.UnknownCommitment(number, index);
        return Commitment.wrap(laneOf(books.commitments[pairKey(number, index / LANES_PER_WORD)], index));
    }

    function setCommitment(Responses storage books, uint32 number, uint32 index, Commitment lane) internal {
        uint256 key = pairKey(number, index / LANES_PER_WORD);
        books.commitments[key] = withLane(books.commitments[key], index, Commitment.unwrap(lane));
    }

    function meterOf(IDERRegistry ders, uint32 meter) internal view returns (Meter) {
        uint32[] memory ids = new uint32[](1);
        ids[0] = meter;
        return ders.metersOf(ids)[0];
    }

    /// When an event ends, chain time.
    function endsAt(EventHead memory head, uint256 slotLength) internal pure returns (uint256) {
        unchecked {
            // 33 bits times 32
            return (uint256(head.firstSlot) + head.slots) * slotLength;
        }
    }

    /// Wh per slot, rounded down.
    function energyOf(uint256 powerW, uint256 slotLength) internal pure returns (uint256) {
        unchecked {
            // 24 bits times 32
            return powerW * slotLength / 3_600;
        }
    }
}
