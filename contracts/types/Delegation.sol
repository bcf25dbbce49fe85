// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { BID, Order } from "./Order.sol";

using { pack } for Delegation global;
using { covers } for DelegationWord global;

/// What `account` lets `delegate` order in its name, for each meter apart. A later one for the same meters takes its place.
struct Delegation {
    address account;
    address delegate; // a key, not a wallet
    uint32 market; // 0: any
    uint32[] meters; // none: whatever meter of the account has no delegation of its own
    uint32 maxEnergyWh; // of an order
    uint64 lowestAsk; // micro per kWh, net; type(uint64).max: no asks
    uint64 highestBid; // micro per kWh, all-in; 0: no bids
    uint40 until; // chain time; 0 ends the delegation
}

/// The scope of a delegation in one word, most significant bits first:
/// until 40 | market 32 | maxEnergyWh 32 | lowestAsk 64 | highestBid 64 | zero 24.
type DelegationWord is uint256;

function pack(Delegation calldata scope) pure returns (DelegationWord) {
    if (scope.until == 0) return DelegationWord.wrap(0);
    return DelegationWord.wrap(
        (uint256(scope.until) << 216) | (uint256(scope.market) << 184) | (uint256(scope.maxEnergyWh) << 152)
            | (uint256(scope.lowestAsk) << 88) | (uint256(scope.highestBid) << 24)
    );
}

/// Whether the delegate may say that now. What it may order it may cancel, whatever its energy and limit.
function covers(DelegationWord scope, Order order, bool cancelling) view returns (bool) {
    uint256 word = DelegationWord.unwrap(scope);
    if (block.timestamp >= word >> 216) return false;
    uint32 market = uint32(word >> 184);
    if (market != 0 && market != order.market()) return false;
    if (cancelling) return true;
    if (order.energyWh() > uint32(word >> 152)) return false;
    return order.side() == BID ? order.limitPrice() <= uint64(word >> 24) : order.limitPrice() >= uint64(word >> 88);
}
