// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { MarketTerms } from "../types/MarketTerms.sol";
import { BID } from "../types/Order.sol";
import { Terms } from "./Terms.sol";

/// @title What a meter is paid for one slot, and what an order puts down for it
/// @notice With m = export - import and d = m - (sold - bought): T = price x (sold - bought), F = gridFee x bought,
/// V = (d >= 0 ? feedInPrice : retailPrice) x d, in micro per kWh x Wh. Divided by 1,000, toward minus infinity, they are cash.
/// @dev Prices have 40 bits, energies 32, so nothing here comes near 256.
library SettlementMath {
    using Terms for MarketTerms;

    uint256 internal constant WH_PER_KWH = 1_000;
    /// The least collateral of a live order.
    uint256 internal constant DUST_LOCK = 1_000;

    /// The account's cash, floor((T - F + V) / 1000), is `trade + account`.
    /// @return trade floor(T / 1000), from the slot's pot
    /// @return account the rest of it, from the utility to the account
    /// @return operator fee and rounding, from the utility to the operator; never negative
    /// @return hold what the account gained by deviating, which a correction may take again
    function cash(
        MarketTerms memory terms,
        uint256 price,
        uint256 boughtWh,
        uint256 soldWh,
        uint256 importWh,
        uint256 exportWh
    ) internal pure returns (int256 trade, int256 account, int256 operator, int256 hold) {
        unchecked {
            int256 net = int256(soldWh) - int256(boughtWh);
            int256 value = int256(exportWh) - int256(importWh) - net;
            value *= int256(uint256(value < 0 ? terms.retailPrice : terms.feedInPrice));
            trade = int256(price) * net;
            account = floorKilo(trade - int256(terms.gridFee * boughtWh) + value);
            trade = floorKilo(trade);
            account -= trade;
            // the utility's part is floor(-V / 1000): what it pays account and operator is the rest of zero
            operator = -(account + floorKilo(-value));
            if (value > 0) hold = floorKilo(value);
        }
    }

    /// The import that stands in for a missing reading, the export being nothing: at least `defaultWh`, so that silence never
    /// pays, not even who has sold a little.
    function defaultImport(MarketTerms memory terms, uint256 boughtWh) internal pure returns (uint256) {
        return Math.max(boughtWh, terms.defaultWh);
    }

    /// The most that an order may cost its account: a bid its limit, an ask what its energy would cost at retail.
    function collateral(MarketTerms memory terms, uint256 side, uint256 tick, uint256 energyWh)
        internal
        pure
        returns (uint256)
    {
        if (energyWh == 0) return 0;
        unchecked {
            uint256 price = terms.priceAt(tick);
            // no price of the grid is above retail
            uint256 atRisk = side == BID ? price + terms.gridFee : terms.retailPrice - price;
            return Math.max((atRisk * energyWh + WH_PER_KWH - 1) / WH_PER_KWH, DUST_LOCK);
        }
    }

    /// floor(x / 1000), toward minus infinity.
    function floorKilo(int256 x) internal pure returns (int256 quotient) {
        unchecked {
            quotient = x / 1000;
            if (x < 0 && x % 1000 != 0) --quotient;
        }
    }
}
