// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { IEnergyAuction } from "../../contracts/interfaces/IEnergyAuction.sol";
import { ClearingMath } from "../../contracts/libraries/ClearingMath.sol";
import { LANE_MAX } from "../../contracts/types/LadderWord.sol";
import { ASK, BID } from "../../contracts/types/Order.sol";
import { vm } from "../foundry/support/Vm.sol";

/// ClearingMath.fill for any order and any clearing, found or not.
contract FillProof {
    using ClearingMath for IEnergyAuction.Clearing;

    /// Strictly better than the price: whole. Worse: nothing. At the price, and not on the long side: whole.
    function check_fill__given_any_order__fills_what_is_better_whole(
        IEnergyAuction.Clearing memory clearing,
        bool isBid,
        uint256 tick,
        uint256 energyWh
    ) external pure {
        vm.assume(clearing.traded);
        uint8 side = isBid ? BID : ASK;
        uint256 price = clearing.priceTick;
        vm.assume(tick != price || clearing.longSide != side);
        uint256 filled = clearing.fill(side, tick, energyWh);
        bool whole = tick == price || (isBid ? tick > price : tick < price);
        assert(filled == (whole ? energyWh : 0));
    }

    /// Without a trade nobody gets anything.
    function check_fill__given_no_trade__fills_nothing(
        IEnergyAuction.Clearing memory clearing,
        uint8 side,
        uint256 tick,
        uint256 energyWh
    ) external pure {
        vm.assume(!clearing.traded);
        assert(clearing.fill(side, tick, energyWh) == 0);
    }
}
