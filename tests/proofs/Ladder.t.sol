// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { Ladder } from "../../contracts/libraries/Ladder.sol";
import { LANE_BITS, LANE_MAX, LANES, LANES_MASK, LadderWord, TAG_SHIFT } from "../../contracts/types/LadderWord.sol";
import { vm } from "../foundry/support/Vm.sol";

/// Ladder.add and Ladder.remove over words of any content: what the books of the other proofs are made of.
contract LadderProof {
    using Ladder for Ladder.Side;

    uint256 private constant TAG = 7;

    Ladder.Side private _side;

    /// An order goes into its lane of either level and nowhere else, or, for want of room, nowhere at all.
    function check_add__given_any_words__moves_one_lane_of_each(uint256 leaf, uint256 group, uint32 energyWh, uint8 at)
        external
    {
        (uint256 tick, uint256 lane) = _tickOf(at);
        _put(tick, leaf, group);
        (leaf, group) = (_live(leaf), _live(group));
        vm.assume(_laneAt(leaf, lane) <= _laneAt(group, lane)); // a group's sum bounds its leaves
        bool done = _side.add(TAG, tick, energyWh);
        uint256 room = LANE_MAX - _laneAt(group, lane);
        if (!done) {
            assert(energyWh > room);
            assert(_live(LadderWord.unwrap(_side.leaves[tick >> 3])) == leaf);
            assert(_live(LadderWord.unwrap(_side.groups[tick >> 8])) == group);
            return;
        }
        assert(energyWh <= room);
        _proveMoved(LadderWord.unwrap(_side.leaves[tick >> 3]), leaf, lane, _laneAt(leaf, lane) + energyWh);
        _proveMoved(LadderWord.unwrap(_side.groups[tick >> 8]), group, lane, _laneAt(group, lane) + energyWh);
    }

    /// What was added can be taken out again, and nothing else moves.
    function check_remove__given_any_words__moves_one_lane_of_each(
        uint256 leaf,
        uint256 group,
        uint32 energyWh,
        uint8 at
    ) external {
        (uint256 tick, uint256 lane) = _tickOf(at);
        _put(tick, leaf, group);
        (leaf, group) = (_live(leaf), _live(group));
        vm.assume(_laneAt(leaf, lane) <= _laneAt(group, lane));
        vm.assume(energyWh <= _laneAt(leaf, lane));
        _side.remove(TAG, tick, energyWh);
        _proveMoved(LadderWord.unwrap(_side.leaves[tick >> 3]), leaf, lane, _laneAt(leaf, lane) - energyWh);
        _proveMoved(LadderWord.unwrap(_side.groups[tick >> 8]), group, lane, _laneAt(group, lane) - energyWh);
    }

    /// The word has the turn's tag, `wanted` in the lane, and the other lanes of `before`.
    function _proveMoved(uint256 word, uint256 before, uint256 lane, uint256 wanted) private pure {
        uint256 others = LANES_MASK ^ (LANE_MAX << (lane * LANE_BITS));
        assert(word >> TAG_SHIFT == TAG);
        assert(_laneAt(word, lane) == wanted);
        assert(word & others == before & others);
    }

    /// One tick for each lane, which is the lane of its group as well: a path of its own for each.
    function _tickOf(uint8 at) private pure returns (uint256 tick, uint256 lane) {
        vm.assume(at < LANES);
        while (lane < LANES - 1 && lane != at) ++lane;
        tick = 256 + lane * 33;
    }

    function _put(uint256 tick, uint256 leaf, uint256 group) private {
        _side.leaves[tick >> 3] = LadderWord.wrap(leaf);
        _side.groups[tick >> 8] = LadderWord.wrap(group);
    }

    /// The lanes of a word of this turn; a word of another turn is empty.
    function _live(uint256 word) private pure returns (uint256) {
        return word >> TAG_SHIFT == TAG ? word & LANES_MASK : 0;
    }

    function _laneAt(uint256 word, uint256 lane) private pure returns (uint256) {
        return (word >> (lane * LANE_BITS)) & LANE_MAX;
    }
}
