// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IEnergyAuction } from "../interfaces/IEnergyAuction.sol";
import { ClearingMath } from "../libraries/ClearingMath.sol";
import { Ladder } from "../libraries/Ladder.sol";
import { ASK, BID } from "../types/Order.sol";

/// @title The auction's ladder and clearing on their own, for tests
/// @notice `clearBook` is meant for `eth_call`: it starts from an empty book each time.
contract ClearingHarness {
    using ClearingMath for IEnergyAuction.Clearing;
    using Ladder for Ladder.Side;

    error BookFull();

    uint256 public tag = 1;
    Ladder.Side private _bids;
    Ladder.Side private _asks;

    /// @notice The next turn of the ring: every word there is reads as empty.
    function turn() external {
        tag = uint16(tag + 1);
    }

    function add(uint8 side, uint256 tick, uint256 energyWh) external {
        if (!_ladder(side).add(tag, tick, energyWh)) revert BookFull();
    }

    function remove(uint8 side, uint256 tick, uint256 energyWh) external {
        _ladder(side).remove(tag, tick, energyWh);
    }

    function clear() public view returns (IEnergyAuction.Clearing memory clearing) {
        clearing.clear(_bids, _asks, tag);
    }

    /// @notice Puts orders of `bidWh[i]` at tick `bidTicks[i]` and so on into a book of their own, and clears it.
    function clearBook(
        uint16[] calldata bidTicks,
        uint32[] calldata bidWh,
        uint16[] calldata askTicks,
        uint32[] calldata askWh
    ) external returns (IEnergyAuction.Clearing memory) {
        tag = uint16(tag + 1);
        _put(_bids, bidTicks, bidWh);
        _put(_asks, askTicks, askWh);
        return clear();
    }

    /// @notice The same, and what each order gets.
    function fillBook(
        uint16[] calldata bidTicks,
        uint32[] calldata bidWh,
        uint16[] calldata askTicks,
        uint32[] calldata askWh
    )
        external
        returns (IEnergyAuction.Clearing memory clearing, uint256[] memory bidFills, uint256[] memory askFills)
    {
        tag = uint16(tag + 1);
        _put(_bids, bidTicks, bidWh);
        _put(_asks, askTicks, askWh);
        clearing = clear();
        bidFills = _fills(clearing, BID, bidTicks, bidWh);
        askFills = _fills(clearing, ASK, askTicks, askWh);
    }

    function energyAt(uint8 side, uint256 tick) external view returns (uint256) {
        return _ladder(side).energyAt(tag, tick);
    }

    function fill(IEnergyAuction.Clearing memory clearing, uint8 side, uint256 tick, uint256 energyWh)
        external
        pure
        returns (uint256)
    {
        return clearing.fill(side, tick, energyWh);
    }

    function _put(Ladder.Side storage ladder, uint16[] calldata ticks, uint32[] calldata energies) private {
        for (uint256 i = 0; i < ticks.length; ++i) {
            if (!ladder.add(tag, ticks[i], energies[i])) revert BookFull();
        }
    }

    function _fills(
        IEnergyAuction.Clearing memory clearing,
        uint8 side,
        uint16[] calldata ticks,
        uint32[] calldata energies
    ) private pure returns (uint256[] memory fills) {
        fills = new uint256[](ticks.length);
        for (uint256 i = 0; i < fills.length; ++i) {
            fills[i] = clearing.fill(side, ticks[i], energies[i]);
        }
    }

    function _ladder(uint8 side) private view returns (Ladder.Side storage) {
        return side == BID ? _bids : _asks;
    }
}
