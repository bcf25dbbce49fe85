// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IEnergyAuction } from "../../../contracts/interfaces/IEnergyAuction.sol";
import { ASK, BID } from "../../../contracts/types/Order.sol";
import { Test } from "../support/Test.sol";

/// docs/market.md word for word, one tick at a time.
contract NaiveBook is Test {
    uint256 private constant TICKS = 1024;
    uint256 private constant NONE = 0xffff;

    mapping(uint8 side => uint256[TICKS]) public energy;

    function add(uint8 side, uint256 tick, uint256 energyWh) external {
        energy[side][tick] += energyWh;
    }

    function remove(uint8 side, uint256 tick, uint256 energyWh) external {
        energy[side][tick] -= energyWh;
    }

    function groupEnergy(uint8 side, uint256 group) external view returns (uint256 sum) {
        for (uint256 tick = group * 32; tick < group * 32 + 32; ++tick) {
            sum += energy[side][tick];
        }
    }

    function clear() external view returns (IEnergyAuction.Clearing memory found) {
        uint256[] memory demand = _demand();
        uint256[] memory supply = _supply();
        found.cleared = true;
        uint256 low = 0;
        while (demand[low + 1] > supply[low]) ++low;
        uint256 high = low;
        if (demand[low + 1] == supply[low]) {
            for (high = low + 1; high < TICKS; ++high) {
                if (energy[BID][high] + energy[ASK][high] != 0) break;
            }
        }
        uint256 price = (low + high) / 2;
        uint256 volume = price < TICKS ? _min(demand[price], supply[price]) : 0;
        if (volume == 0) {
            (found.lowTick, found.highTick) = (_bestBid(), _bestAsk());
            return found;
        }
        found.traded = true;
        (found.lowTick, found.highTick, found.priceTick, found.volumeWh) = (low, high, price, volume);
        if (demand[price] > supply[price]) {
            (found.longSide, found.sharedWh, found.longWh) = (BID, volume - demand[price + 1], energy[BID][price]);
        } else if (supply[price] > demand[price]) {
            uint256 better = price == 0 ? 0 : supply[price - 1];
            (found.longSide, found.sharedWh, found.longWh) = (ASK, volume - better, energy[ASK][price]);
        }
    }

    /// No other price trades more.
    function assertMost(uint256 volumeWh) external view {
        uint256[] memory demand = _demand();
        uint256[] memory supply = _supply();
        for (uint256 tick = 0; tick < TICKS; ++tick) {
            assertLe(_min(demand[tick], supply[tick]), volumeWh, "no price trades more than the one found");
        }
    }

    function _demand() private view returns (uint256[] memory curve) {
        curve = new uint256[](TICKS + 1);
        for (uint256 tick = TICKS; tick > 0; --tick) {
            curve[tick - 1] = curve[tick] + energy[BID][tick - 1];
        }
    }

    function _supply() private view returns (uint256[] memory curve) {
        curve = new uint256[](TICKS);
        uint256 sum;
        for (uint256 tick = 0; tick < TICKS; ++tick) {
            sum += energy[ASK][tick];
            curve[tick] = sum;
        }
    }

    function _bestBid() private view returns (uint256) {
        for (uint256 tick = TICKS; tick > 0; --tick) {
            if (energy[BID][tick - 1] != 0) return tick - 1;
        }
        return NONE;
    }

    function _bestAsk() private view returns (uint256) {
        for (uint256 tick = 0; tick < TICKS; ++tick) {
            if (energy[ASK][tick] != 0) return tick;
        }
        return NONE;
    }

    function _min(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }
}
