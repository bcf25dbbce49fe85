// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { IEnergyAuction } from "../interfaces/IEnergyAuction.sol";

using { unpack, advanced, withAdvanced } for ClearingWord global;

/// What clearing found, in one word, most significant bits first:
/// advanced 80 | traded 4 | longSide 4 | priceTick 16 | lowTick 16 | highTick 16 | volumeWh 36 | sharedWh 30 | longWh 30 |
/// zero 24. It stands beside its slot's word and is as old as that.
/// `advanced` is what the utility has already put in for the dust that it buys at the close.
type ClearingWord is uint256;

function packClearing(IEnergyAuction.Clearing memory clearing) pure returns (ClearingWord) {
    return ClearingWord.wrap(
        (uint256(clearing.traded ? 1 : 0) << 172) | (clearing.longSide << 168) | (clearing.priceTick << 152)
            | (clearing.lowTick << 136) | (clearing.highTick << 120) | (clearing.volumeWh << 84)
            | (clearing.sharedWh << 54) | (clearing.longWh << 24)
    );
}

/// @dev `cleared` and `closed` stand in the slot's own word.
function unpack(ClearingWord packed, IEnergyAuction.Clearing memory clearing) pure {
    uint256 word = ClearingWord.unwrap(packed);
    clearing.traded = (word >> 172) & 1 == 1;
    clearing.longSide = (word >> 168) & 0xf;
    clearing.priceTick = (word >> 152) & 0xffff;
    clearing.lowTick = (word >> 136) & 0xffff;
    clearing.highTick = (word >> 120) & 0xffff;
    clearing.volumeWh = (word >> 84) & ((1 << 36) - 1);
    clearing.sharedWh = (word >> 54) & ((1 << 30) - 1);
    clearing.longWh = (word >> 24) & ((1 << 30) - 1);
}

function advanced(ClearingWord packed) pure returns (uint256) {
    return ClearingWord.unwrap(packed) >> 176;
}

function withAdvanced(ClearingWord packed, uint256 amount) pure returns (ClearingWord) {
    return ClearingWord.wrap((ClearingWord.unwrap(packed) & ((1 << 176) - 1)) | (amount << 176));
}
