// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import { EnergyAuction } from "../../../contracts/EnergyAuction.sol";
import { Roles } from "../../../contracts/libraries/Roles.sol";
import { Cancel, SignedCancel } from "../../../contracts/types/Cancel.sol";
import { MarketTerms } from "../../../contracts/types/MarketTerms.sol";
import { ASK, BID, Order, SignedOrder } from "../../../contracts/types/Order.sol";
import { SignedReading } from "../../../contracts/types/Reading.sol";
import { Gas } from "../support/Gas.sol";
import { Feeder, Home } from "./Feeder.sol";

/// Whole transactions: 21,000, every byte of the call, and execution on cold storage. What setUp wrote is an earlier
/// transaction's; a test measures one call.
abstract contract AuctionGas is Feeder, Gas {
    uint256 internal constant BATCH = 100;
    uint256 internal constant TICK = 2_000;

    Home[] internal homes;

    /// A grid of 136 ticks, over which `_orders` spreads prices.
    function _terms() internal view override returns (MarketTerms memory terms) {
        terms = super._terms();
        terms.tickSize = uint32(TICK);
        terms.tickCount = 136;
    }

    function _settleIn(uint256 count, bool p256) internal {
        for (uint256 i = 0; i < count; ++i) {
            homes.push(_homeIn(MARKET, 10_000 + i, true, p256));
        }
    }

    /// Homes around 0.20 net, every second one a seller; the same every time.
    function _orders(uint32 slot, uint16 version) internal view returns (SignedOrder[] memory orders) {
        orders = new SignedOrder[](homes.length);
        for (uint256 i = 0; i < orders.length; ++i) {
            orders[i] = _signedBy(homes[i].owner, _drawn(slot, homes[i], version, i));
        }
    }

    /// The order of number `i`, at one of 135 prices.
    function _drawn(uint32 slot, Home memory home, uint16 version, uint256 i) internal view returns (Order) {
        uint8 side = i % 2 == 0 ? BID : ASK;
        uint256 draw = uint256(keccak256(abi.encode(i)));
        uint256 net = 80_000 + TICK * (draw % 68 + (draw >> 8) % 68);
        uint256 energyWh = 100 + (draw >> 16) % 900;
        return _orderAt(slot, home, version, side, energyWh, side == BID ? net + FEE : net);
    }

    function _cancelAll(uint32 slot, uint16 version) internal {
        SignedCancel[] memory cancels = new SignedCancel[](homes.length);
        for (uint256 i = 0; i < cancels.length; ++i) {
            Order order = _orderAt(slot, homes[i], version, 0, 0, 0);
            cancels[i] = _signedBy(homes[i].owner, Cancel.wrap(Order.unwrap(order)));
        }
        auction.cancel(cancels);
    }

    function _readings(uint32 slot) internal view returns (SignedReading[] memory readings) {
        readings = new SignedReading[](homes.length);
        for (uint256 i = 0; i < readings.length; ++i) {
            uint32 energyWh = uint32(300 + uint256(keccak256(abi.encode(i, slot))) % 700);
            (uint32 importWh, uint32 exportWh) = i % 2 == 0 ? (energyWh, uint32(0)) : (uint32(0), energyWh);
            readings[i] = _signed(homes[i].device, _reading(homes[i].meter, slot, 1, importWh, exportWh));
        }
    }

    /// Gas of the transaction that makes this call of the auction.
    function _transactionGas(bytes memory data) internal returns (uint256) {
        return _transactionGas(address(auction), data);
    }
}
